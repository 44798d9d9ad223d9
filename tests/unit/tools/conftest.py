# SPDX-License-Identifier: Apache-2.0
"""Makes the acceptance run importable, as tools/acceptance.sh does."""

from __future__ import annotations

import sys
from pathlib import Path

_TOOLS = str(Path(__file__).parents[3] / "tools")

if _TOOLS not in sys.path:
    sys.path.append(_TOOLS)
