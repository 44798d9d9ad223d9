# SPDX-License-Identifier: Apache-2.0
"""Command line of the acceptance run."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from openstack.exceptions import SDKException
from quickstart.console import Console, StoryFailed

from acceptance import flocx
from acceptance.client import OPENSTACK, OpenStackClient
from acceptance.cloud import NOVA_PORTS, PORTS, Cloud
from acceptance.databases import Databases
from acceptance.environments import Environments, cache_directory
from acceptance.errors import CannotRun
from acceptance.launchables import IMAGE
from acceptance.ledger import Ledger
from acceptance.nova_filter import flocx_filter
from acceptance.people import PEOPLE, SYSTEM, through
from acceptance.play import NAMES, play
from acceptance.ports import free_ports
from acceptance.processes import Processes
from acceptance.progress import Progress
from acceptance.record import Record
from acceptance.scene import Scene
from acceptance.services import rabbitmq
from acceptance.services.nova import Nova
from acceptance.site import REGIONS, Site

_CHECKOUT = Path(__file__).resolve().parent.parent.parent

_DESCRIPTION = """\
Install real OpenStack services of pinned versions, start them on free ports of
127.0.0.1 with fake hardware, deploy FLOCX on them, and play its story there,
every step checked; then the unhappy paths. At the end a table tells what was
checked and what came of it, and everything is stopped and removed.
"""

_EPILOG = f"""\
The first run installs some 250 packages into {cache_directory()},
which may be deleted at any time. The state directory has the logs. Nova needs
RabbitMQ (Debian package rabbitmq-server, which need not run); without it the
reduced set is run. Databases are made on MariaDB and PostgreSQL where they
answer on 127.0.0.1, as SQLite files otherwise, and dropped at the end;
FLOCX_TEST_MARIADB and FLOCX_TEST_POSTGRESQL take other servers, as URLs.

Exit status: 0 if every check held, 1 if one did not or the run could not be
made, 130 if it was stopped before its end.
"""


def main() -> int:
    """Run; return 0 only if every check held and nothing was left behind."""
    options = _parser().parse_args()
    result = sys.stdout
    if options.format == "json":
        # That is for the result alone.
        sys.stdout = sys.stderr
    console = Progress()
    # Nothing here is for a proxy.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
    # However we are asked to end, the services end with us.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        record = _run(options, console)
    except (CannotRun, StoryFailed, SDKException) as error:
        sys.stderr.write(f"acceptance: {error}\n")
        return 1
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt:
        console.say("stopped")
        return 130
    if options.format == "json":
        json.dump(record.as_json(), result, indent=2)
        result.write("\n")
    return 1 if record.failures else 0


def _run(options: argparse.Namespace, console: Progress) -> Record:
    began = time.monotonic()
    everything = options.only == "all"
    if everything and (lacking := rabbitmq.missing()):
        console.say(f"Nova is left out: {' and '.join(lacking)} is missing")
        everything = False
    state: Path = options.state_dir.resolve()
    environments = Environments(cache_directory(), console)
    ledger = Ledger(state)
    with ledger.held():
        databases = Databases(state, f"flocx_acceptance_{secrets.token_hex(4)}_", ledger.remember)
        site = Site(
            state=state,
            ports=free_ports([*PORTS, *flocx.PORTS, *(NOVA_PORTS if everything else [])]),
            databases=databases,
            openstack=environments.ensure("openstack"),
            neutron=environments.ensure("neutron") if everything else None,
        )
        processes = Processes(state, console)
        console.say(f"state in {state}; databases on {databases.describe()}")
        record = Record(console)
        with _cleaned_up(processes, ledger, console):
            nova = Nova(site, flocx_filter(site, environments, _CHECKOUT)) if everything else None
            cloud = Cloud(site, processes, console, nova)
            uuids = cloud.bring_up()
            deployed = flocx.Flocx(site, processes, everything)
            deployed.deploy()
            cloud.check_loopback()
            console.say(f"{cloud.seconds:6.1f} s  flocx is up in {' and '.join(REGIONS)}")
            scene = Scene(
                site=site,
                processes=processes,
                console=console,
                record=record,
                client=OpenStackClient(site, console),
                environments=environments,
                flocx=deployed,
                nova=nova,
                uuids=uuids,
            )
            play(scene, options.step)
            cloud.check_loopback()
            record.show()
            if options.keep:
                _stay(site, processes, console)
        console.say(f"{time.monotonic() - began:.0f} s")
    return record


@contextmanager
def _cleaned_up(processes: Processes, ledger: Ledger, console: Console) -> Iterator[None]:
    """Stop and remove everything when the block ends, whatever way it does.

    :raises CannotRun: something is left.
    """
    asked_again: list[int] = []
    try:
        yield
    finally:
        # Who asks again means it: then there is no waiting. But all is still removed.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda received, _: asked_again.append(received))
        began = time.monotonic()
        console.say("stopping everything")
        processes.stop_all(lambda: bool(asked_again))
        left = ledger.undo()
        if left:
            raise CannotRun(f"left behind: {', '.join(left)}")
        console.say(f"everything is stopped, and no process or database is left ({time.monotonic() - began:.1f} s)")


def _stay(site: Site, processes: Processes, console: Console) -> None:
    """Say where everything is and what to try, and wait for Ctrl-C."""
    console.say()
    for name in site.ports:
        console.say(f"{name:<22} {site.url(name)}")
    console.say(f"credentials            {site.state}/clouds.yaml")
    clouds = (*PEOPLE, "admin", SYSTEM, *map(through, PEOPLE))
    console.say(f"clouds                 {', '.join(clouds)}; regions {' and '.join(REGIONS)}")
    console.say()
    console.say("Three things to try one after the other, in another terminal:")
    for line in _to_try(site):
        console.say(f"  {line}")
    console.say()
    console.say("Ctrl-C stops and removes everything.")
    try:
        while True:
            processes.check_alive()
            time.sleep(1)
    except KeyboardInterrupt:
        console.say()


def _to_try(site: Site) -> Sequence[str]:
    openstack = shlex.join(["env", f"OS_CLIENT_CONFIG_FILE={site.state}/clouds.yaml", OPENSTACK])
    if site.neutron:
        use = f"consumer-a server create --flavor baremetal --image {IMAGE} --nic none --wait my-server"
    else:
        use = f"{through('consumer-a')} baremetal node list"
    return [
        f"{openstack} --os-cloud owner-a flocx offer create --node node-a1 --reserve-price 1 --wait",
        f"{openstack} --os-cloud consumer-a flocx bid create --limit-price 2 --for 10m --wait",
        f"{openstack} --os-cloud {use}",
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/acceptance.sh",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--keep", action="store_true", help="when the run is over, stay up until Ctrl-C, to play with")
    parser.add_argument(
        "--only",
        choices=("keystone-ironic", "all"),
        default="all",
        help="keystone-ironic: the reduced set, without Nova and what it needs (default: %(default)s)",
    )
    parser.add_argument(
        "--step",
        action="append",
        default=[],
        choices=NAMES,
        metavar="NAME",
        help=f"play only this, one of {', '.join(NAMES)}; can be repeated",
    )
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=_CHECKOUT / ".acceptance",
        metavar="DIR",
        help="where logs and files of the run are, emptied at the start (default: %(default)s)",
    )
    parser.add_argument(
        "-f",
        "--format",
        choices=("table", "json"),
        default="table",
        help="how the checks are told at the end; with json nothing else is on standard output (default: %(default)s)",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
