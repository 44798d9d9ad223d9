# SPDX-License-Identifier: Apache-2.0
"""Times and durations as people write and read them.

A time without an offset is one of the caller's zone. A day named alone, such as
``tomorrow`` or ``2026-12-01``, means its beginning, which always exists. A clock
time that the zone skips, or has twice, when clocks are put forward or back is
refused, with the two times that it may stand for: a contract must not begin
an hour off. In a duration a day is 24 hours, whatever the clocks do.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_UNITS = {
    "w": 604800, "week": 604800, "weeks": 604800,
    "d": 86400, "day": 86400, "days": 86400,
    "h": 3600, "hour": 3600, "hours": 3600,
    "m": 60, "min": 60, "mins": 60, "minute": 60, "minutes": 60,
    "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1,
}  # fmt: skip
_PART = re.compile(r"([0-9]{1,12})\s*([a-z]+)\s*")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")


def parse_time(text: str, now: datetime, zone: tzinfo) -> datetime:
    """Return the instant that a text means, in UTC and whole seconds.

    ``now``; ``+3h`` and ``in 2d`` from now on; ``18:00``, the next time that it
    is; ``today``, ``tomorrow`` and the days of the week, with or without a clock
    time (``monday`` is never today, but a week ahead then); ISO 8601 dates and
    times, with or without an offset.

    :param now: the present, aware.
    :param zone: the zone of clock times and days without an offset.
    :raises ValueError: the text means no time, or not one alone.
    """
    words = " ".join(text.lower().split())
    present = now.astimezone(UTC).replace(microsecond=0)
    try:
        if words == "now":
            return present
        if ahead := re.match(r"\+|in ", words):
            return present + timedelta(seconds=parse_duration(words[ahead.end() :]))
        if _CLOCK.fullmatch(words):
            return _next(words, text, present, zone)
        first, _, rest = words.partition(" ")
        day = _named_day(first, present.astimezone(zone).date())
        if day is not None:
            return _at(day, rest, text, zone)
        return _iso(words, text, zone)
    except _NotOneTimeError:
        raise
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no time; write it like 'tomorrow 08:00' or '2026-12-01T08:00+01:00'") from None


def parse_duration(text: str) -> int:
    """Return the seconds of a duration: ``3h``, ``1d12h``, ``1 day 2 hours``, or a plain number of seconds.

    Each unit of weeks, days, hours, minutes and seconds may stand once.

    :raises ValueError: the text is no duration.
    """
    words = text.strip().lower()
    if re.fullmatch(r"[0-9]{1,12}", words):
        return int(words)
    total = place = 0
    used = set()
    while match := _PART.match(words, place):
        length = _UNITS.get(match[2])
        if length is None or length in used:
            break
        used.add(length)
        total += int(match[1]) * length
        place = match.end()
    if not used or place < len(words):
        raise ValueError(f"{text!r} is no duration; write it like '3h' or '1 day 12 hours'")
    return total


def format_time(instant: datetime, zone: tzinfo) -> str:
    """Return an instant as the time of a zone, with its offset, so that it can be read back."""
    return instant.astimezone(zone).isoformat(timespec="seconds").replace("+00:00", "Z")


def format_duration(seconds: int) -> str:
    """Return a duration in days, hours, minutes and seconds, so that it can be read back."""
    parts = []
    left = seconds
    for unit in "dhms":
        number, left = divmod(left, _UNITS[unit])
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"


def local_zone() -> tzinfo:
    """Return the zone of the machine: that of ``TZ``, or else of ``/etc/localtime``."""
    name = os.environ.get("TZ", "/etc/localtime").removeprefix(":")
    if not name:
        return UTC
    try:
        if not os.path.isabs(name):
            return ZoneInfo(name)
        with open(name, "rb") as file:
            return ZoneInfo.from_file(file, key=os.path.realpath(name).rpartition("/zoneinfo/")[2])
    except (OSError, ValueError, KeyError):
        # A rule instead of a name: its offset of today is all there is.
        return datetime.now().astimezone().tzinfo or UTC


class _NotOneTimeError(ValueError):
    """A clock time that the zone skips or has twice."""


def _named_day(name: str, today: date) -> date | None:
    if name in ("today", "tomorrow"):
        return today + timedelta(days=name == "tomorrow")
    if name in _WEEKDAYS or name in {day[:3] for day in _WEEKDAYS}:
        number = [day[:3] for day in _WEEKDAYS].index(name[:3])
        return today + timedelta(days=(number - today.weekday() - 1) % 7 + 1)
    return None


def _next(clock: str, text: str, present: datetime, zone: tzinfo) -> datetime:
    """Return the next instant at which the clocks of a zone show a time."""
    today = present.astimezone(zone).date()
    instant = _at(today, clock, text, zone)
    return instant if instant > present else _at(today + timedelta(days=1), clock, text, zone)


def _at(day: date, clock: str, text: str, zone: tzinfo) -> datetime:
    if not clock:
        return _beginning(day, zone)
    match = _CLOCK.fullmatch(clock)
    if match is None:
        raise ValueError(clock)
    hour, minute, second = (int(part or 0) for part in match.groups())
    return _resolved(datetime.combine(day, time(hour, minute, second)), text, zone)


def _iso(words: str, text: str, zone: tzinfo) -> datetime:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", words):
        return _beginning(date.fromisoformat(words), zone)
    if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[t ][0-9]{2}:[0-9]{2}", words):
        # The library takes more than anybody reads at a glance, such as week numbers.
        raise ValueError(text)
    local = datetime.fromisoformat(re.sub(r" (?=[+-])", "", words).upper())
    if local.microsecond:
        raise ValueError(text)
    return local.astimezone(UTC) if local.tzinfo else _resolved(local, text, zone)


def _beginning(day: date, zone: tzinfo) -> datetime:
    # Where midnight is skipped, its reading by the old offset is the first instant after it.
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _resolved(local: datetime, text: str, zone: tzinfo) -> datetime:
    """Return the instant of a clock time that a zone has exactly once.

    :raises _NotOneTimeError: it has it not at all, or twice.
    """
    readings = [local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    early, late = min(readings), max(readings)
    if early == late:
        return early
    skipped = readings[0].astimezone(zone).replace(tzinfo=None) != local
    raise _NotOneTimeError(
        f"{text!r} is {'skipped' if skipped else 'there twice'} in {zone} when the clocks change; "
        f"write '{format_time(early, zone)}' or '{format_time(late, zone)}'"
    )
