# SPDX-License-Identifier: Apache-2.0
"""Options of the managers."""

from __future__ import annotations

from oslo_config import cfg

GROUP = cfg.OptGroup("manager", title="The manager")


def manager_opts(port: int) -> list[cfg.Opt]:
    """Return the options both managers have; ``port`` is the default of the health endpoints."""
    return [
        cfg.StrOpt(
            "listen",
            default=f"127.0.0.1:{port}",
            help="host:port of /healthcheck, /readyz and /metrics of the manager; empty for none.",
        ),
        cfg.FloatOpt(
            "wake_interval",
            default=0.2,
            min=0,
            help="Seconds between looks at the change counter, which wake the jobs that depend on changes; 0 leaves "
            "only the periodic runs.",
        ),
        cfg.IntOpt(
            "workers",
            default=1,
            min=1,
            help="Manager processes of this command. More than one only helps against a crash of one; with listen "
            "set, one is the most.",
        ),
        cfg.FloatOpt(
            "stop_timeout",
            default=30,
            min=1,
            help="Seconds the work in hand may take after SIGTERM. What does not finish is done again.",
        ),
    ]


def interval(name: str, default: float, what: str) -> cfg.Opt:
    """Return the option for the seconds between periodic runs of a job; 0 turns the job off."""
    return cfg.FloatOpt(
        name,
        default=default,
        min=0,
        help=f"Seconds between periodic runs of the job that {what}; 0 = off. Wake-ups on change come besides.",
    )
