# SPDX-License-Identifier: Apache-2.0
"""What ends a run before its checks can."""

from __future__ import annotations


class CannotRun(Exception):
    """Something the run needs is missing, does not start or has ended; the text says what, and what to do."""
