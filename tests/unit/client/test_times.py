# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flocx_client.osc.times import format_duration, format_time, local_zone, parse_duration, parse_time

BERLIN = ZoneInfo("Europe/Berlin")
#: A Saturday, a quarter past twelve in Berlin; the night after it has one hour more.
NOW = datetime(2026, 10, 24, 10, 15, 3, 500, tzinfo=UTC)


def read(text, now=NOW, zone=BERLIN):
    return format_time(parse_time(text, now, zone), zone)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("now", "2026-10-24T12:15:03+02:00"),
        (" NOW ", "2026-10-24T12:15:03+02:00"),
        ("+3h", "2026-10-24T15:15:03+02:00"),
        ("+ 90m", "2026-10-24T13:45:03+02:00"),
        ("+5400", "2026-10-24T13:45:03+02:00"),
        ("in 1 day 2 hours", "2026-10-25T13:15:03+01:00"),
        ("in 2d", "2026-10-26T11:15:03+01:00"),
        ("13:00", "2026-10-24T13:00:00+02:00"),
        ("12:15", "2026-10-25T12:15:00+01:00"),
        ("8:00", "2026-10-25T08:00:00+01:00"),
        ("today", "2026-10-24T00:00:00+02:00"),
        ("today 18:00", "2026-10-24T18:00:00+02:00"),
        ("today 8:00:30", "2026-10-24T08:00:30+02:00"),
        ("tomorrow", "2026-10-25T00:00:00+02:00"),
        ("Tomorrow  08:00", "2026-10-25T08:00:00+01:00"),
        ("sunday", "2026-10-25T00:00:00+02:00"),
        ("mon 08:00", "2026-10-26T08:00:00+01:00"),
        ("saturday", "2026-10-31T00:00:00+01:00"),
        ("2026-12-01", "2026-12-01T00:00:00+01:00"),
        ("2026-12-01T08:00", "2026-12-01T08:00:00+01:00"),
        ("2026-12-01 08:00:30", "2026-12-01T08:00:30+01:00"),
        ("2026-12-01T08:00+01:00", "2026-12-01T08:00:00+01:00"),
        ("2026-12-01 08:00 -05:00", "2026-12-01T14:00:00+01:00"),
        ("2026-12-01t08:00z", "2026-12-01T09:00:00+01:00"),
        ("2026-12-01T08:00:00.000+0100", "2026-12-01T08:00:00+01:00"),
    ],
)
def test_a_time_means_what_people_mean_by_it(text, meant):
    assert read(text) == meant


def test_a_time_is_utc_and_of_whole_seconds():
    instant = parse_time("now", NOW, BERLIN)
    assert instant == NOW.replace(microsecond=0)
    assert instant.tzinfo is UTC


@pytest.mark.parametrize(("hour", "meant"), [(21, "2026-10-25"), (22, "2026-10-26")])
def test_tomorrow_is_the_day_after_today_where_the_caller_is(hour, meant):
    now = datetime(2026, 10, 24, hour, 30, tzinfo=UTC)
    assert read("tomorrow", now)[:10] == meant


@pytest.mark.parametrize("days", range(7))
def test_a_day_of_the_week_is_never_today_and_at_most_a_week_ahead(days):
    now = NOW + timedelta(days=days)
    today = now.astimezone(BERLIN).date()
    found = [
        parse_time(day, now, BERLIN).astimezone(BERLIN).date()
        for day in ("mon", "tuesday", "wed", "Thursday", "fri", "saturday", "sun")
    ]
    assert [day.weekday() for day in found] == list(range(7))
    assert {(day - today).days for day in found} == set(range(1, 8))


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("2027-03-28T02:30", ("2027-03-28T01:30:00+01:00", "2027-03-28T03:30:00+02:00")),
        ("2026-10-25 02:30", ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00")),
        ("tomorrow 02:30", ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00")),
        ("02:30", ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00")),
    ],
)
def test_a_clock_time_that_the_zone_has_not_once_is_refused_with_the_times_it_may_mean(text, choices):
    with pytest.raises(ValueError, match="when the clocks change") as refused:
        parse_time(text, NOW, BERLIN)
    said = str(refused.value)
    assert said.startswith(repr(text))
    assert "Europe/Berlin" in said
    assert "\n" not in said
    for choice in choices:
        assert f"'{choice}'" in said
        assert read(choice) == choice


@pytest.mark.parametrize("text", ["2027-03-28T01:59:59", "2027-03-28T03:00", "2026-10-25T01:59:59", "2026-10-25T03:00"])
def test_the_times_beside_a_change_of_the_clocks_are_ordinary(text):
    assert read(text).startswith(text)


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        # Midnight is skipped: the day begins at one.
        ("Africa/Cairo", "2026-04-24", "2026-04-24T01:00:00+03:00"),
        # Midnight is there twice: the day begins with the first.
        ("America/Havana", "2026-11-01", "2026-11-01T00:00:00-04:00"),
    ],
)
def test_a_day_alone_begins_where_it_begins_even_when_the_clocks_change_at_midnight(zone, day, begins):
    assert read(day, zone=ZoneInfo(zone)) == begins


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "8am",
        "25:00",
        "12:60",
        "tomorrow foo",
        "now 08:00",
        "in 5x",
        "+",
        "in",
        "-3h",
        "2026-13-01",
        "2026-02-30T08:00",
        "2026-12-01T08:00:00.5",
        "2026-12-01T08:00 CET",
        "20261201",
        "2026-W49-2",
        "9999-12-31T23:00-05:00",
        "+999999999999w",
        "\u0661\u0662:\u0663\u0663",
    ],
)
def test_what_is_no_time_is_refused_in_one_sentence_with_two_examples(text):
    with pytest.raises(ValueError, match="is no time") as refused:
        parse_time(text, NOW, BERLIN)
    said = str(refused.value)
    assert said.startswith(repr(text))
    assert "\n" not in said
    _, first, _, second, _ = said.rpartition("write it like ")[2].split("'")
    for example in (first, second):
        assert parse_time(example, NOW, BERLIN) > NOW


