# SPDX-License-Identifier: Apache-2.0
"""Looking at the provider's own copy of contracts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from flocx_common.domain.errors import ContractNotFound
from flocx_common.domain.paging import ListQuery, Page
from flocx_provider.domain.allocation import Allocation, Contract
from flocx_provider.ports.store import Store, UnitOfWork

#: Looks at a contract and its allocations and raises to refuse.
Guard = Callable[[Contract, Sequence[Allocation]], None]


def list_contracts(
    query: ListQuery, project_id: str | None, *, store: Store
) -> tuple[Page[Contract], Mapping[str, Sequence[Allocation]]]:
    """Return a page of the contracts a project is lessee or owner in, or of all for None, with their allocations."""

    def work(uow: UnitOfWork) -> tuple[Page[Contract], Mapping[str, Sequence[Allocation]]]:
        page = uow.contracts.page(query, project_id)
        of: dict[str, list[Allocation]] = defaultdict(list)
        for allocation in uow.allocations.of_contracts([contract.uuid for contract in page.items]):
            of[allocation.contract_uuid].append(allocation)
        return page, of

    return store.read(work)


def get_contract(uuid: str, *, guard: Guard, store: Store) -> tuple[Contract, Sequence[Allocation]]:
    """Return a contract with its allocations on this provider's nodes.

    :raises ContractNotFound: there is none, or ``guard`` hides it.
    """

    def work(uow: UnitOfWork) -> tuple[Contract, Sequence[Allocation]]:
        contract = uow.contracts.get(uuid)
        if contract is None:
            raise ContractNotFound(f"contract: there is no contract {uuid!r}", field="uuid")
        allocations = uow.allocations.of_contracts([uuid])
        guard(contract, allocations)
        return contract, allocations

    return store.read(work)
