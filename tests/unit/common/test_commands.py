# SPDX-License-Identifier: Apache-2.0
"""What the commands say when they cannot start: one line and a status, never a traceback."""

import re
import socket
import subprocess
import sys

import pytest

from tests.harness import write_conf

# Runs a command as if some packages were not installed.
_PROGRAM = """
import sys
from importlib import import_module

command, module, absent, *arguments = sys.argv[1:]


class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent.split():
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Absent())
sys.argv = [command, *arguments]
sys.exit(import_module(module).main())
"""

SQLITE = {"database": {"connection": "sqlite://"}}
NOBODY = "127.0.0.1:1"


def run(command, directory, sections, *arguments, absent=""):
    """Run a command on a configuration and return its status and what it wrote to standard error."""
    service, _, name = command.partition("-")
    if sections is not None:
        arguments = ("--config-file", write_conf(directory, f"{service}.conf", sections), *arguments)
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, f"flocx-{command}", f"flocx_{service}.cmd.{name}", absent, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


def refused(command, directory, sections, *arguments, absent=""):
    """Run a command that refuses to start, and return its one line without its name."""
    status, told = run(command, directory, sections, *arguments, absent=absent)
    assert status == 1, told
    line = re.fullmatch(rf"flocx-{command}: (.*)\n", told)
    assert line, told
    return line[1]


def missing(what, module, extra):
    return f"{what} needs {module}, which is not installed: pip install 'flocx[{extra}]'"


@pytest.mark.parametrize(
    ("command", "absent", "extra"),
    [
        ("market-api", "re2", "market"),
        ("market-manage", "oslo_config", "market"),
        ("market-clear", "jmespath", "market"),
        ("provider-manager", "sqlalchemy", "provider"),
        ("provider-manage", "alembic", "provider"),
    ],
)
def test_a_command_without_its_extra_names_it(tmp_path, command, absent, extra):
    files = ("--offers", "o", "--bids", "b", "--now", "2027-01-01", "--out", "out")
    sections, arguments = (None, files) if command == "market-clear" else (SQLITE, ())
    assert refused(command, tmp_path, sections, *arguments, absent=absent) == missing(f"flocx-{command}", absent, extra)


@pytest.mark.parametrize(
    ("url", "module", "extra"),
    [
        (f"postgresql+psycopg://u:secret@{NOBODY}/flocx", "psycopg", "postgresql"),
        (f"mysql+pymysql://u:secret@{NOBODY}/flocx", "pymysql", "mysql"),
    ],
    ids=["postgresql", "mysql"],
)
def test_a_database_driver_that_is_not_installed_is_named_with_its_extra(tmp_path, url, module, extra):
    told = refused("market-manage", tmp_path, {"database": {"connection": url}}, "db", "version", absent=module)
    assert told == missing(f"[database] connection: {extra}", module, extra)


def test_keystone_without_its_middleware_names_the_extra(tmp_path):
    told = refused("market-api", tmp_path, SQLITE, absent="keystonemiddleware")
    assert told == missing("[api] auth_strategy: keystone", "keystonemiddleware", "openstack")


def test_what_is_not_configured_need_not_be_installed(tmp_path):
    sections = {"database": {"connection": f"sqlite:///{tmp_path}/x.db"}}
    absent = "keystonemiddleware ironicclient psycopg pymysql highspy"
    assert run("provider-manage", tmp_path, sections, "db", "sync", absent=absent) == (0, "")


@pytest.mark.parametrize("command", ["market-api", "provider-manager"])
def test_a_wrong_value_keeps_a_service_from_starting(tmp_path, command):
    told = refused(command, tmp_path, {**SQLITE, "api": {"threads": "many"}})
    assert told.endswith(".conf: [api] threads: invalid literal for int() with base 10: 'many'")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "a database URL is needed, such as sqlite:////var/lib/flocx/x.db"),
        ("nonsense", r"no usable database URL \(ArgumentError\)"),
        ("sqlite:////nowhere/at/all/x.db", "the database does not answer: unable to open database file"),
        # The drivers that our extras bring need not be named.
        (f"postgresql://u:secret@{NOBODY}/flocx", "the database does not answer: connection failed: .*"),
        (f"mysql://u:secret@{NOBODY}/flocx", r"the database does not answer: \(2003, .*\)"),
        (f"postgresql+psycopg://u:secret@{NOBODY}/flocx", "the database does not answer: connection failed: .*"),
        (f"mysql+pymysql://u:secret@{NOBODY}/flocx", r"the database does not answer: \(2003, .*\)"),
    ],
    ids=["none", "no URL", "sqlite", "postgresql alone", "mysql alone", "postgresql", "mysql"],
)
def test_a_database_that_cannot_be_used_is_told_without_its_password(tmp_path, url, told):
    line = refused("market-manage", tmp_path, {"database": {"connection": url}}, "db", "sync")
    assert re.fullmatch(rf"\[database\] connection: {told}", line)
    assert "secret" not in line


def test_a_file_that_is_no_database_is_told(tmp_path):
    (tmp_path / "x.db").write_text("no database, and longer than the head of one would be " * 20)
    line = refused("market-manage", tmp_path, {"database": {"connection": f"sqlite:///{tmp_path}/x.db"}}, "db", "sync")
    assert line == "[database] connection: the database cannot be used: file is not a database"


def test_requests_that_wait_must_leave_threads_for_others(tmp_path):
    told = refused("market-api", tmp_path, {**SQLITE, "api": {"threads": 4, "max_long_polls": 4}})
    assert told.startswith("[api] threads: 4 is not more than max_long_polls, 4")


def test_a_revision_there_is_not_is_told(tmp_path):
    sections = {"database": {"connection": f"sqlite:///{tmp_path}/x.db"}}
    told = refused("market-manage", tmp_path, sections, "db", "sync", "--revision", "nonsense")
    assert told == "revision: Can't locate revision identified by 'nonsense'"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"listen": "nonsense"}, "[manager] listen: 'nonsense': host:port is expected"),
        ({"listen": "127.0.0.1:99999"}, "[manager] listen: '127.0.0.1:99999': host:port is expected"),
        (
            {"listen": "127.0.0.1:7788", "workers": 2},
            "[manager] workers: 2 processes cannot share listen = 127.0.0.1:7788; 1, or an empty listen, is expected",
        ),
    ],
)
def test_what_no_worker_could_listen_on_is_told_once_by_the_command(tmp_path, options, told):
    assert refused("market-manager", tmp_path, {**SQLITE, "manager": options}) == told


def test_a_port_that_is_taken_is_told_once_by_the_command(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        told = refused("market-manager", tmp_path, {**SQLITE, "manager": {"listen": place}})
    assert told.startswith(f"listen: {place} cannot be listened on: ")
