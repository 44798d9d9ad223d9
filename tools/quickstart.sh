#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A whole market on this machine, and the story of its main job played on it.
# See: tools/quickstart.sh --help
set -euo pipefail
# shellcheck source=tools/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
ensure_environment market,provider,cli
PYTHONPATH="$FLOCX_CHECKOUT/tools" exec "$FLOCX_CHECKOUT/.venv/bin/python" -m quickstart "$@"
