# SPDX-License-Identifier: Apache-2.0
"""flocx-market-manage: look after the market's database."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from flocx_common.extras import needs_extra


@needs_extra("market")
def main(args: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    :param args: the command line without the program's name; None for the process's own.
    """
    from oslo_config import cfg  # noqa: PLC0415

    from flocx_common.conf.loading import load  # noqa: PLC0415
    from flocx_common.manage import add_db_commands, run_command  # noqa: PLC0415
    from flocx_market import bootstrap  # noqa: PLC0415
    from flocx_market.conf import opts  # noqa: PLC0415

    def add_parsers(subparsers: Any) -> None:
        add_db_commands(subparsers, bootstrap.migrations)

    def register(conf: cfg.ConfigOpts) -> None:
        opts.register(conf)
        # Standard output is for the result alone.
        conf.set_default("use_stderr", True)
        conf.register_cli_opt(cfg.SubCommandOpt("command", title="commands", handler=add_parsers))

    given = sys.argv[1:] if args is None else args
    return run_command(load(bootstrap.SERVICE, register, given, command="flocx-market-manage"))
