# SPDX-License-Identifier: Apache-2.0
"""Options that say what a project wants: those of a bid, and of a question about one."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from flocx_client.osc import options
from flocx_client.osc.failure import UsageError
from flocx_client.osc.naming import found


def add_wanted(parser: argparse.ArgumentParser) -> None:
    """Add what nodes are wanted, how many, and when."""
    options.add_requirements(parser)
    parser.add_argument(
        "--quantity",
        metavar="<number>",
        type=options.number,
        help="How many nodes, by default 1; all of them or none",
    )
    options.add_window(
        parser,
        "Begin of the time in which the nodes are wanted, by default now",
        "End of the time in which the nodes are wanted, by default what the market says",
    )
    parser.add_argument(
        "--duration",
        metavar="<duration>",
        type=options.seconds,
        help="Length of the contract, anywhere between start and end; by default all of that time",
    )


def add_rules(parser: argparse.ArgumentParser) -> None:
    """Add what the nodes must share or must not, and the offers they may come from."""
    parser.add_argument(
        "--spread-by", metavar="<expression>", help="JMESPath of what at most --spread-max of the nodes may share"
    )
    parser.add_argument("--spread-max", metavar="<number>", type=options.number, help="See --spread-by")
    parser.add_argument("--together-by", metavar="<expression>", help="JMESPath of what all nodes must share")
    parser.add_argument(
        "--offer",
        metavar="<offer>",
        action="append",
        help="Offer that may serve the bid, by name or UUID; can be repeated; by default any may",
    )


def wanted(args: argparse.Namespace, given: Any, now: datetime, zone: tzinfo) -> dict[str, Any]:
    """Return the fields that these options mean, but for the offers.

    :param given: the input of the command.
    :raises UsageError: one of them means nothing, or is missing another.
    """
    if (args.spread_by is None) != (args.spread_max is None):
        raise UsageError("--spread-by and --spread-max are expected together")
    fields = options.given(
        quantity=args.quantity,
        duration=args.duration,
        limit_price=args.limit_price,
        requirements=options.requirements(args, given) or None,
        **options.window(args, now, zone),
    )
    if args.spread_by is not None:
        fields["spread"] = {"by": args.spread_by, "max": args.spread_max}
    if args.together_by is not None:
        fields["together"] = {"by": args.together_by}
    return fields


def named_offers(market: Any, names: Sequence[str] | None) -> dict[str, list[str]]:
    """Return the field for the offers of these names or UUIDs; none where there are none."""
    if not names:
        return {}
    offers = [found(name, market.find_offer, market.offers, ("available", "suspended")) for name in names]
    return {"offer_uuids": list(dict.fromkeys(offer.uuid for offer in offers))}
