# SPDX-License-Identifier: Apache-2.0
"""A provider whose machines are those of a real testbed, described as that testbed describes them."""

import json

from tests.builders import NOW, at
from tests.data import CHAMELEON_OPTIONS, chameleon
from tests.functional.provider.conftest import Room
from tests.harness import ProviderHarness


def test_every_machine_of_a_real_testbed_can_be_offered(tmp_path, market, sqlite_provider, clock):
    documents = [json.loads(line) for line in chameleon().read_text().splitlines()]
    options = CHAMELEON_OPTIONS | {"owner_map": "tacc:owner-a,uc:owner-b"}
    provider = ProviderHarness(
        tmp_path, sqlite_provider.renew(), sqlite_provider.url, clock, market, documents, static=options
    )
    room = Room(market, provider, clock)
    for document in documents:
        owner = {"tacc": "owner-a", "uc": "owner-b"}[document["site"]]
        room.offer(owner, node_uuid=document["uid"], start_time=NOW.isoformat(), end_time=at(9).isoformat())
    room.work()
    published = list(market.client("consumer-a").offers(status="available", limit=100))
    assert len(published) == len(documents) == 445
    assert {offer["node_uuid"] for offer in published} == {document["uid"] for document in documents}
