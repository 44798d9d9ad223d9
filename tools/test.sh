#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every check of the project: layers, style, types, tests with branch coverage.
# See: tools/test.sh --help
set -euo pipefail
# shellcheck source=tools/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

case ${1:-} in
    -h | --help)
        cat <<'TEXT'
usage: tools/test.sh [--help] [PYTEST-ARGUMENT ...]

Sets up .venv in the checkout and runs every check there. With arguments, only
pytest runs, with these arguments; for example
  tools/test.sh tests/unit -k window

Tests that need PostgreSQL or MariaDB skip, saying so, when none is on loopback
(tools/services.sh brings them up). Environment:
  FLOCX_TEST_REQUIRE_DATABASES=1  such a skip is a failure
  FLOCX_TEST_POSTGRESQL=URL       another server, as a user who may create databases
  FLOCX_TEST_MARIADB=URL          the same
  FLOCX_TEST_PROFILE=thorough     twenty times the random examples
TEXT
        exit
        ;;
esac

ensure_environment test
cd "$FLOCX_CHECKOUT"
export PATH="$FLOCX_CHECKOUT/.venv/bin:$PATH"

if [ $# -gt 0 ]; then
    exec python -m pytest "$@"
fi

step() {
    echo
    echo "== $*"
}

failed=()
check() {
    local name=$1
    shift
    step "$name"
    "$@" || failed+=("$name")
}

check "layers" lint-imports --config setup.cfg
check "style" ruff check --quiet .
check "format" ruff format --quiet --check .
check "types" mypy
if [ ${#failed[@]} -eq 0 ]; then
    rm -f .coverage .coverage.*
    check "tests" python -m pytest --numprocesses 2 --dist worksteal --cov --cov-report= tests
    check "branch coverage" coverage report --fail-under 90
fi

echo
if [ ${#failed[@]} -gt 0 ]; then
    echo "failed: ${failed[*]}" >&2
    exit 1
fi
echo "everything passed"
