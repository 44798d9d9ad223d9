# SPDX-License-Identifier: Apache-2.0
"""How long a manager's whole round takes on a database, and how many statements it makes.

Two books in the API's JSON, one entity a line, are loaded in bulk into a
database of their own, which is made for this and dropped afterwards. Then one
round is held in the stages of the manager: *look* is everything but matching
(what expires, is late, or is to be replaced), *read* is bids, offers and free
time, *parse* reads the hardware documents as a stream, *intern* sorts them into
classes, *clear* matches and prices, *write* makes the contracts. A process that
goes on already knows the documents, so *parse* and *intern* are counted apart
and are in the first cycle of a process only.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from flocx_common.db.engine import create_engine
from flocx_common.db.migration import Migrations
from flocx_common.db.rows import insert_many
from flocx_common.db.transactions import Database
from flocx_common.domain.clock import ceil_second
from flocx_common.domain.json_values import digest
from flocx_common.testing.databases import KINDS, empty_database, unavailable
from flocx_market import bootstrap
from flocx_market.db import models
from flocx_market.db.store import MarketStore
from flocx_market.domain.book import to_seconds
from flocx_market.domain.clearing import hold_round
from flocx_market.domain.hardware_classes import HardwareClasses
from flocx_market.services import clearing
from flocx_market.services.replacing import replace_failed

_LOADED = 1000
# The stages of every cycle; the first of a process has two more.
_CYCLE = ("look", "read", "clear", "write")


def entities(path: Path, most: int | None) -> Iterator[dict[str, Any]]:
    """Yield the entities of a book, at most so many."""
    with path.open(encoding="utf-8") as lines:
        for line in islice(lines, most):
            yield json.loads(line)


def batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield entities in batches to load."""
    while batch := list(islice(rows, _LOADED)):
        yield batch


def load(database: Database, offers: Iterator[dict[str, Any]], bids: Iterator[dict[str, Any]], now: datetime) -> None:
    """Put offers, with their providers, nodes and documents, and bids into an empty market."""
    for batch in batches(offers):
        database.write(lambda connection, batch=batch: _load_offers(connection, batch, now))
    for batch in batches(bids):
        database.write(lambda connection, batch=batch: insert_many(connection, models.bids, list(map(_bid, batch))))


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


class Meter:
    """Seconds, seconds of work of this process, and database statements of the stages."""

    def __init__(self, engine: sa.Engine) -> None:
        self.seconds: dict[str, float] = {}
        self.cpu: dict[str, float] = {}
        self.statements: dict[str, int] = {}
        self._count = 0
        sa.event.listen(engine, "before_cursor_execute", self._counted)

    def _counted(self, *_: object) -> None:
        self._count += 1

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure a stage."""
        began, worked, counted = time.perf_counter(), time.process_time(), self._count
        yield
        self.seconds[name] = time.perf_counter() - began
        self.cpu[name] = time.process_time() - worked
        self.statements[name] = self._count - counted


class TimedClasses(HardwareClasses):
    """Hardware classes that know how long they took."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = self.cpu = 0.0
        self.added = 0

    def add(self, key: str, document: Mapping[str, Any]) -> None:
        """Add a document, timed."""
        began, worked = time.perf_counter(), time.thread_time()
        super().add(key, document)
        self.cpu += time.thread_time() - worked
        self.seconds += time.perf_counter() - began
        self.added += 1


def measure(database: Database, pricing: str | None, now: datetime) -> dict[str, Any]:
    """Hold one round in its stages and return what was measured."""
    store, meter, classes = MarketStore(database), Meter(database.engine), TimedClasses()
    conf = bootstrap.configuration([])
    if pricing is not None:
        conf.set_override("pricing", pricing, "clearing")
    settings = bootstrap.settings(conf)
    with meter.stage("look"):
        clearing.expire(store=store, settings=settings, now=now)
        clearing.sweep_contracts(store=store, settings=settings, now=now)
        replace_failed(store=store, settings=settings, now=now, classes=classes)
    with meter.stage("read"):
        opened = store.read(lambda uow: clearing.open_book(uow, settings, now, classes))
    # Once more, with the documents known: what is missing now, they took.
    with meter.stage("read again"):
        store.read(lambda uow: clearing.open_book(uow, settings, now, classes))
    for taken, interned in ((meter.seconds, classes.seconds), (meter.cpu, classes.cpu)):
        first, again = taken["read"], taken.pop("read again")
        taken |= {"read": again, "parse": first - again - interned, "intern": interned}
    with meter.stage("clear"):
        held = hold_round(opened.book, to_seconds(ceil_second(now)), settings.rules)
    with meter.stage("write"):
        written, lost = clearing.write_deals(held.deals, opened, store=store, now=now)
    cycle = sum(meter.seconds[name] for name in _CYCLE)
    return {
        "offers": len(opened.book.offers),
        "bids": len(opened.book.bids),
        "documents": classes.added,
        "classes": len({offer.hardware.digest for offer in opened.book.offers}),
        "contracts": written,
        "nodes": sum(len(deal.award.offers) for deal in held.deals),
        "lost": lost,
        "pricing": settings.rules.pricing_name,
        "seconds": {name: round(value, 3) for name, value in meter.seconds.items()},
        "cpu_seconds": {name: round(value, 3) for name, value in meter.cpu.items()},
        "cycle_seconds": round(cycle, 3),
        "cycle_cpu_seconds": round(sum(meter.cpu[name] for name in _CYCLE), 3),
        "first_cycle_seconds": round(cycle + meter.seconds["parse"] + meter.seconds["intern"], 3),
        "intern_us_per_document": round(1e6 * classes.seconds / max(classes.added, 1), 1),
        "intern_cpu_us_per_document": round(1e6 * classes.cpu / max(classes.added, 1), 1),
        "parse_us_per_document": round(1e6 * meter.seconds["parse"] / max(classes.added, 1), 1),
        "statements": meter.statements,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=KINDS, default="sqlite", help="kind of database (default: %(default)s)")
    parser.add_argument("--offers-file", type=Path, required=True, help="book of offers")
    parser.add_argument("--bids-file", type=Path, required=True, help="book of bids")
    parser.add_argument("--offers", type=int, help="take so many offers of the book (default: all)")
    parser.add_argument("--bids", type=int, help="take so many bids of the book (default: all)")
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
        offers, bids = entities(options.offers_file, options.offers), entities(options.bids_file, options.bids)
        load(database, offers, bids, options.now - timedelta(seconds=1))
        loaded = time.perf_counter() - began
        result = {"database": options.database, "load_seconds": round(loaded, 1)}
        result |= measure(database, options.pricing, options.now)
        database.dispose()
    for key, value in result.items():
        shown = "  ".join(f"{name} {part}" for name, part in value.items()) if isinstance(value, dict) else value
        sys.stdout.write(f"{key:28} {shown}\n")
    if options.json is not None:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
