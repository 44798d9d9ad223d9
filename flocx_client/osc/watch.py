# SPDX-License-Identifier: Apache-2.0
"""``openstack flocx watch``: events as they happen, one line each."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from typing import Any

from flocx_client.errors import CursorInvalid, ServiceFailed, ServiceUnreachable
from flocx_client.osc import event, exit_statuses, options
from flocx_client.osc.commands import FlocxCommand

#: Seconds that one question may wait for its answer.
_WAIT = 30.0

#: Seconds between two attempts to reach a service that does not answer, at first and at the most.
_PAUSE = (0.5, 15.0)


class Watch(FlocxCommand):
    """Follow what happens to the project's things live, one line each, until Ctrl-C."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what is followed, and how it is shown."""
        event.add_source(parser)
        parser.add_argument(
            "--since", metavar="<cursor>", help="Begin after this cursor, which 'event list' tells; by default now"
        )
        parser.add_argument(
            "-f",
            "--format",
            dest="formatter",
            choices=("line", "json"),
            default="line",
            help="A line for people, by default, or a JSON object a line",
        )
        parser.add_argument("--count", metavar="<number>", type=options.number, help="End after so many events")
        parser.add_argument(
            "--timeout", metavar="<duration>", type=options.seconds, help="End after so long, by default never"
        )

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Show events until there were enough, or the time is over."""
        display, left = self.display(), parsed_args.count
        for one in self._follow(parsed_args):
            shown = json.dumps(one) if parsed_args.formatter == "json" else event.line(one, display)
            self.app.stdout.write(f"{shown}\n")
            self.app.stdout.flush()
            left = left and left - 1
            if left == 0:
                return exit_statuses.DONE
        return exit_statuses.DONE if parsed_args.count is None else exit_statuses.TIMED_OUT

    def _follow(self, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
        """Yield events until the time is over, whatever becomes of the service meanwhile."""
        service = getattr(self.clients, args.service)
        deadline = None if args.timeout is None else time.monotonic() + args.timeout
        cursor = args.since
        # Whoever cannot begin is told so; only who has begun is patient.
        begun = away = False
        pause = _PAUSE[0]
        while (left := _left(deadline)) > 0:
            asked = time.monotonic()
            try:
                if cursor is None:
                    _, cursor = service.events(since="latest")
                    begun = True
                events, cursor = service.events(since=cursor, wait=min(_WAIT, left))
            except (ServiceUnreachable, ServiceFailed) as error:
                if not begun:
                    raise
                if not away:
                    self.fail(error)
                    self.log.error("Trying again until it answers")
                away = True
                time.sleep(min(pause, _left(deadline)))
                pause = min(2 * pause, _PAUSE[1])
                continue
            except CursorInvalid:
                if not begun:
                    raise
                # Its database is older than the cursor: it was brought back from a copy.
                self.log.error(
                    "The %s no longer knows what was shown last; what follows is shown from now on", args.service
                )
                cursor = None
                continue
            if away:
                self.log.error("The %s answers again", args.service)
            begun, away, pause = True, False, _PAUSE[0]
            yield from (one for one in events if event.concerns(one, args))
            if not events and time.monotonic() - asked < 1:
                # Too many wait at the service for it to let us wait there.
                time.sleep(min(1.0, _left(deadline)))


def _left(deadline: float | None) -> float:
    return _WAIT if deadline is None else max(0.0, deadline - time.monotonic())
