# SPDX-License-Identifier: Apache-2.0
"""What drivers keep in the provider's own database, and what it means when that does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flocx_common.domain.errors import Unavailable
from flocx_provider.ports.inventory import InventoryUnavailable


@contextmanager
def kept() -> Iterator[None]:
    """Say in the port's words that the provider's own database does not answer.

    :raises InventoryUnavailable: it does not.
    """
    try:
        yield
    except Unavailable as error:
        raise InventoryUnavailable(f"inventory: {error.detail}") from error
