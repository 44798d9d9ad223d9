# SPDX-License-Identifier: Apache-2.0
"""The filter of FLOCX where Nova can import it: installed without extras, beside Nova's own environment."""

from __future__ import annotations

import shutil
from pathlib import Path

from acceptance.environments import Environments
from acceptance.services.nova import Filter
from acceptance.site import Site

_CLASS = "nova_filters.contract_filter.FlocxContractFilter"
#: What the base package is built of.
_SOURCES = ("setup.cfg", "pyproject.toml", "README.rst", "LICENSE", "MANIFEST.in", "alembic")


def flocx_filter(site: Site, environments: Environments, checkout: Path) -> Filter:
    """Install the checkout for Nova, and return the filter in it."""
    # A build writes into what it builds from, which is not ours to write into.
    source, target = site.state / "flocx-source", site.state / "flocx-for-nova"
    for name in (*_SOURCES, *(path.parent.name for path in checkout.glob("*/py.typed"))):
        path = checkout / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            source.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, source)
    environments.install(source, target)
    return Filter(path=_CLASS, python_path=str(target), options={})
