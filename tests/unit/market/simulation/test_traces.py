# SPDX-License-Identifier: Apache-2.0
"""Reading traces: what is there is read, and what cannot be used is named by file, line and field."""

import pytest

from flocx_market.simulation.traces import TraceInvalid, read_capacity, read_node_types, read_reservations

HEADER = "submitted_at,site,project,node_type,nodes,start,end,refused,approved"
GOOD = ["2018-03-01 10:00:00", "north", "7", "d430", "2", "2018-03-02 00:00:00", "2018-03-03 00:00:00", "0", "1"]


def reservations(tmp_path, *lines, header=HEADER):
    path = tmp_path / "reservations.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return read_reservations(path)


def capacity(tmp_path, text):
    path = tmp_path / "capacity.csv"
    path.write_text(text)
    return read_capacity(path)


def test_a_reservation_is_read_with_naive_times_as_utc(tmp_path):
    [one] = reservations(tmp_path, ",".join(GOOD))
    assert (one.submitted, one.begin, one.end) == (1519898400, 1519948800, 1520035200)
    assert (one.site, one.project, one.node_type, one.nodes) == ("north", "7", "d430", 2)
    assert (one.refused, one.approved) == (False, True)


def test_an_offset_is_taken_at_its_word_and_columns_may_come_in_any_order_with_more_of_them(tmp_path):
    header = "extra," + ",".join(reversed(HEADER.split(",")))
    fields = ["x", *reversed(["2018-03-01T12:00:00+02:00", *GOOD[1:]])]
    [one] = reservations(tmp_path, ",".join(fields), header=header)
    assert one.submitted == 1519898400
    assert one.approved


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (0, "yesterday", "submitted_at: a time such as 2018-03-01 12:00:00 is expected, not 'yesterday'"),
        (0, "2018-03-01 10:00:00.5", "submitted_at: whole seconds are expected"),
        (5, "0001-01-01T00:00:00+10:00", "start: a time between the years 1970 and 9000 is expected"),
        (6, "", "end: a time such as"),
        (1, " ", "site: text is expected, not ' '"),
        (3, "", "node_type: text is expected"),
        (4, "-1", "nodes: a whole number from 0 to 1000000 is expected, not '-1'"),
        (4, "1.5", "nodes: a whole number"),
        (4, "9" * 5000, "nodes: a whole number"),
        (4, "²", "nodes: a whole number"),
        (7, "yes", "refused: 0 or 1 is expected, not 'yes'"),
        (8, "", "approved: 0 or 1 is expected"),
    ],
)
def test_what_cannot_be_used_is_named_by_line_field_and_expectation(tmp_path, place, value, said):
    bad = list(GOOD)
    bad[place] = value
    with pytest.raises(TraceInvalid) as refusal:
        reservations(tmp_path, ",".join(GOOD), ",".join(bad))
    assert f"reservations.csv: line 3: {said}" in str(refusal.value)


def test_a_line_of_another_length_and_a_missing_column_are_refused(tmp_path):
    with pytest.raises(TraceInvalid, match="line 2: 9 fields are expected, not 8"):
        reservations(tmp_path, ",".join(GOOD[:-1]))
    with pytest.raises(TraceInvalid, match="line 1: approved: the column is missing"):
        reservations(tmp_path, header=HEADER.removesuffix(",approved"))


def test_a_file_that_is_no_text_or_not_there_is_refused(tmp_path):
    (tmp_path / "bytes.csv").write_bytes(b"node_type,nodes\n\xff\xfe,1\n")
    with pytest.raises(TraceInvalid, match=r"bytes\.csv: UTF-8 is expected"):
        read_capacity(tmp_path / "bytes.csv")
    with pytest.raises(TraceInvalid, match=r"none\.csv: No such file"):
        read_capacity(tmp_path / "none.csv")
    (tmp_path / "quotes.csv").write_text('node_type,nodes\n"d430,1\n')
    with pytest.raises(TraceInvalid, match="no CSV"):
        read_capacity(tmp_path / "quotes.csv")


def test_capacity_may_say_site_and_price(tmp_path):
    told, plain = capacity(tmp_path, "node_type,nodes,site,reserve_price\na,2,north,0.25\nb,1,,\n")
    assert (told.site, told.reserve) == ("north", 250_000)
    assert (plain.site, plain.reserve) == (None, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("node_type,nodes\na,1\na,2\n", "line 3: node_type: a is there already"),
        ("node_type,nodes,site\na,1,north\na,2,\n", "site: a has a line with a site and one without"),
        ("node_type,nodes,reserve_price\na,1,-1\n", "line 2: reserve_price: a price"),
        ("node_type,nodes,reserve_price\na,1,cheap\n", "line 2: reserve_price: a price"),
    ],
)
def test_capacity_that_contradicts_itself_or_has_no_price_is_refused(tmp_path, text, said):
    with pytest.raises(TraceInvalid, match=said):
        capacity(tmp_path, text)


def test_the_table_that_comes_along_is_good_and_another_may_be_given(tmp_path):
    known = read_node_types(None)
    assert (known["m400"].architecture, known["m400"].cores, known["m400"].memory_gb) == ("aarch64", 8, 64)
    (tmp_path / "types.csv").write_text("node_type,architecture,cores,memory_gb,gpus\nx,riscv64,4,8,0\n")
    assert list(read_node_types(tmp_path / "types.csv")) == ["x"]
