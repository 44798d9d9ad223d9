# SPDX-License-Identifier: Apache-2.0
"""flocx-provider-manager: publish offers, pull contracts, hand nodes over and take them back."""

from __future__ import annotations

import sys
from functools import partial

from flocx_common.extras import needs_extra


@needs_extra("provider")
def main() -> int:
    """Run the manager until SIGTERM."""
    from flocx_common.api.server import check_listen  # noqa: PLC0415
    from flocx_common.manager.service import run_manager  # noqa: PLC0415
    from flocx_provider import bootstrap  # noqa: PLC0415

    args = sys.argv[1:]
    conf = bootstrap.configuration(args, command="flocx-provider-manager")
    # What is wrong with the configuration is said here, once, and not by
    # worker after worker.
    bootstrap.inventory(conf, bootstrap.database(conf), bootstrap.directory(conf))
    bootstrap.market(conf)
    check_listen(conf.manager.listen, conf.manager.workers)
    run_manager(
        partial(bootstrap.build_manager, args), workers=conf.manager.workers, stop_timeout=conf.manager.stop_timeout
    )
    return 0