@given(st.text(max_size=20) | st.text("0123456789:-+T zhdmintomrw", max_size=20))
def test_whatever_is_typed_is_a_time_or_a_mistake_in_words(text):
    try:
        instant = parse_time(text, NOW, BERLIN)
    except ValueError as mistake:
        assert str(mistake).startswith(repr(text))  # noqa: PT017 - a mistake is one of two good outcomes
    else:
        assert instant.microsecond == 0


@given(
    st.integers(0, 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.sampled_from(
        [UTC, BERLIN, ZoneInfo("Asia/Kathmandu"), ZoneInfo("America/St_Johns"), timezone(timedelta(hours=-8))]
    ),
)
def test_a_time_that_was_shown_can_be_typed_back_anywhere(instant, zone):
    assert parse_time(format_time(instant, zone), NOW, BERLIN) == instant


@pytest.mark.parametrize(
    ("zone", "shown"), [(UTC, "2026-10-24T10:15:03Z"), (BERLIN, "2026-10-24T12:15:03+02:00")], ids=["UTC", "Berlin"]
)
def test_a_time_is_shown_with_its_offset(zone, shown):
    assert format_time(NOW, zone) == shown


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("5400", 5400),
        ("90m", 5400),
        ("3h", 10800),
        ("1d12h", 129600),
        ("1 day 2 hours", 93600),
        ("2 Weeks", 1209600),
        ("1h 30min 5 sec", 5405),
        (" 3 h ", 10800),
    ],
)
def test_a_duration_is_so_many_seconds(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "h", "3x", "-3h", "1.5h", "1h1h", "1d 12", "3 h h", "1hour2", "1h,30m", "\u0663h", "9" * 13]
)
def test_what_is_no_duration_is_refused_in_one_sentence_with_two_examples(text):
    with pytest.raises(ValueError, match="is no duration") as refused:
        parse_duration(text)
    said = str(refused.value)
    assert said.startswith(repr(text))
    _, first, _, second, _ = said.rpartition("write it like ")[2].split("'")
    assert (parse_duration(first), parse_duration(second)) == (10800, 129600)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0s"), (59, "59s"), (5400, "1h30m"), (86400, "1d"), (129600, "1d12h"), (2592061, "30d1m1s")],
)
def test_a_duration_is_shown_in_its_parts(seconds, shown):
    assert format_duration(seconds) == shown


@given(st.integers(0, 10**10))
def test_a_duration_that_was_shown_can_be_typed_back(seconds):
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("name", "offset"), [("Asia/Kathmandu", "+05:45"), (":Asia/Kathmandu", "+05:45"), ("", "Z"), ("UTC", "Z")]
)
def test_the_zone_of_the_machine_is_that_of_its_environment(monkeypatch, name, offset):
    monkeypatch.setenv("TZ", name)
    assert format_time(NOW, local_zone()).endswith(offset)


@pytest.mark.parametrize("name", [None, "XYZ-3", "Nowhere/Nothing", "/etc/passwd", ":/etc/localtime"])
def test_a_zone_is_found_wherever_the_environment_says_no_name(monkeypatch, name):
    monkeypatch.delenv("TZ", raising=False)
    if name is not None:
        monkeypatch.setenv("TZ", name)
    assert NOW.astimezone(local_zone()) == NOW
