# SPDX-License-Identifier: Apache-2.0
"""The optimal clearing engine: the greatest total surplus, as near as the effort allows."""

from __future__ import annotations

from flocx_market.domain.optimal.engine import clear

__all__ = ["clear"]
