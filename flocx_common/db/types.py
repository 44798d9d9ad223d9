# SPDX-License-Identifier: Apache-2.0
"""Column types that mean the same on PostgreSQL, MariaDB/MySQL and SQLite."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from flocx_common.domain.clock import as_utc
from flocx_common.domain.money import PRICE_DIGITS

_WHOLE_DIGITS = 24


class UTCDateTime(sa.types.TypeDecorator[datetime]):
    """An aware instant with microseconds, stored in UTC; naive ones are refused."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(sa.DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        value = as_utc(value)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class ExactDecimal(sa.types.TypeDecorator[Decimal]):
    """A decimal that is not negative, with six fractional digits, kept exactly.

    SQLite has no exact decimals: there it is text of fixed width, which sorts
    and compares like the number.
    """

    impl = sa.Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.String(_WHOLE_DIGITS + 1 + PRICE_DIGITS))
        return dialect.type_descriptor(sa.Numeric(_WHOLE_DIGITS + PRICE_DIGITS, PRICE_DIGITS))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return f"{value:0{_WHOLE_DIGITS + 1 + PRICE_DIGITS}.{PRICE_DIGITS}f}"

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value).quantize(Decimal(1).scaleb(-PRICE_DIGITS))


class JSONText(sa.types.TypeDecorator[Any]):
    """A JSON value kept as ASCII text, on every database the same."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(mysql.LONGTEXT())
        return dialect.type_descriptor(sa.Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def text(length: int) -> sa.String:
    """Return a short text type that compares byte for byte on every database."""
    exact: sa.String = sa.String(length)
    exact = exact.with_variant(sa.String(length, collation="C"), "postgresql")
    return exact.with_variant(mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb")


def uuid_text() -> sa.String:
    """Return the type of a UUID in canonical text form."""
    return text(36)
