# SPDX-License-Identifier: Apache-2.0
"""Make a market to measure with: a book of offers and a book of bids, from a seed.

  loose      bids of 6 hours to 10 days anywhere in two months; offers of 10 to 60
             days that begin within two weeks, so that many have one window
  scattered  the same with offers of any number of days that begin on any day, so
             that hardly two have one window
  contested  all bids begin within two days and want more nodes than there are
  pieces     every node is offered for 30 days, bids of 6 hours to 5 days lie inside

--flexible   that share of bids has a duration inside a window 2 to 4 times as long
--rules      that share of bids has spread or together, half of it of offers a list
             of lessees; owners bid as well
--identity   serial numbers, MAC addresses and the like in every document

The time of the round is 2027-01-01T00:00:00Z. The same arguments give the same
files.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Entity = dict[str, Any]

#: The time of the round.
EPOCH = datetime(2027, 1, 1, tzinfo=UTC)

_OWNERS, _PROVIDERS, _PROJECTS = 24, 4, 150
_FLAGS = (
    "aes",
    "avx",
    "avx2",
    "avx512f",
    "bmi1",
    "bmi2",
    "fma",
    "ht",
    "rdrand",
    "sha_ni",
    "smap",
    "smep",
    "sse4_2",
    "vmx",
)
_VENDORS = ("Dell", "HPE", "Lenovo", "Supermicro")
_GPUS = ("NVIDIA A100-SXM4-40GB", "NVIDIA H100", "AMD Instinct MI210")
# Hours of the bids, by market: the longer ones are rarer.
_HOURS = {
    "loose": (6, 12, 24, 24, 48, 72, 120, 240),
    "scattered": (6, 12, 24, 24, 48, 72, 120, 240),
    "contested": (6, 12, 24, 48, 96, 168),
    "pieces": (6, 12, 24, 24, 48, 72, 120),
}


def hardware_class(number: int, dice: random.Random) -> Entity:
    """Return the document that the nodes of a class share, shaped like an inspection's inventory."""
    cores, sockets = dice.choice((8, 12, 16, 24, 32, 48)), dice.choice((1, 2, 2))
    nvme = dice.random() < 0.5
    disks = [
        {
            "name": f"/dev/nvme{slot}n1" if nvme else f"/dev/sd{'abcdefgh'[slot]}",
            "size": dice.choice((480, 960, 1920, 3840)) * 10**9,
            "rotational": not nvme and dice.random() < 0.5,
            "vendor": dice.choice(("Samsung", "Micron", "Seagate")),
            "model": f"DISK-{number}-{slot % 2}",
        }
        for slot in range(dice.randint(1, 8))
    ]
    interfaces = [
        {"name": f"eno{port}", "speed_mbps": dice.choice((10_000, 25_000, 100_000)), "has_carrier": port < 2}
        for port in range(dice.randint(2, 4))
    ]
    gpus = [{"model": dice.choice(_GPUS), "memory_mb": 40_960}] * (dice.choice((1, 2, 4, 8)) if number % 6 == 5 else 0)
    return {
        "cpus": cores * sockets * 2,
        "memory_mb": dice.choice((64, 128, 256, 384, 512, 1024)) * 1024,
        "local_gb": sum(disk["size"] for disk in disks) // 10**9,
        "cpu_arch": "aarch64" if number % 10 == 9 else "x86_64",
        "capabilities": {"boot_mode": "uefi", "secure_boot": number % 2 == 0},
        "gpus": gpus,
        "inventory": {
            "cpu": {
                "model_name": f"CPU model {number}",
                "count": cores * sockets * 2,
                "frequency": dice.randint(20, 38) * 100,
                "flags": sorted(dice.sample(_FLAGS, 12)),
            },
            "memory": {"total": dice.choice((64, 128, 256)) << 30, "dimms": [{"size_mb": 32_768, "slot": "A"}] * 8},
            "disks": disks,
            "interfaces": interfaces,
            "system_vendor": {
                "manufacturer": dice.choice(_VENDORS),
                "product_name": f"Server {number}",
                "firmware": {"version": f"2.{number % 7}.{number % 3}", "build_date": "2026-03-01"},
            },
        },
    }


