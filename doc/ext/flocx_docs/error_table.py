# SPDX-License-Identifier: Apache-2.0
"""Every stable error code, from the tree of error classes and from the refusals without a class."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import flocx_common
import flocx_market
import flocx_provider
from flocx_common.api.errors import CODES, status_of
from flocx_common.domain.errors import ConfigurationInvalid, FlocxError
from flocx_docs.rst import escaped, literal, table

_UNPUBLISHED = ("wsgi", "testing", "cmd")


def classes() -> list[type[FlocxError]]:
    """Return every error class that has a code of its own."""
    for package in (flocx_common, flocx_market, flocx_provider):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            # A WSGI module reads its configuration when it is imported.
            if not set(module.name.split(".")) & set(_UNPUBLISHED):
                importlib.import_module(module.name)
    return sorted((one for one in _below(FlocxError) if "code" in vars(one)), key=lambda one: one.code)


def codes() -> set[str]:
    """Return every code there is."""
    return {one.code for one in classes()} | set(CODES.values())


def page() -> str:
    """Return the table of codes with their HTTP status and meaning."""
    rows = {
        one.code: [literal(one.code), _status(one), escaped(" ".join((one.__doc__ or "").split("\n\n")[0].split()))]
        for one in classes()
    }
    for status, code in CODES.items():
        rows.setdefault(code, [literal(code), str(int(status)), f"{status.description or status.phrase}."])
    return table(["Code", "Status", "Meaning"], [rows[code] for code in sorted(rows)], [36, 10, 54])


def _below(kind: type[FlocxError]) -> Iterator[type[FlocxError]]:
    yield kind
    for one in kind.__subclasses__():
        yield from _below(one)


def _status(kind: type[FlocxError]) -> str:
    # How a class is answered depends on the class alone.
    if issubclass(kind, ConfigurationInvalid) or kind is FlocxError:
        return "none"
    return str(int(status_of(kind.__new__(kind))))
