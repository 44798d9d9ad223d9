# SPDX-License-Identifier: Apache-2.0
"""Command line of the quickstart."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import time
from pathlib import Path

from flocx_client.errors import ClientError
from flocx_common.domain.errors import ConfigurationInvalid
from flocx_provider.drivers.inventory_file import InventoryMapping
from quickstart.console import Console, StoryFailed
from quickstart.machines import SAMPLE, read_machines, shared_out
from quickstart.stack import CannotStart, Ports, Stack
from quickstart.story import Story

_CHECKOUT = Path(__file__).resolve().parent.parent.parent

_DESCRIPTION = """\
Start a market, two providers and all their managers on this machine, on SQLite
and a file of machines, and play the story of the main job on them: owners
offer nodes, consumers bid, contracts hand nodes over and back. Each step is
checked. Then the services stay up until Ctrl-C, for you to play with.
"""


def main() -> int:
    """Run the quickstart; return 0 only if every step of the story held."""
    options = _parser().parse_args()
    console = Console()
    # However we are asked to end, the services end with us; also where a shell
    # started us in the background, which ignores SIGINT.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        return _run(options, console)
    except (ConfigurationInvalid, CannotStart) as error:
        sys.stderr.write(f"quickstart: {getattr(error, 'detail', error)}\n")
        return 1
    except KeyboardInterrupt:
        console.say("stopped")
        return 130


def _run(options: argparse.Namespace, console: Console) -> int:
    mapping = InventoryMapping(
        uuid_expression=options.uuid_expression,
        name_expression=options.name_expression,
        owner_expression=options.owner_expression,
        owner=None,
        owner_map=options.owner_map,
        resource_class_expression=options.resource_class_expression,
        properties_expression=options.properties_expression,
    )
    machines = shared_out(read_machines(options.inventory, mapping))
    ports = Ports(
        market=options.market_port,
        provider=options.provider_port,
        second_provider=options.second_provider_port,
        market_manager=options.market_manager_port,
        provider_manager=options.provider_manager_port,
        second_provider_manager=options.second_provider_manager_port,
    )
    stack = Stack(options.state_dir.resolve(), ports, machines, mapping, console)
    console.say(f"{len(machines[0])} machines at provider-1, {len(machines[1])} at provider-2; state in {stack.state}")
    status = 0
    with stack.running():
        console.say("the services are up")
        try:
            Story(stack, console).play()
            console.say("\nEvery step of the story held.")
        except (StoryFailed, ClientError, LookupError) as error:
            console.say(f"\nThe story does not hold: {error}")
            console.say(f"The logs are in {stack.state}")
            status = 1
        if not options.exit:
            _stay(stack, console)
    console.say("everything is stopped")
    return status


def _stay(stack: Stack, console: Console) -> None:
    """Say where everything is and what to try, and wait for Ctrl-C."""
    market, provider = stack.market_url, stack.provider_urls[0]
    console.say()
    console.say(f"market        {market}        (GET /v1/openapi.json describes it)")
    console.say(f"provider-1    {provider}")
    console.say(f"provider-2    {stack.provider_urls[1]}")
    console.say(f"credentials   {stack.clouds_yaml}   (clouds owner-a, owner-b, consumer-a, consumer-b, admin)")
    console.say()
    console.say("Three things to try, the second in another terminal:")
    for line in to_try(stack):
        console.say(f"  {line}")
    console.say()
    console.say("Ctrl-C stops everything; the next start goes on from here.")
    try:
        while True:
            stack.check_alive()
            time.sleep(1)
    except KeyboardInterrupt:
        console.say("\nstopping")


def to_try(stack: Stack) -> list[str]:
    """Return commands that do something on the running services, ready for a shell."""
    openstack = shlex.join(
        ["env", f"OS_CLIENT_CONFIG_FILE={stack.clouds_yaml}", str(Path(sys.executable).parent / "openstack")]
    )
    return [
        f"{openstack} --os-cloud owner-b flocx offer create --all-idle --reserve-price 1.20 --for 8h",
        f"{openstack} --os-cloud consumer-a flocx watch",
        f"{openstack} --os-cloud consumer-a flocx bid create --limit-price 2 --for 10m --wait",
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/quickstart.sh", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--exit", action="store_true", help="stop everything when the story is over")
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=_CHECKOUT / ".quickstart",
        metavar="DIR",
        help="where everything is kept that is written, for the next start to go on from (default: %(default)s)",
    )
    inventory = parser.add_argument_group(
        "machines", "A foreign inventory is read as it is, through JMESPath expressions."
    )
    inventory.add_argument(
        "--inventory",
        type=Path,
        default=SAMPLE,
        metavar="FILE",
        help="machines as JSON lines, a JSON array or YAML (default: a sample of 20)",
    )
    for name, default, what in (
        ("uuid", "uuid", "a machine's UUID"),
        ("name", "name", "its name"),
        ("owner", "owner", "its owner, or what --owner-map turns into one"),
        ("resource-class", "resource_class", "its resource class"),
        ("properties", "@", "its hardware document"),
    ):
        inventory.add_argument(
            f"--{name}-expression",
            default=default,
            metavar="JMESPATH",
            help=f"where in a document {what} is (default: {default})",
        )
    inventory.add_argument(
        "--owner-map",
        type=_owner_map,
        default={},
        metavar="VALUE=OWNER,...",
        help="which of owner-a and owner-b has a machine, by what the owner expression finds",
    )
    ports = parser.add_argument_group("ports of 127.0.0.1")
    for name, port in (
        ("market", 7778),
        ("provider", 7777),
        ("second-provider", 7776),
        ("market-manager", 7788),
        ("provider-manager", 7787),
        ("second-provider-manager", 7786),
    ):
        ports.add_argument(f"--{name}-port", type=int, default=port, metavar="PORT", help="default: %(default)s")
    return parser


def _owner_map(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",") if pair]
    if any(not sign or owner not in ("owner-a", "owner-b") for _, sign, owner in pairs):
        raise argparse.ArgumentTypeError(f"{text!r}: VALUE=owner-a,VALUE=owner-b is expected")
    return {value: owner for value, _, owner in pairs}


if __name__ == "__main__":
    raise SystemExit(main())
