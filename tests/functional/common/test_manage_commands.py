# SPDX-License-Identifier: Apache-2.0
"""flocx-market-manage and flocx-provider-manage: what operators type, what they read, and the exit status."""

import contextlib
import importlib
import io
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from flocx_common.db.engine import create_engine
from flocx_common.db.transactions import Database
from flocx_provider.db.store import ProviderStore
from tests.builders import uid
from tests.harness import write_conf

SERVICES = ("market", "provider")
SECRET = "s3cret-word"

MACHINES = [
    {"uuid": uid(1001), "name": "n1", "owner": "p-owner-a", "resource_class": "big", "cpus": 32},
    {"uuid": uid(1002), "name": "n2"},
]


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    status: int
    output: str
    errors: str

    @property
    def shown(self):
        """The result of a command with ``-f json``."""
        assert self.status in (0, 1), self.errors
        return json.loads(self.output)

    def refused(self, status=1):
        """The one line of a command that was refused."""
        assert (self.status, self.output) == (status, ""), self.errors
        assert "Traceback" not in self.errors
        assert SECRET not in self.errors
        *logged, line = self.errors.splitlines()
        assert not logged, self.errors
        return line


@contextlib.contextmanager
def closed_in_the_end():
    """Close the connections that a command leaves to the end of its process."""
    opened = []

    def note(connection, _record):
        opened.append(connection)

    sa.event.listen(sa.pool.Pool, "connect", note)
    try:
        yield
    finally:
        sa.event.remove(sa.pool.Pool, "connect", note)
        for connection in opened:
            with contextlib.suppress(Exception):
                connection.close()


class Operator:
    """Types commands of one service against one database."""

    def __init__(self, service, directory, url, **sections):
        (directory / "machines.jsonl").write_text("".join(json.dumps(one) + "\n" for one in MACHINES))
        given = {"database": {"connection": url}}
        if service == "provider":
            given |= {"provider": {"name": "room"}, "static": {"inventory_file": directory / "machines.jsonl"}}
        self.conf = write_conf(directory, f"{service}.conf", given | sections)
        self.program = f"flocx-{service}-manage"
        self._main = importlib.import_module(f"flocx_{service}.cmd.manage").main

    def __call__(self, *words):
        """Run a command in this process."""
        output, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors), closed_in_the_end():
            try:
                status = self._main(["--config-file", str(self.conf), *words])
            except SystemExit as stop:
                status = stop.code
        return Done(int(status or 0), output.getvalue(), errors.getvalue())

    def installed(self, *words):
        """Run a command as the installed program."""
        program = Path(sys.executable).with_name(self.program)
        done = subprocess.run(
            [program, "--config-file", self.conf, *words], capture_output=True, text=True, timeout=120, check=False
        )
        return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(params=SERVICES)
def service(request):
    """Both services in turn."""
    return request.param


@pytest.fixture
def operator(service, tmp_path, database_url):
    """The operator of a service whose database is empty, of every kind in turn."""
    return Operator(service, tmp_path, database_url)


@pytest.fixture
def lite(service, tmp_path):
    """The operator of a service whose database is to be an SQLite file, for what the kind does not matter to."""
    return Operator(service, tmp_path, f"sqlite:///{tmp_path}/{service}.sqlite")


class TestDatabase:
    def test_before_the_first_sync_nothing_is_ready_and_check_says_so(self, operator):
        told = operator("db", "version", "-f", "json").shown
        assert told["revision"] is None
        assert told["newest"]
        done = operator("db", "check", "-f", "json")
        assert (done.status, done.shown) == (1, {"ready": False} | told)

    def test_sync_brings_the_database_to_the_newest_revision(self, operator):
        newest = operator("db", "version", "-f", "json").shown["newest"]
        done = operator("db", "sync", "-f", "json")
        assert (done.status, done.shown) == (0, {"before": None, "revision": newest})
        done = operator("db", "check", "-f", "json")
        assert (done.status, done.shown["ready"]) == (0, True)
        assert operator("db", "version", "-f", "json").shown == {"revision": newest, "newest": newest}

    def test_sync_again_is_harmless(self, operator):
        newest = operator("db", "sync", "-f", "json").shown["revision"]
        for _ in range(2):
            done = operator("db", "sync", "-f", "json")
            assert (done.status, done.shown) == (0, {"before": newest, "revision": newest})

    def test_check_and_version_change_nothing(self, operator, database_url):
        operator("db", "check")
        operator("db", "version")
        engine = create_engine(database_url)
        try:
            assert sa.inspect(engine).get_table_names() == []
        finally:
            engine.dispose()

    def test_what_is_printed_for_people_is_a_line_for_each_thing(self, lite):
        newest = lite("db", "version", "-f", "json").shown["newest"]
        assert lite("db", "check").output == f"ready: no\nrevision: -\nnewest: {newest}\n"
        assert lite("db", "sync").output == f"before: -\nrevision: {newest}\n"
        assert lite("db", "check").output == f"ready: yes\nrevision: {newest}\nnewest: {newest}\n"
        assert lite("db", "version").output == f"revision: {newest}\nnewest: {newest}\n"

    def test_a_revision_can_be_named(self, lite):
        newest = lite("db", "version", "-f", "json").shown["newest"]
        assert lite("db", "sync", "--revision", newest, "-f", "json").shown["revision"] == newest

    def test_an_unknown_revision_is_refused_in_one_line_and_nothing_is_changed(self, lite):
        lite("db", "sync")
        before = lite("db", "version").output
        assert "'nope'" in lite("db", "sync", "--revision", "nope").refused()
        assert lite("db", "version").output == before


