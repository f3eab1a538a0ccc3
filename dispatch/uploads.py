"""Lists that were sent in and not taken over yet, and the layouts that an office keeps for them.

A file may hold telephone numbers: its content is dropped when the list is taken over, and a day
after it came at the latest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, store, tables

KEEP_FOR = timedelta(days=1)


class ListKind(StrEnum):
    """The lists that can be sent in."""

    AEDS = "aeds"
    RESPONDERS = "responders"
    STOCK = "stock"


class Applied(errors.Conflict):
    """The list was taken over already, or its day is over; send the file again."""

    code = "list_applied"


@dataclass(frozen=True, slots=True)
class Upload:
    """One list; without content once it was taken over or its day is over."""

    id: UUID
    org_id: UUID
    kind: ListKind
    name: str
    content: bytes | None
    options: Mapping[str, Any]
    report: Mapping[str, Any] | None
    by_id: UUID | None
    created_at: datetime
    applied_at: datetime | None


@dataclass(frozen=True, slots=True)
class Layout:
    """Which column is which field, kept under a name."""

    id: UUID
    org_id: UUID
    kind: ListKind
    name: str
    mapping: Mapping[str, Any]


async def add(
    conn: AsyncConnection,
    org_id: UUID,
    kind: ListKind,
    *,
    name: str,
    content: bytes,
    options: Mapping[str, Any],
    by: UUID,
    now: datetime,
) -> UUID:
    """Keep a file until somebody takes it over."""
    upload_id = store.new_id()
    await conn.execute(
        sa.insert(tables.import_file).values(
            id=upload_id, org_id=org_id, kind=kind, name=name, content=content,
            options=dict(options), by_id=by, created_at=now,
        )
    )  # fmt: skip
    return upload_id


async def get(conn: AsyncConnection, upload_id: UUID) -> Upload:
    """Give a list as it was sent in. Raises NotFound."""
    table = tables.import_file
    row = (await conn.execute(sa.select(table).where(table.c.id == upload_id))).mappings().first()
    if row is None:
        raise errors.NotFound
    return _upload(row)


async def recent(
    conn: AsyncConnection, paths: Sequence[str], *, after: UUID | None, limit: int
) -> list[Upload]:
    """List what was sent in, the newest first, without the contents."""
    table = tables.import_file
    without = [column for column in table.c if column.name != "content"]
    query = (
        sa.select(*without, sa.null().label("content"))
        .join(tables.org, tables.org.c.id == table.c.org_id)
        .where(sa.or_(*(sa.func.starts_with(tables.org.c.path, path) for path in paths)))
        .order_by(table.c.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(table.c.id < after)
    return [_upload(row) for row in (await conn.execute(query)).mappings()]


async def change(conn: AsyncConnection, upload_id: UUID, options: Mapping[str, Any]) -> Upload:
    """Read the list in another way from now on. Raises NotFound, Applied."""
    return await _write(conn, upload_id, options=dict(options))


async def finish(
    conn: AsyncConnection, upload_id: UUID, report: Mapping[str, Any], *, now: datetime
) -> Upload:
    """Note that the list was taken over, and drop its content. Raises NotFound, Applied."""
    return await _write(conn, upload_id, report=dict(report), content=None, applied_at=now)


async def _write(conn: AsyncConnection, upload_id: UUID, **values: object) -> Upload:
    table = tables.import_file
    is_open = (table.c.id == upload_id) & table.c.content.is_not(None)
    changed = await conn.execute(sa.update(table).where(is_open).values(**values).returning(table))
    row = changed.mappings().first()
    if row is None:
        await get(conn, upload_id)
        raise Applied
    return _upload(row)


async def sweep(conn: AsyncConnection, *, now: datetime) -> int:
    """Drop the contents whose day is over; return how many."""
    table = tables.import_file
    is_old = table.c.content.is_not(None) & (table.c.created_at < now - KEEP_FOR)
    swept = await conn.execute(sa.update(table).where(is_old).values(content=None))
    return swept.rowcount


async def keep_layout(
    conn: AsyncConnection,
    org_id: UUID,
    kind: ListKind,
    *,
    name: str,
    mapping: Mapping[str, Any],
    by: UUID,
) -> Layout:
    """Keep a layout under a name; one of the same name is replaced."""
    table = tables.import_profile
    statement = pg.insert(table).values(
        id=store.new_id(), org_id=org_id, kind=kind, name=name, mapping=dict(mapping), by_id=by
    )
    kept = await conn.execute(
        statement.on_conflict_do_update(
            index_elements=["org_id", "kind", "name"],
            set_={"mapping": statement.excluded.mapping, "by_id": by},
        ).returning(table)
    )
    return _layout(kept.mappings().one())


async def layouts(
    conn: AsyncConnection, paths: Sequence[str], kind: ListKind | None = None
) -> list[Layout]:
    """List the layouts that offices keep, by name."""
    table = tables.import_profile
    query = (
        sa.select(table)
        .join(tables.org, tables.org.c.id == table.c.org_id)
        .where(sa.or_(*(sa.func.starts_with(tables.org.c.path, path) for path in paths)))
        .order_by(table.c.name, table.c.id)
    )
    if kind is not None:
        query = query.where(table.c.kind == kind)
    return [_layout(row) for row in (await conn.execute(query)).mappings()]


def _upload(row: sa.RowMapping) -> Upload:
    values = {field.name: row[field.name] for field in fields(Upload)}
    return Upload(**{**values, "kind": ListKind(row["kind"])})


def _layout(row: sa.RowMapping) -> Layout:
    values = {field.name: row[field.name] for field in fields(Layout)}
    return Layout(**{**values, "kind": ListKind(row["kind"])})
