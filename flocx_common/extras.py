# SPDX-License-Identifier: Apache-2.0
"""One line instead of a traceback when an optional part is not installed."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import NoReturn, ParamSpec, TypeVar

from flocx_common.domain.errors import FlocxError

P = ParamSpec("P")
R = TypeVar("R")

_OURS = ("flocx_", "nova_filters")


def missing_extra(what: str, module: str | None, extra: str) -> str:
    """Return the sentence that names the extra ``what`` needs."""
    return f"{what} needs {module or 'a package'}, which is not installed: pip install 'flocx[{extra}]'"


def needs_extra(extra: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a command exit with one line that names ``extra`` when a third-party module is missing.

    The command imports what it needs inside its body, so that the module that
    defines it always loads. A refusal, such as a configuration that cannot be
    used, ends it with one line, too.
    """

    def decorate(command: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(command)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return command(*args, **kwargs)
            except ModuleNotFoundError as error:
                if error.name is None or error.name.startswith(_OURS):
                    raise
                fail(missing_extra(_program(), error.name, extra))
            except FlocxError as error:
                fail(error.detail)

        return guarded

    return decorate


def fail(message: str, status: int = 1) -> NoReturn:
    """End the program with a message on standard error."""
    sys.stderr.write(f"{_program()}: {message}\n")
    raise SystemExit(status)


def _program() -> str:
    return sys.argv[0].rpartition("/")[2] if sys.argv and sys.argv[0] else "flocx"
