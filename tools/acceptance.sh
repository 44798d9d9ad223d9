#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# FLOCX on real OpenStack services on this machine, and its story and mishaps played there.
# See: tools/acceptance.sh --help
set -euo pipefail
# shellcheck source=tools/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
ensure_environment market,provider,openstack,cli,postgresql,mysql
PYTHONPATH="$FLOCX_CHECKOUT/tools" exec "$FLOCX_CHECKOUT/.venv/bin/python" -m acceptance "$@"
