# SPDX-License-Identifier: Apache-2.0
"""Importing this keeps eventlet out of the process, for services that run on native threads.

Libraries that can do either import eventlet wherever they find it, and it may
well be installed beside us. Never imported from the client or the Nova filter:
in those processes the choice is not ours.
"""

from __future__ import annotations

import sys

# None makes any import of it fail as if it were not installed.
sys.modules.setdefault("eventlet", None)  # type: ignore[arg-type]