def with_identity(document: Entity, dice: random.Random) -> Entity:
    """Return a document with what tells one node of a class from the next."""

    def hexadecimal(digits: int) -> str:
        return f"{dice.getrandbits(4 * digits):0{digits}x}"

    inventory = document["inventory"]
    own = {
        "disks": [{**disk, "serial": hexadecimal(12), "wwn": "0x" + hexadecimal(16)} for disk in inventory["disks"]],
        "interfaces": [
            {**port, "mac_address": ":".join(hexadecimal(2) for _ in range(6)), "ipv4_address": None}
            for port in inventory["interfaces"]
        ],
        "system_vendor": {**inventory["system_vendor"], "serial_number": hexadecimal(10).upper()},
        "bmc_address": f"10.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(1, 255)}",
    }
    return {**document, "inventory": {**inventory, **own}}


def _requirements(document: Entity, dice: random.Random, market: str) -> list[list[Any]]:
    """Return triples that hold on a document, for as many as are usual in a market."""
    cpu = document["inventory"]["cpu"]
    known: list[list[Any]] = [
        ["cpus", ">=", document["cpus"]],
        ["memory_mb", ">=", document["memory_mb"] // 2],
        ["cpu_arch", "eq", {"x86_64": "amd64", "aarch64": "arm64"}[document["cpu_arch"]]],
        ["inventory.cpu.flags", "contains", dice.choice(cpu["flags"])],
        ["inventory.cpu.frequency", ">", cpu["frequency"] - 600],
        ["length(inventory.disks)", ">=", len(document["inventory"]["disks"])],
        ["inventory.disks[?rotational] | length(@)", "<=", 8],
        ["sum(inventory.disks[].size)", ">=", document["local_gb"] * 10**9 // 2],
        ["inventory.system_vendor.manufacturer", "in", [*_VENDORS[:3], "Fujitsu"]],
        ["max_by(inventory.interfaces, &speed_mbps).speed_mbps", ">=", 10_000],
        ["capabilities.boot_mode", "!ne", "uefi"],
        ["capabilities.secure_boot", None, None],
    ]
    if document["gpus"]:
        known.append(["gpus[0].model", "matches", "^" + document["gpus"][0]["model"].split()[0]])
    return dice.sample(known, dice.randint(1, 2 if market == "contested" else 4))


class Market:
    """One market: ``offers()`` and ``bids()`` as entities of the API.

    :param market: loose, scattered, contested or pieces.
    """

    def __init__(
        self,
        market: str,
        offers: int,
        bids: int,
        *,
        classes: int = 50,
        seed: int = 5,
        flexible: float = 0.0,
        rules: float = 0.0,
        identity: bool = False,
    ) -> None:
        self._market, self._counts = market, (offers, bids)
        self._flexible, self._rules, self._identity = flexible, rules, identity
        self._seed = f"{market} {seed}"
        dice = random.Random(f"{self._seed} classes")
        self._documents = [hardware_class(number, dice) for number in range(classes)]
        # A node-hour in thousandths: more hardware asks more.
        self._prices = [doc["cpus"] * 20 + doc["memory_mb"] // 512 + 900 * len(doc["gpus"]) for doc in self._documents]
        # The first classes have most of the nodes.
        self._weights = [1 / (number + 1) ** 0.7 for number in range(classes)]
        self._owners = [f"{dice.getrandbits(128):032x}" for _ in range(_OWNERS)]
        self._projects = [f"{dice.getrandbits(128):032x}" for _ in range(_PROJECTS)]
        self._providers = [_uuid(dice) for _ in range(_PROVIDERS)]

    def offers(self) -> Iterator[Entity]:
        """Yield the offers, one node each."""
        dice = random.Random(f"{self._seed} offers")
        for number in range(self._counts[0]):
            kind = dice.choices(range(len(self._documents)), self._weights)[0]
            begin, end = (0, 720) if self._market == "pieces" else self._offered(dice)
            document = self._documents[kind]
            lessees = dice.sample([*self._projects, *self._owners], 40) if dice.random() < self._rules / 2 else None
            yield {
                "uuid": _uuid(dice),
                "name": f"offer-{number}",
                "provider_uuid": dice.choice(self._providers),
                "owner_project_id": dice.choice(self._owners),
                "resource_type": "node",
                "resource_class": f"class-{kind}",
                "node_uuid": _uuid(dice),
                "node_name": f"node-{number}",
                "properties": with_identity(document, dice) if self._identity else document,
                "start_time": _time(begin),
                "end_time": _time(end),
                "reserve_price": _price(self._prices[kind] * dice.choice((70, 80, 85, 90, 95, 100, 110)) // 100),
                "min_duration": 0,
                "lessee_project_ids": lessees,
                "status": "available",
                "created_at": _time(-1),
            }

    def bids(self) -> Iterator[Entity]:
        """Yield the bids."""
        dice = random.Random(f"{self._seed} bids")
        offers, bids = self._counts
        # A contested market wants about half as many nodes again as there are.
        most = max(1, round(3 * offers / bids)) if self._market == "contested" else 8
        bidders = [*self._projects, *self._owners] if self._rules else self._projects
        for number in range(bids):
            kind = dice.choices(range(len(self._documents)), self._weights)[0]
            hours = dice.choice(_HOURS[self._market])
            begin = dice.randrange({"contested": 48, "pieces": 720 - hours}.get(self._market, 1440))
            quantity = dice.randint(1, most) if self._market == "contested" else dice.choice((1, 1, 2, 4, most))
            flexible, special = dice.random() < self._flexible, quantity > 1 and dice.random() < self._rules
            wider = hours * dice.choice((2, 3, 4)) if flexible else hours
            yield {
                "uuid": _uuid(dice),
                "name": f"bid-{number}",
                "project_id": dice.choice(bidders),
                "requirements": _requirements(self._documents[kind], dice, self._market),
                "quantity": quantity,
                "start_time": _time(begin),
                "end_time": _time(begin + wider),
                "duration": hours * 3600 if flexible else None,
                "limit_price": _price(self._prices[kind] * dice.randint(60, 180) // 100),
                "spread": {"by": "offer.owner_project_id", "max": max(1, quantity // 2)}
                if special and number % 2
                else None,
                "together": {"by": "offer.provider_uuid"} if special and not number % 2 else None,
                "offer_uuids": None,
                "status": "open",
                "created_at": (EPOCH - timedelta(seconds=bids - number)).isoformat(),
            }

    def _offered(self, dice: random.Random) -> tuple[int, int]:
        if self._market == "contested":
            return 0, 24 * dice.randint(4, 30)
        if self._market == "loose":
            begin = 24 * dice.randrange(15)
            return begin, begin + 24 * dice.choice((10, 15, 20, 30, 45, 60))
        begin = 24 * dice.randrange(50)
        return begin, begin + 24 * dice.randint(10, 60)


def write(market: Market, directory: Path) -> None:
    """Write offers.jsonl and bids.jsonl."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, entities in (("offers", market.offers()), ("bids", market.bids())):
        with (directory / f"{name}.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(entity) + "\n" for entity in entities)


def _uuid(dice: random.Random) -> str:
    return str(uuid.UUID(int=dice.getrandbits(128), version=4))


def _time(hours: int) -> str:
    return (EPOCH + timedelta(hours=hours)).isoformat().replace("+00:00", "Z")


def _price(thousandths: int) -> str:
    return f"{thousandths // 1000}.{thousandths % 1000:03}000"


def main() -> int:
    """Write the market of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--market", choices=sorted(_HOURS), default="contested", help="default: %(default)s")
    for name, default in (("offers", 1000), ("bids", 500), ("classes", 50), ("seed", 5)):
        parser.add_argument(f"--{name}", type=int, default=default, help="default: %(default)s")
    parser.add_argument("--flexible", type=float, default=0.0, metavar="SHARE")
    parser.add_argument("--rules", type=float, default=0.0, metavar="SHARE")
    parser.add_argument("--identity", action="store_true")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    options = parser.parse_args()
    market = Market(
        options.market,
        options.offers,
        options.bids,
        classes=options.classes,
        seed=options.seed,
        flexible=options.flexible,
        rules=options.rules,
        identity=options.identity,
    )
    write(market, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
