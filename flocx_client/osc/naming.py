# SPDX-License-Identifier: Apache-2.0
"""Finding things by name or UUID, as people name them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from flocx_client.entity import Entity
from flocx_client.errors import Ambiguous

E = TypeVar("E", bound=Entity)


def found(
    name_or_uuid: str, find: Callable[[str], E], listed: Callable[..., Iterator[E]], living: Sequence[str], **query: Any
) -> E:
    """Return the thing of a UUID or name.

    A name that several have means the one of them that is not over.

    :param living: the statuses of those that are not.
    :raises NothingFound: there is none.
    :raises Ambiguous: several have the name and are not over, or all are.
    """
    try:
        return find(name_or_uuid)
    except Ambiguous:
        alive = list(islice(listed(name=name_or_uuid, status=f"in:{','.join(living)}", limit=2, **query), 2))
        if len(alive) != 1:
            raise
        return alive[0]
