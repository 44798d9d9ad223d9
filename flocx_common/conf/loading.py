# SPDX-License-Identifier: Apache-2.0
"""Reading a service's configuration: once, in a command or a WSGI module, and passed inward."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from oslo_config import cfg
from oslo_db import options as database_options
from oslo_log import log

from flocx_common.domain.errors import ConfigurationInvalid

#: Options by the group they are in.
OptionGroups = Sequence[tuple[cfg.OptGroup, Sequence[cfg.Opt]]]

# How oslo.config tells of a value; it leaves out the group.
_TOLD = re.compile(r"detail='(?P<where>[^']*)'\) is not valid: (?P<reason>.*)", re.DOTALL)

#: Chatty libraries: their own level says too much for a service's log.
_QUIET = [
    "sqlalchemy=WARN",
    "keystoneauth=WARN",
    # A Keystone or an Ironic that is away is told once by whoever needs it, not at each try.
    "keystoneauth.identity=ERROR",
    "ironicclient=CRITICAL",
    "urllib3=WARN",
    "stevedore=WARN",
    # What it logs with a traceback is told again, in a line, where it is dealt with.
    "oslo_db.sqlalchemy.exc_filters=CRITICAL",
    "oslo_middleware=WARN",
    "oslo_policy=WARN",
    "alembic=WARN",
]


def register_groups(conf: cfg.ConfigOpts, groups: OptionGroups) -> None:
    """Register options by group, and those of the database."""
    for group, options in groups:
        # A group keeps what is registered in it; one object must not serve two configurations.
        conf.register_opts(options, group=cfg.OptGroup(group.name, title=group.title))
    conf.register_opts(database_options.database_opts, group="database")


def load(
    service: str, register: Callable[[cfg.ConfigOpts], None], args: Sequence[str], *, command: str | None = None
) -> cfg.ConfigOpts:
    """Return the configuration of a service and set up logging by it.

    Without ``--config-file`` the files /etc/flocx/<service>.conf and the like
    are read, where oslo.config looks for them.

    :param register: registers the service's options.
    :param args: the command line, without the program's name.
    :raises ConfigurationInvalid: a file or an option cannot be used; all options
        that cannot are told.
    """
    conf = cfg.ConfigOpts()
    log.register_options(conf)
    log.set_defaults(default_log_levels=[*log.get_default_log_levels(), *_QUIET])
    register(conf)
    try:
        conf(
            args=list(args),
            project="flocx",
            prog=command or service,
            default_config_files=_default_files(service, args),
        )
        log.setup(conf, service)
    except (cfg.Error, log.LogConfigError) as error:
        raise ConfigurationInvalid(f"configuration: {' '.join(str(error).split())}") from None
    problems = list(_problems(conf))
    if problems:
        raise ConfigurationInvalid(f"configuration: {'; '.join(problems)}")
    return conf


def _problems(conf: cfg.ConfigOpts) -> Iterator[str]:
    """Yield what is wrong with values: left alone, oslo.config only says so when an option is first used."""
    for name in conf:
        try:
            value = conf[name]
        except cfg.Error as error:
            yield _about(name, error)
            continue
        if isinstance(value, cfg.ConfigOpts.GroupAttr):
            for option in value:
                try:
                    value[option]
                except cfg.Error as error:
                    yield _about(f"[{name}] {option}", error)


def _about(option: str, error: cfg.Error) -> str:
    told = _TOLD.search(str(error))
    text = f"{told['where']}: {option}: {told['reason']}" if told else f"{option}: {error}"
    return " ".join(text.split())


def _default_files(service: str, args: Sequence[str]) -> list[str]:
    if any(arg.startswith("--config-file") for arg in args):
        return []
    return cfg.find_config_files(project="flocx", prog=service)
