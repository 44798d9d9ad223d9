# SPDX-License-Identifier: Apache-2.0
"""Keeps secrets of the command line out of what ``--debug`` and ``--log-file`` show.

The shell logs its command line and masks the secrets in it, but may take the
wrong word for one: of ``--os-password x --os-username y`` it has been seen to
mask the second, and of ``--os-password x flocx bid list`` the word ``flocx``.
"""

from __future__ import annotations

import logging
import re

# Up to the next option: a secret may hold spaces.
_SECRET = re.compile(r"(--os-(?:[a-z0-9-]*-)?(?:password|secret|token|passcode|key)[ =]).*?(?= --|$)")


class _Masking(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the secrets of a command line, and let it through."""
        if isinstance(record.args, tuple) and str(record.msg).startswith("START with options"):
            record.args = tuple(_SECRET.sub(r"\1***", arg) if isinstance(arg, str) else arg for arg in record.args)
        return True


def mask_command_line() -> None:
    """Mask the secrets of the command lines that the shell logs from now on; again is harmless."""
    logger = logging.getLogger("osc_lib.shell")
    if not any(isinstance(one, _Masking) for one in logger.filters):
        logger.addFilter(_Masking())
