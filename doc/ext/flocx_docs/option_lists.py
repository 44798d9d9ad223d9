# SPDX-License-Identifier: Apache-2.0
"""The options of a service, by group, as its own ``list_opts`` declares them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from oslo_config import cfg
from oslo_db import options as database_options

from flocx_docs.rst import definition, escaped, heading, literal
from flocx_market.conf import opts as market_opts
from flocx_provider.conf import opts as provider_opts

SERVICES = {"market": market_opts, "provider": provider_opts}


def groups(service: str) -> list[tuple[str, str, Sequence[cfg.Opt]]]:
    """Return (name, title, options) of every group a service registers."""
    module = SERVICES[service]
    conf = cfg.ConfigOpts()
    module.register(conf)
    listed = [*module.list_opts(), ("database", database_options.database_opts)]
    titles = {name: group.title or name for name, group in conf._groups.items()}  # noqa: SLF001 - told nowhere else
    return [(name, titles[name], options) for name, options in listed]


def page(service: str) -> str:
    """Return every option of a service."""
    parts = []
    for name, title, options in groups(service):
        parts += [heading(f"[{name}]", "-"), f"{title.strip().rstrip('.')}.\n"]
        parts += [
            definition(literal(option.dest), [escaped(" ".join((option.help or "").split())), *_facts(option)])
            for option in options
        ]
    return "\n".join(parts)


def _facts(option: cfg.Opt) -> list[str]:
    kind = type(option).__name__.removesuffix("Opt").lower()
    words = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false", "uri": "URL"}
    words |= {
        "dict": "key:value pairs with commas between",
        "list": "texts with commas between",
        "port": "port",
        "hostaddress": "host or address",
    }
    facts = [f"Type: {words.get(kind, kind)}{_bounds(option)}. Default: {_default(option)}."]
    choices = getattr(option.type, "choices", None)
    if choices:
        told = [
            f"{literal(value)}" + (f" ({escaped(meaning)})" if meaning else "") for value, meaning in choices.items()
        ]
        facts.append(f"One of {'; '.join(told)}.")
    return facts


def _bounds(option: cfg.Opt) -> str:
    low, high = getattr(option.type, "min", None), getattr(option.type, "max", None)
    if isinstance(option, cfg.PortOpt) or (low is None and high is None):
        return ""
    return f" from {low} to {high}" if high is not None else f" of at least {low}"


def _default(option: cfg.Opt) -> str:
    shown: Any = option.sample_default if option.sample_default is not None else option.default
    match shown:
        case None:
            return "none"
        case bool():
            return literal(str(shown).lower())
        case list():
            return ", ".join(literal(item) for item in shown) or "(empty)"
        case dict():
            return ", ".join(literal(f"{key}:{value}") for key, value in shown.items()) or "(empty)"
    return literal(shown)