NO_DATABASE = {
    "no URL": ("nonsense", "[database] connection"),
    "nothing": ("", "[database] connection: a database URL is needed, such as sqlite:///"),
    "a kind there is not": (f"foo+bar://joe:{SECRET}@127.0.0.1/x", "[database] connection"),
    "a driver that is not installed": (f"postgresql+asyncpg://joe:{SECRET}@127.0.0.1/x", "flocx[postgresql]"),
    "a directory that is not there": ("sqlite:////nowhere/at/all.sqlite", "unable to open database file"),
    "PostgreSQL that is not there": (f"postgresql+psycopg://joe:{SECRET}@127.0.0.1:1/x", "127.0.0.1"),
    "MariaDB that is not there": (f"mysql+pymysql://joe:{SECRET}@127.0.0.1:1/x", "127.0.0.1"),
}


class TestWrongConfiguration:
    @pytest.mark.parametrize("command", ["sync", "version", "check"])
    @pytest.mark.parametrize("what", NO_DATABASE)
    def test_a_database_that_cannot_be_had_is_one_line_without_its_password(self, service, tmp_path, what, command):
        url, said = NO_DATABASE[what]
        assert said in Operator(service, tmp_path, url)("db", command).refused()

    def test_a_port_that_is_no_number_is_one_line_without_the_password(self, service, tmp_path):
        url = f"postgresql+psycopg://joe:{SECRET}@127.0.0.1:port/x"
        assert "[database] connection" in Operator(service, tmp_path, url)("db", "check").refused()

    def test_a_configuration_file_that_is_not_there_is_named(self, lite, tmp_path):
        lite.conf = tmp_path / "missing.conf"
        assert "missing.conf" in lite("db", "check").refused()

    def test_an_inventory_that_cannot_be_read_is_named(self, tmp_path):
        operator = Operator("provider", tmp_path, f"sqlite:///{tmp_path}/p.sqlite")
        operator("db", "sync")
        (tmp_path / "machines.jsonl").write_text('{"uuid": "n1"}\n')
        line = operator("node", "list").refused()
        assert "machines.jsonl: line 1: uuid: 'n1'" in line


