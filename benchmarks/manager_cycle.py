# SPDX-License-Identifier: Apache-2.0
"""How long a manager's rounds take on a database, and how many statements they make.

Two books in the API's JSON, one entity a line, are loaded in bulk into a
database of their own, which is made for this and dropped afterwards. Then a
manager holds four rounds: the *first* of its process, for which everything is
read, with some bids open; one with *new* bids; one with a single *late* bid; and
one with *nothing* new. *read* is what is read of the database, *intern* sorts
hardware documents into classes, *decide* is all the rest but *write*, which makes
the contracts.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from flocx_common.db.engine import create_engine
from flocx_common.db.migration import Migrations
from flocx_common.db.rows import insert_many
from flocx_common.db.transactions import Database
from flocx_common.domain.events import Event
from flocx_common.domain.json_values import digest
from flocx_common.testing.databases import KINDS, empty_database, unavailable
from flocx_market import bootstrap
from flocx_market.db import models
from flocx_market.db.store import MarketStore
from flocx_market.domain.hardware_classes import HardwareClasses
from flocx_market.ports.store import UnitOfWork
from flocx_market.services.clearing import run_round
from flocx_market.services.standing import StandingMarket

_LOADED = 1000
T = TypeVar("T")


def entities(path: Path, most: int | None) -> Iterator[dict[str, Any]]:
    """Yield the entities of a book, at most so many."""
    with path.open(encoding="utf-8") as lines:
        for line in islice(lines, most):
            yield json.loads(line)


def batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield entities in batches to load."""
    while batch := list(islice(rows, _LOADED)):
        yield batch


def load(database: Database, offers: Iterator[dict[str, Any]], now: datetime) -> None:
    """Put offers, with their providers, nodes and documents, into an empty market."""
    for batch in batches(offers):
        database.write(lambda connection, batch=batch: _load_offers(connection, batch, now))


def place(store: MarketStore, bids: Sequence[dict[str, Any]], now: datetime) -> None:
    """Place bids, with the events that tell of them."""

    def work(uow: Any) -> None:
        insert_many(uow.connection, models.bids, list(map(_bid, bids)))
        for bid in bids:
            told = {"entity_uuid": bid["uuid"], "project_ids": frozenset({bid["project_id"]}), "occurred_at": now}
            uow.record(Event(event_type="bid.placed", **told))

    store.write(work)


def _load_offers(connection: sa.Connection, batch: Sequence[Mapping[str, Any]], now: datetime) -> None:
    known = set(connection.execute(sa.select(models.providers.c.uuid)).scalars())
    stamps = {"created_at": now, "updated_at": now, "generation": 0}
    new = sorted({entity["provider_uuid"] for entity in batch} - known)
    providers = [
        {
            "uuid": uuid,
            "name": uuid,
            "service_user_id": uuid,
            "turnaround": 0,
            "last_heartbeat_at": now,
            "silent": False,
            "request_digest": "",
            "removal": "",
            **stamps,
        }
        for uuid in new
    ]
    insert_many(connection, models.providers, providers)
    digests = [digest(entity["properties"]) for entity in batch]
    documents = {key: entity["properties"] for key, entity in zip(digests, batch, strict=True)}
    column = models.hardware_documents.c.digest
    there = set(connection.execute(sa.select(column).where(column.in_(sorted(documents)))).scalars())
    rows = [{"digest": key, "document": document} for key, document in documents.items() if key not in there]
    insert_many(connection, models.hardware_documents, rows)
    insert_many(connection, models.nodes, [{"node_uuid": entity["node_uuid"], "generation": 0} for entity in batch])
    rows = [{"properties_digest": key} | _offer(entity) | stamps for key, entity in zip(digests, batch, strict=True)]
    insert_many(connection, models.offers, rows)


def _offer(entity: Mapping[str, Any]) -> dict[str, Any]:
    plain = ("uuid", "name", "provider_uuid", "owner_project_id", "resource_type", "node_uuid", "node_name")
    return {
        **{field: entity[field] for field in (*plain, "resource_class", "min_duration", "lessee_project_ids")},
        "start_time": datetime.fromisoformat(entity["start_time"]),
        "end_time": None if entity["end_time"] is None else datetime.fromisoformat(entity["end_time"]),
        "reserve_price": Decimal(entity["reserve_price"]),
        "status": "available",
    }


def _bid(entity: Mapping[str, Any]) -> dict[str, Any]:
    plain = ("uuid", "name", "project_id", "requirements", "quantity", "duration", "spread", "offer_uuids")
    placed = datetime.fromisoformat(entity["created_at"])
    return {
        **{field: entity[field] for field in plain},
        "together": None if entity["together"] is None else entity["together"]["by"],
        "start_time": datetime.fromisoformat(entity["start_time"]),
        "end_time": datetime.fromisoformat(entity["end_time"]),
        "limit_price": Decimal(entity["limit_price"]),
        "status": "open",
        "request_digest": "",
        "created_at": placed,
        "updated_at": placed,
        "generation": 0,
    }


