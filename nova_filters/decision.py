# SPDX-License-Identifier: Apache-2.0
"""The rule the filter applies to each node: the same that the provider answers by."""

from __future__ import annotations

from flocx_common.domain.access import Access, decide_access

__all__ = ["Access", "decide_access"]