class TestNodes:
    @pytest.fixture
    def operator(self, tmp_path, database_url):
        """The operator of a provider whose database is ready, of every kind in turn."""
        made = Operator("provider", tmp_path, database_url)
        made("db", "sync")
        return made

    def problems(self, operator):
        return {one["node_name"]: one["problem"] for one in operator("node", "list", "-f", "json").shown}

    def test_nodes_are_listed_with_owner_and_holder(self, operator):
        assert operator("node", "list", "-f", "json").shown[0] == {
            "node_uuid": uid(1001),
            "node_name": "n1",
            "owner_project_id": "p-owner-a",
            "resource_class": "big",
            "lessee_project_id": None,
            "contract_uuid": None,
            "problem": None,
        }
        title, *rows = operator("node", "list").output.splitlines()
        assert title.split()[:2] == ["node_uuid", "node_name"]
        assert [row.split()[:4] for row in rows] == [
            [uid(1001), "n1", "p-owner-a", "big"],
            [uid(1002), "n2", "-", "-"],
        ]

    def test_a_node_is_down_until_it_is_up_again(self, operator):
        done = operator("node", "set", "n1", "--down", "--reason", "the fan", "-f", "json")
        assert (done.status, done.shown) == (
            0,
            {"node_uuid": uid(1001), "node_name": "n1", "problem": "the node is down: the fan"},
        )
        assert self.problems(operator) == {"n1": "the node is down: the fan", "n2": None}
        assert operator("node", "set", "n1", "--up", "-f", "json").shown["problem"] is None
        assert self.problems(operator) == {"n1": None, "n2": None}

    def test_a_node_is_known_by_uuid_too_and_a_reason_need_not_be_given(self, operator):
        shown = operator("node", "set", uid(1002), "--down").output
        assert shown == (
            f"node_uuid: {uid(1002)}\nnode_name: n2\nproblem: the node is down: taken down by the operator\n"
        )

    def test_saying_it_again_is_harmless(self, operator):
        for words in (["--down"], ["--up"]):
            assert [operator("node", "set", "n1", *words).status for _ in range(2)] == [0, 0]
        assert self.problems(operator) == {"n1": None, "n2": None}

    def test_what_is_said_outlives_another_sync(self, operator):
        operator("node", "set", "n1", "--down", "--reason", "the fan")
        operator("db", "sync")
        assert self.problems(operator)["n1"] == "the node is down: the fan"

    def test_the_owner_is_told(self, operator, database_url):
        operator("node", "set", "n1", "--down", "--reason", "the fan")
        operator("node", "set", "n1", "--up")
        database = Database(create_engine(database_url))
        try:
            events = ProviderStore(database).read(lambda uow: uow.events.since(0, 10, "p-owner-a"))
        finally:
            database.dispose()
        assert [(one.event_type, one.entity_uuid, one.reason) for one in events] == [
            ("node.down", uid(1001), "the fan"),
            ("node.up", uid(1001), None),
        ]

    def test_an_unknown_node_is_refused_by_name_and_nothing_is_changed(self, operator):
        assert "node: 'n9' is not in the inventory" in operator("node", "set", "n9", "--down").refused()
        assert self.problems(operator) == {"n1": None, "n2": None}

    @pytest.mark.parametrize("words", [["list"], ["set", "n1", "--down"]])
    def test_before_the_first_sync_the_way_out_is_said(self, tmp_path, database_url, words):
        done = Operator("provider", tmp_path, database_url)("node", *words)
        assert (done.status, done.output) == (1, "")
        assert done.errors.splitlines()[-1].endswith("bring it to the newest revision with db sync")

    def test_other_drivers_know_the_health_of_their_nodes_themselves(self, tmp_path):
        operator = Operator(
            "provider",
            tmp_path,
            f"sqlite:///{tmp_path}/p.sqlite",
            provider={"name": "room", "driver": "another"},
        )
        line = operator("node", "set", "n1", "--down").refused()
        assert "[provider] driver: another" in line


class TestTyping:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ([], "command"),
            (["db"], "COMMAND"),
            (["db", "frob"], "'sync', 'version', 'check'"),
            (["frob"], "'frob'"),
            (["db", "sync", "-f", "xml"], "'text', 'json'"),
            (["db", "check", "--revision", "1"], "--revision"),
        ],
    )
    def test_what_is_no_command_is_refused_with_what_there_is(self, lite, words, said):
        done = lite(*words)
        assert (done.status, done.output) == (2, "")
        assert said in done.errors.splitlines()[-1]

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["n1"], "--down --up"),
            (["n1", "--up", "--down"], "not allowed with"),
            (["--down"], "NAME"),
        ],
    )
    def test_a_node_is_either_down_or_up(self, tmp_path, words, said):
        done = Operator("provider", tmp_path, f"sqlite:///{tmp_path}/p.sqlite")("node", "set", *words)
        assert done.status == 2
        assert said in done.errors.splitlines()[-1]

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--help"], ["db", "look after the database schema", "--config-file"]),
            (["db", "--help"], ["sync", "version", "check", "newest revision", "again is harmless"]),
            (["db", "sync", "--help"], ["--revision", "--format", "again is harmless"]),
            (["db", "check", "--help"], ["Exit status 1 when it is not."]),
        ],
    )
    def test_help_says_what_a_command_does(self, lite, words, said):
        done = lite(*words)
        assert done.status == 0
        text = " ".join(done.output.split())
        for word in said:
            assert word in text

    def test_help_of_nodes_says_what_a_command_does(self, tmp_path):
        operator = Operator("provider", tmp_path, f"sqlite:///{tmp_path}/p.sqlite")
        for words, said in (
            (["--help"], ["list", "set", "static driver"]),
            (["set", "--help"], ["--reason", "owners"]),
        ):
            text = " ".join(operator("node", *words).output.split())
            for word in said:
                assert word in text


class TestInstalled:
    """A few cases through the console scripts, as an operator runs them."""

    def test_the_life_of_a_database(self, lite):
        assert lite.installed("db", "check").status == 1
        done = lite.installed("db", "sync")
        assert (done.status, done.errors) == (0, "")
        done = lite.installed("db", "check", "-f", "json")
        assert (done.status, done.shown["ready"]) == (0, True)

    def test_a_wrong_database_is_one_line_and_begins_with_the_program(self, service, tmp_path):
        url = f"postgresql+psycopg://joe:{SECRET}@127.0.0.1:1/x"
        operator = Operator(service, tmp_path, url)
        assert operator.installed("db", "check").refused().startswith(f"{operator.program}: ")
