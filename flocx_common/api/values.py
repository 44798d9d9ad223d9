# SPDX-License-Identifier: Apache-2.0
"""Values on the wire to values of the domain and back: times, prices, uuids."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from flocx_common.api.json_body import LiteralFloat
from flocx_common.domain.clock import floor_second
from flocx_common.domain.errors import Invalid, PriceInvalid, WindowInvalid
from flocx_common.domain.ids import is_id
from flocx_common.domain.money import price_text, to_price

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)


def time_from(text: object, field: str) -> datetime:
    """Return the instant that ISO 8601 text names; without an offset it is UTC.

    :raises WindowInvalid: it is no instant, has a fraction of a second, or lies
        before the year 2000 or after 9000.
    """
    try:
        instant = datetime.fromisoformat(str(text))
        instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise WindowInvalid(
            f"{field}: {text!r} is no ISO 8601 time, such as 2026-12-01T08:00:00Z", field=field
        ) from None
    if instant.microsecond:
        raise WindowInvalid(f"{field}: {text!r} has a fraction of a second; whole seconds are expected", field=field)
    if not _EARLIEST <= instant < _LATEST:
        raise WindowInvalid(f"{field}: {text!r} is not between the years 2000 and 9000", field=field)
    return instant


def time_text(instant: datetime) -> str:
    """Return an instant as it goes over the wire: whole seconds, in UTC with Z."""
    return floor_second(instant).isoformat().replace("+00:00", "Z")


def optional_time_text(instant: datetime | None) -> str | None:
    """Return an instant as it goes over the wire, or None."""
    return None if instant is None else time_text(instant)


def price_from(value: object, field: str) -> Decimal:
    """Return the price that a number or a string of a body means, exactly as written.

    :raises PriceInvalid: it is no price.
    """
    try:
        match value:
            case LiteralFloat():
                return to_price(value.literal)
            case bool():
                raise ValueError("a number or a string is expected")
            case int() | str():
                return to_price(value)
            case _:
                raise ValueError(f"{value!r} is no exact decimal")
    except ValueError as error:
        raise PriceInvalid(f"{field}: {error}", field=field) from None


def uuid_from(text: str, field: str) -> str:
    """Return a uuid in canonical form.

    :raises Invalid: it is none.
    """
    lower = text.lower()
    if not is_id(lower):
        raise Invalid(f"{field}: {text!r} is no UUID", field=field)
    return lower


def normalized(body: object) -> object:
    """Return a body in which equal requests are equal, whichever way their numbers are written."""
    if isinstance(body, dict):
        return {key: _normalized_field(key, value) for key, value in body.items()}
    return body


def _normalized_field(key: str, value: object) -> object:
    if value is None:
        return None
    if key.endswith("_price"):
        return price_text(price_from(value, key))
    if key.endswith("_time"):
        return time_text(time_from(value, key))
    return value
