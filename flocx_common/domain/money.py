# SPDX-License-Identifier: Apache-2.0
"""Exact prices per node-hour and the amounts they come to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

#: Digits after the point of every price and amount.
PRICE_DIGITS = 6
#: The smallest difference between two prices.
PRICE_STEP = Decimal(1).scaleb(-PRICE_DIGITS)
#: No price reaches this; it leaves room for the amounts of long contracts.
PRICE_LIMIT = Decimal(10) ** 12

_ZERO = Decimal(0).quantize(PRICE_STEP)
# Enough digits that nothing is rounded before the one rounding we mean.
_EXACT = Context(prec=80, rounding=ROUND_HALF_EVEN)


def to_price(value: Decimal | int | str) -> Decimal:
    """Return ``value`` as a price: not negative, below 10**12, six fractional digits.

    :raises ValueError: it is no finite decimal number, is out of range or has
        more than six significant fractional digits. Nothing is rounded: what
        is stored is what was sent.
    """
    if isinstance(value, float | bool):
        raise ValueError("a price is an exact decimal, never a float or a truth value")
    try:
        number = Decimal(value)
    except (InvalidOperation, ValueError, TypeError):
        raise ValueError(f"{value!r} is no decimal number") from None
    if not number.is_finite():
        raise ValueError(f"{value} is no finite number")
    if number.is_signed() and number:
        raise ValueError(f"{value} is negative")
    if number >= PRICE_LIMIT:
        raise ValueError(f"{value} is not below {PRICE_LIMIT}")
    exact = abs(number).quantize(PRICE_STEP, context=_EXACT)
    if exact != abs(number):
        raise ValueError(f"{value} has more than {PRICE_DIGITS} fractional digits")
    return exact


def amount_for(price: Decimal, duration: timedelta) -> Decimal:
    """Return what ``duration`` costs at ``price`` per hour, rounded half-even to six digits.

    A duration that is not positive costs nothing.
    """
    seconds = duration // timedelta(seconds=1)
    if seconds <= 0:
        return _ZERO
    product = _EXACT.multiply(price, Decimal(seconds))
    return _EXACT.quantize(_EXACT.divide(product, Decimal(3600)), PRICE_STEP)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum of ``amounts``; zero for none."""
    result = _ZERO
    for amount in amounts:
        result = _EXACT.add(result, amount)
    return result


def mean(prices: Sequence[Decimal]) -> Decimal:
    """Return the mean of ``prices`` rounded half-even to six digits; zero for none."""
    if not prices:
        return _ZERO
    return _EXACT.quantize(_EXACT.divide(total(prices), Decimal(len(prices))), PRICE_STEP)


def price_text(price: Decimal) -> str:
    """Return ``price`` as it goes over the wire: plain digits, six of them after the point."""
    return f"{price:.{PRICE_DIGITS}f}"


def to_micros(price: Decimal) -> int:
    """Return ``price`` counted in its smallest steps; exact, for integer arithmetic."""
    return int(_EXACT.multiply(price, Decimal(10**PRICE_DIGITS)))


def from_micros(micros: int) -> Decimal:
    """Return the price that ``micros`` smallest steps make."""
    return Decimal(micros).scaleb(-PRICE_DIGITS, context=_EXACT)
