# SPDX-License-Identifier: Apache-2.0
"""The distribution: built from files alone, installed elsewhere, run from an empty directory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import requests

from flocx_common.testing.databases import empty_database
from tests.e2e.deployment import await_that, free_ports

CHECKOUT = Path(__file__).resolve().parent.parent.parent

#: What an archive of the sources leaves out: version control, and what was made from the sources.
LEFT_OUT = (".git", ".venv", ".tox", ".quickstart", "build", "dist", "*.egg-info", "__pycache__", ".*_cache")


def _run(*command, cwd, status=0, **environment):
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        # Nothing of the checkout is in the way of what is installed.
        env={**{name: value for name, value in os.environ.items() if name != "PYTHONPATH"}, **environment},
    )
    assert done.returncode == status, f"{command}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from an unpacked archive, where there is no git."""
    archive = tmp_path_factory.mktemp("archive") / "flocx"
    shutil.copytree(CHECKOUT, archive, ignore=shutil.ignore_patterns(*LEFT_OUT))
    out = tmp_path_factory.mktemp("dist")
    # The source archive first, and the wheel from that: what people do who package it.
    _run(sys.executable, "-m", "build", "--outdir", out, archive, cwd=out, PATH="/nowhere")
    [found] = out.glob("*.whl")
    assert list(out.glob("*.tar.gz")), "no source archive"
    return found


def _environment(directory, wheel, extras):
    venv.create(directory, with_pip=True)
    python = directory / "bin" / "python"
    _run(python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", f"{wheel}{extras}", cwd=directory)
    return directory / "bin"


@pytest.fixture(scope="module")
def base(wheel, tmp_path_factory):
    """An environment with the base alone."""
    return _environment(tmp_path_factory.mktemp("base"), wheel, "")


@pytest.fixture(scope="module")
def services(wheel, tmp_path_factory):
    """An environment with both services."""
    return _environment(tmp_path_factory.mktemp("services"), wheel, "[market,provider]")


def test_the_base_alone_has_the_filter_and_the_client(base, tmp_path):
    code = (
        "import nova_filters.decision, flocx_client.market, flocx_client.provider, sys;"
        "print(sorted(name for name in sys.modules if name.startswith(('sqlalchemy', 'pecan', 'oslo_db'))))"
    )
    assert _run(base / "python", "-c", code, cwd=tmp_path).stdout.strip() == "[]"


@pytest.mark.parametrize("command", ["market-api", "market-manager", "market-manage", "market-clear"])
def test_a_command_without_its_extra_says_in_one_line_which_it_is(base, command, tmp_path):
    done = _run(base / f"flocx-{command}", "--help", cwd=tmp_path, status=1)
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert "pip install 'flocx[market]'" in line


def test_the_provider_without_its_extra_says_so_too(base, tmp_path):
    [line] = _run(base / "flocx-provider-api", "--help", cwd=tmp_path, status=1).stderr.splitlines()
    assert "pip install 'flocx[provider]'" in line


@pytest.mark.parametrize(
    ("kind", "extra"), [("postgresql", "postgresql"), ("postgresql+psycopg", "postgresql"), ("mysql+pymysql", "mysql")]
)
def test_a_missing_database_driver_is_one_line_that_names_the_extra(services, kind, extra, tmp_path):
    (tmp_path / "market.conf").write_text(f"[database]\nconnection = {kind}://nobody@127.0.0.1/flocx\n")
    done = _run(services / "flocx-market-manage", "--config-file", "market.conf", "db", "sync", cwd=tmp_path, status=1)
    [line] = done.stderr.splitlines()
    assert f"pip install 'flocx[{extra}]'" in line


@pytest.mark.parametrize("service", ["market", "provider"])
def test_migrations_work_from_the_wheel_in_an_empty_directory(services, service, tmp_path):
    (tmp_path / "service.conf").write_text(f"[database]\nconnection = sqlite:///{tmp_path}/service.sqlite\n")
    manage = (services / f"flocx-{service}-manage", "--config-file", "service.conf", "db")
    assert "ready: no" in _run(*manage, "check", cwd=tmp_path, status=1).stdout
    _run(*manage, "sync", cwd=tmp_path)
    _run(*manage, "check", cwd=tmp_path)
    revision, newest = (line.partition(": ")[2] for line in _run(*manage, "version", cwd=tmp_path).stdout.splitlines())
    assert revision == newest != "-"


def test_a_market_runs_from_the_wheel(services, tmp_path):
    port, manager_port = free_ports(2)
    with empty_database("sqlite", "wheel", tmp_path) as url:
        (tmp_path / "market.conf").write_text(
            f"[database]\nconnection = {url}\n[api]\nport = {port}\nauth_strategy = noauth\n"
            f"drain_seconds = 0\n[manager]\nlisten = 127.0.0.1:{manager_port}\n"
        )
        _run(services / "flocx-market-manage", "--config-file", "market.conf", "db", "sync", cwd=tmp_path)
        market = f"http://127.0.0.1:{port}"
        running = [
            subprocess.Popen([str(services / f"flocx-market-{part}"), "--config-file", "market.conf"], cwd=tmp_path)
            for part in ("api", "manager")
        ]

        def ready():
            assert [process.poll() for process in running] == [None, None]
            # Of both: a manager that has not got as far as its signal handlers is ended by a signal.
            try:
                return all(requests.get(f"http://127.0.0.1:{its}/readyz", timeout=5).ok for its in (port, manager_port))
            except requests.ConnectionError:
                return False

        try:
            await_that(ready, "the market is ready")
            answer = requests.post(f"{market}/v1/bids", json={"limit_price": "1", "duration": 3600}, timeout=10)
            assert answer.status_code == 201, answer.text
            explained = requests.get(f"{market}/v1/bids/{answer.json()['uuid']}/explanation", timeout=10)
            assert explained.status_code == 200
        finally:
            for process in running:
                process.terminate()
            assert [process.wait(30) for process in running] == [0, 0]
