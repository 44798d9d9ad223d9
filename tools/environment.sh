# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by the other scripts: sets up .venv in the checkout and finds it again.

# The checkout this script is in, wherever it was called from.
FLOCX_CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Print a Python of version 3.11 or later that can make virtual environments, or fail with one line.
find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
        # Debian has ensurepip, without which there is no venv, in a package of its own.
        if [ -n "$candidate" ] &&
            "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.11 or later with venv (Debian: python3-venv) is needed; set PYTHON to where it is" >&2
    return 1
}

# Install the checkout with extras into .venv; quick when nothing has changed.
# usage: ensure_environment EXTRAS
ensure_environment() {
    local extras=$1 python stamp wanted
    stamp="$FLOCX_CHECKOUT/.venv/.installed-${extras//,/-}"
    wanted=$(cd "$FLOCX_CHECKOUT" && { pwd; cat setup.cfg pyproject.toml; } | cksum)
    if [ -x "$FLOCX_CHECKOUT/.venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        return
    fi
    python=$(find_python)
    echo "setting up $FLOCX_CHECKOUT/.venv with flocx[$extras]; the first time takes a minute or two" >&2
    [ -x "$FLOCX_CHECKOUT/.venv/bin/pip" ] || "$python" -m venv "$FLOCX_CHECKOUT/.venv"
    "$FLOCX_CHECKOUT/.venv/bin/python" -m pip install -qq --disable-pip-version-check \
        --editable "${FLOCX_CHECKOUT}[$extras]"
    echo "$wanted" >"$stamp"
}
