# SPDX-License-Identifier: Apache-2.0
"""``openstack flocx offer create``: one node, many, or all that are idle."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from flocx_client.osc import columns, exit_statuses, offer, options, waits
from flocx_client.osc.columns import Display, column
from flocx_client.osc.commands import ListCommand, Thing, status_of_several
from flocx_client.osc.failure import Failure, UsageError


def _end(value: Any, display: Display, thing: Mapping[str, Any]) -> str:
    return columns.open_end(value, display, thing) if thing.get("uuid") else ""


_COLUMNS = (
    column("node"),
    column("result", columns.status),
    offer.UUID,
    offer.START,
    column("end_time", _end),
    offer.PRICE,
    offer.PUBLICATION,
    column("problem"),
)


class CreateOffer(ListCommand):
    """Offer nodes of the project; shows what became of each."""

    audience = "owner"
    paged = False
    columns = _COLUMNS

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the nodes and the fields of an offer."""
        nodes = parser.add_mutually_exclusive_group(required=True)
        nodes.add_argument(
            "--node",
            metavar="<node>",
            action="append",
            dest="nodes",
            help="Node to offer, by name or UUID; can be repeated",
        )
        nodes.add_argument(
            "--all-idle",
            action="store_true",
            help="Offer every node that is healthy, in nobody's use, not offered and not promised",
        )
        parser.add_argument("--resource-class", metavar="<class>", help="With --all-idle: only those of this class")
        parser.add_argument(
            "--owner", metavar="<project>", help="With --all-idle: only those of this owner, by name or ID"
        )
        parser.add_argument("--name", metavar="<name>", help="Name of the offer; for a single node")
        parser.add_argument(
            "--reserve-price",
            metavar="<price>",
            type=options.price,
            required=True,
            help="The least to be paid for an hour of a node",
        )
        options.add_window(
            parser, "Begin of the time in which the nodes can be had, by default now", "End of it, by default none"
        )
        parser.add_argument(
            "--min-duration", metavar="<duration>", type=options.seconds, help="Shortest contract to be taken"
        )
        parser.add_argument(
            "--lessee",
            metavar="<project>",
            action="append",
            help="Project that may have the nodes, by name or ID; can be repeated; by default all may",
        )
        waits.add_wait(parser, "the market knows of the offers")

    def check(self, parsed_args: argparse.Namespace) -> None:
        """Read everything that is given as text."""
        super().check(parsed_args)
        if parsed_args.name is not None and len(parsed_args.nodes or ()) != 1:
            raise UsageError("--name: it names one offer, and several are to be made")
        if parsed_args.nodes and (parsed_args.resource_class or parsed_args.owner):
            raise UsageError("--resource-class and --owner choose among the nodes of --all-idle")
        self._fields = options.given(
            name=parsed_args.name,
            reserve_price=parsed_args.reserve_price,
            min_duration=parsed_args.min_duration,
            lessee_project_ids=parsed_args.lessee,
            **options.window(parsed_args, self.now(), self.zone),
        )

    def rows(self, parsed_args: argparse.Namespace, limit: int | None) -> Iterable[Thing]:
        """Offer the nodes and return what became of each."""
        nodes = list(dict.fromkeys(parsed_args.nodes or ())) or self._idle(parsed_args)
        self._statuses: list[int] = []
        interrupted = False
        rows: list[dict[str, Any]] = []
        with waits.progress_line(self.app.stderr) as line:
            try:
                for number, (node, known_as) in enumerate(_with_names(nodes), start=1):
                    line.show(f"offering node {number} of {len(nodes)}")
                    rows.append({"node": known_as, "result": "not known", "problem": "interrupted before the answer"})
                    rows[-1] = self._offered(node, known_as)
                    if self._statuses[-1:] == [exit_statuses.UNREACHABLE]:
                        # It will not answer for the others either.
                        break
                if parsed_args.wait:
                    self._wait(rows, parsed_args.timeout, line)
            except KeyboardInterrupt:
                interrupted = True
        rows.extend({"node": known_as, "result": "not tried"} for _, known_as in list(_with_names(nodes))[len(rows) :])
        missing = sum(row["result"] != "offered" for row in rows)
        if missing and len(nodes) > 1:
            self.log.error("%d of %d nodes: not offered, or not known to be", missing, len(nodes))
        self.exit_status = exit_statuses.INTERRUPTED if interrupted else status_of_several(self._statuses, len(rows))
        return rows

    def _noted(self, error: Exception, node: str) -> Failure:
        """Return what went wrong with a node, after it was said: the others are to be told of all the same."""
        try:
            failure = self.foreseen(error)
        except Exception:
            self.log.debug("where it went wrong:", exc_info=error)
            failure = Failure(exit_statuses.FAILED, f"{type(error).__name__}: {error}")
        self._statuses.append(failure.status)
        self.say(failure, node)
        return failure

    def _idle(self, parsed_args: argparse.Namespace) -> list[Any]:
        query = options.given(resource_class=parsed_args.resource_class, owner_project_id=parsed_args.owner)
        idle = [node for node in self.clients.provider.nodes(**query) if is_idle(node)]
        if not idle:
            raise Failure(exit_statuses.NOT_FOUND, "--all-idle: no node is idle")
        return idle

    def _offered(self, node: str, known_as: str) -> dict[str, Any]:
        """Offer a node and return what became of it."""
        try:
            made = self.clients.provider.create_offer(node_uuid=node, **self._fields)
        except Exception as error:
            failure = self._noted(error, known_as)
            known = failure.status not in (exit_statuses.UNREACHABLE, exit_statuses.FAILED)
            return {"node": known_as, "result": "not offered" if known else "not known", "problem": str(failure)}
        return {**made, "node": known_as, "result": "offered", "problem": None}

    def _wait(self, rows: Sequence[dict[str, Any]], timeout: float, line: waits.ProgressLine) -> None:
        """Wait until the market knows of the offers that were made, and bring their rows up to date."""
        # It takes time, and most commands do not wait.
        from flocx_client import waiting  # noqa: PLC0415

        provider, began = self.clients.provider, time.monotonic()
        for row in rows:
            if row["result"] != "offered":
                continue
            look = partial(provider.get_offer, row["uuid"])
            left = max(0.0, timeout - (time.monotonic() - began))
            try:
                row.update(
                    waiting.until(
                        look,
                        provider.events,
                        lambda one: one.publication != "pending",
                        offer.LIVING,
                        left,
                        lambda seen, row=row: line.show(  # type: ignore[misc]
                            f"the offer of {row['node']} is {seen.entity['publication']}"
                        ),
                    )
                )
            except waiting.WaitTimedOut:
                late = Failure(
                    exit_statuses.TIMED_OUT, "the market does not know of the offer yet; it will be told of it"
                )
                row["problem"] = str(self._noted(late, row["node"]))
                continue
            except Exception as error:
                row["problem"] = str(self._noted(error, row["node"]))
                continue
            if row["publication"] == "refused":
                refused = Failure(exit_statuses.IN_VAIN, f"the market refuses the offer: {row['publication_reason']}")
                row["problem"] = str(self._noted(refused, row["node"]))


def is_idle(node: Thing) -> bool:
    """Return whether a node is healthy, in nobody's use, not offered and not promised."""
    return bool(
        node["health"]["ok"] and node["lessee_project_id"] is None and not node["offers"] and not node["contracts"]
    )


def _with_names(nodes: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """Yield what each node is called in requests, and what people call it."""
    for node in nodes:
        yield (node, node) if isinstance(node, str) else (node["node_uuid"], node["node_name"] or node["node_uuid"])