class MeteredStore:
    """A store that knows how long was read and written, and in how many statements."""

    def __init__(self, store: MarketStore) -> None:
        self._store = store
        self._count = 0
        self.start()
        # One for all rounds: a listener stays for good.
        sa.event.listen(store.database.engine, "before_cursor_execute", self._counted)

    def start(self) -> None:
        """Begin to count anew."""
        self.seconds = {"read": 0.0, "write": 0.0}
        self.statements = {"read": 0, "write": 0}

    def _counted(self, *_: object) -> None:
        self._count += 1

    def read(self, work: Callable[[UnitOfWork], T]) -> T:
        """Read, timed."""
        return self._timed("read", lambda: self._store.read(work))

    def write(self, work: Callable[[UnitOfWork], T], **more: int) -> T:
        """Write, timed."""
        return self._timed("write", lambda: self._store.write(work, **more))

    def _timed(self, what: str, call: Callable[[], T]) -> T:
        began, counted = time.perf_counter(), self._count
        try:
            return call()
        finally:
            self.seconds[what] += time.perf_counter() - began
            self.statements[what] += self._count - counted


class TimedClasses(HardwareClasses):
    """Hardware classes that know how long they took."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self.added = 0

    def add(self, key: str, document: Mapping[str, Any]) -> None:
        """Add a document, timed."""
        began = time.perf_counter()
        super().add(key, document)
        self.seconds += time.perf_counter() - began
        self.added += 1


def rounds(
    store: MarketStore, bids: Mapping[str, Sequence[dict[str, Any]]], pricing: str | None, now: datetime
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Hold a round for each of these groups of bids and yield what was measured."""
    classes = TimedClasses()
    conf = bootstrap.configuration([])
    if pricing is not None:
        conf.set_override("pricing", pricing, "clearing")
    settings = bootstrap.settings(conf)
    standing, metered = StandingMarket(settings, classes), MeteredStore(store)
    for name, new in bids.items():
        place(store, new, now)
        metered.start()
        interned, added = classes.seconds, classes.added
        began, worked = time.perf_counter(), time.process_time()
        report = run_round(store=metered, settings=settings, now=now, standing=standing)
        seconds, cpu = time.perf_counter() - began, time.process_time() - worked
        interned, added = classes.seconds - interned, classes.added - added
        parts = {
            "read": metered.seconds["read"] - interned,
            "intern": interned,
            "decide": seconds - sum(metered.seconds.values()),
            "write": metered.seconds["write"],
        }
        yield (
            name,
            {
                "bids": len(new),
                "contracts": report.matched,
                "lost": report.lost,
                "seconds": round(seconds, 4),
                "cpu_seconds": round(cpu, 4),
                "parts": {part: round(taken, 4) for part, taken in parts.items()},
                "statements": dict(metered.statements),
                "documents": added,
                "intern_us_per_document": round(1e6 * interned / max(added, 1), 1),
            },
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=KINDS, default="sqlite", help="kind of database (default: %(default)s)")
    parser.add_argument("--offers-file", type=Path, required=True, help="book of offers")
    parser.add_argument("--bids-file", type=Path, required=True, help="book of bids")
    parser.add_argument("--offers", type=int, help="take so many offers of the book (default: all)")
    parser.add_argument("--open", type=int, default=1000, help="bids of the first round (default: %(default)s)")
    parser.add_argument("--new", type=int, default=1000, help="bids of the second round (default: %(default)s)")
    parser.add_argument("--now", type=datetime.fromisoformat, default=datetime(2027, 1, 1, tzinfo=UTC), help="instant")
    parser.add_argument("--pricing", help="pricing rule (default: the market's)")
    parser.add_argument("--json", type=Path, help="write the result there, too")
    options = parser.parse_args()
    problem = unavailable(options.database)
    if problem is not None:
        parser.error(f"--database: {problem}")
    with tempfile.TemporaryDirectory() as name, empty_database(options.database, "flocx_cycle", Path(name)) as url:
        engine = create_engine(url)
        Migrations("flocx_migrations_market", engine).upgrade()
        database = Database(engine)
        began = time.perf_counter()
        load(database, entities(options.offers_file, options.offers), options.now - timedelta(seconds=1))
        book = list(entities(options.bids_file, options.open + options.new + 1))
        groups = {
            "first": book[: options.open],
            "new": book[options.open : -1],
            "late": book[-1:],
            "nothing": [],
        }
        result: dict[str, Any] = {"database": options.database, "load_seconds": round(time.perf_counter() - began, 1)}
        for key, value in result.items():
            sys.stdout.write(f"{key}: {value}\n")
        for group, measured in rounds(MarketStore(database), groups, options.pricing, options.now):
            result[group] = measured
            sys.stdout.write(f"{group}: {json.dumps(measured)}\n")
            sys.stdout.flush()
        result["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        sys.stdout.write(f"peak_rss_mb: {result['peak_rss_mb']}\n")
        database.dispose()
    if options.json is not None:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
