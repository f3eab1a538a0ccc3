"""One row to one frozen value."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa

T = TypeVar("T")


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def value(kind: type[T], row: sa.RowMapping, /, **typed: Any) -> T:
    """Make a value of the columns that carry its fields' names, and of what was typed already."""
    # As a plain dict: SQLAlchemy's own look-up by name takes longer than all the rest.
    columns: dict[str, Any] = {str(name): column for name, column in row.items()}
    names: tuple[str, ...] = _names(kind)  # type: ignore[arg-type]  # every class is hashable
    plain = {name: columns[name] for name in names if name not in typed}
    return kind(**plain, **typed)
