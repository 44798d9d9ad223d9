# SPDX-License-Identifier: Apache-2.0
"""flocx-market-manager: clear the market and look after contracts."""

from __future__ import annotations

import sys
from functools import partial

from flocx_common.extras import needs_extra


@needs_extra("market")
def main() -> int:
    """Run the manager until SIGTERM."""
    from flocx_common.api.server import check_listen  # noqa: PLC0415
    from flocx_common.manager.service import run_manager  # noqa: PLC0415
    from flocx_market import bootstrap  # noqa: PLC0415

    args = sys.argv[1:]
    conf = bootstrap.configuration(args, command="flocx-market-manager")
    # What is wrong with the configuration is said here, once, and not by
    # worker after worker.
    bootstrap.settings(conf)
    bootstrap.database(conf)
    check_listen(conf.manager.listen, conf.manager.workers)
    run_manager(
        partial(bootstrap.build_manager, args), workers=conf.manager.workers, stop_timeout=conf.manager.stop_timeout
    )
    return 0
