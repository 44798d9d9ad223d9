# SPDX-License-Identifier: Apache-2.0
"""What the distribution holds is what the tree holds."""

from __future__ import annotations

import configparser
import subprocess
import sys

from tests.data import CHECKOUT

TOP = ("flocx_client", "flocx_common", "flocx_market", "flocx_provider", "nova_filters")
MIGRATIONS = {"flocx_migrations_market": "alembic/market", "flocx_migrations_provider": "alembic/provider"}


def _setup():
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(CHECKOUT / "setup.cfg")
    return setup


def _listed(setup, section, option):
    return setup[section][option].split()


def _tree():
    for top in TOP:
        for path in (CHECKOUT / top).rglob("__init__.py"):
            yield ".".join(path.parent.relative_to(CHECKOUT).parts)
    for name, directory in MIGRATIONS.items():
        yield name
        yield f"{name}.versions"
        assert (CHECKOUT / directory / "versions" / "__init__.py").exists()


def test_every_package_of_the_tree_is_packaged_and_no_other():
    listed = _listed(_setup(), "options", "packages")
    assert listed == sorted(_tree())


def test_every_python_file_is_in_a_package():
    for top in TOP:
        for path in (CHECKOUT / top).rglob("*.py"):
            assert (path.parent / "__init__.py").exists(), path


def test_there_is_no_package_that_hides_the_alembic_library():
    assert not (CHECKOUT / "alembic" / "__init__.py").exists()


def test_the_base_requires_only_what_other_peoples_environments_have():
    lines = _setup()["options"]["install_requires"].split()
    assert sorted(line.partition(">")[0] for line in lines) == ["keystoneauth1", "openstacksdk"]


def test_every_extra_that_people_know_is_there():
    extras = set(_setup()["options.extras_require"])
    assert extras >= {
        "market", "provider", "dashboard", "cli", "postgresql", "mysql", "openstack", "optimal", "simulate", "test", "docs"
    }  # fmt: skip


def test_every_entry_point_loads():
    setup = _setup()["options.entry_points"]
    code = "from importlib.metadata import EntryPoint\n" + "".join(
        f"EntryPoint({name.strip()!r}, {value.strip()!r}, {group!r}).load()\n"
        for group, lines in setup.items()
        for name, _, value in [line.partition("=") for line in lines.strip().splitlines()]
    )
    # In a process of its own: some entry points set up what tests must not share.
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=CHECKOUT)
    assert done.returncode == 0, done.stderr
