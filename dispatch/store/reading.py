"""One row to one frozen value.

Statements that are run for every alarm are made once, beside their functions, with parameters: to
build and to recognise a wide one takes SQLAlchemy a millisecond each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

T = TypeVar("T")
#: A row by the names of its columns; of `rows`, or SQLAlchemy's own.
Row = Mapping[str, Any] | sa.RowMapping


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def is_any(column: sa.Column[UUID]) -> sa.ColumnElement[bool]:
    """Compare with the array `ids`: a list of a hundred names would be parsed anew each time."""
    return column == sa.any_(sa.bindparam("ids", type_=pg.ARRAY(sa.Uuid)))


def rows(result: sa.CursorResult[Any]) -> list[dict[str, Any]]:
    """Return all rows as plain dicts.

    Of many wide rows SQLAlchemy's own look-up by name takes longer than all the rest.
    """
    names = tuple(result.keys())
    return [dict(zip(names, row, strict=True)) for row in result]


def value(kind: type[T], row: Row, /, **typed: Any) -> T:
    """Make a value of the columns that carry its fields' names, and of what was typed already."""
    names: tuple[str, ...] = _names(kind)  # type: ignore[arg-type]  # every class is hashable
    return kind(**{name: typed[name] if name in typed else row[name] for name in names})
