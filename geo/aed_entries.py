"""What is on record of a device row by row (checks, reports, uses): written and read alike."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import CollectionAggregate, Row, Table, Uuid, any_, insert, literal, select, update
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection


def one_of(ids: Iterable[UUID]) -> CollectionAggregate[bool]:
    """Name many devices in one parameter: a list has more rows than a statement has room for."""
    return any_(literal(list(ids), pg.ARRAY(Uuid)))


async def add(conn: AsyncConnection, table: Table, **values: object) -> Row[Any]:
    """Enter a row and give it as it is kept."""
    row: Row[Any] = (await conn.execute(insert(table).values(**values).returning(table))).one()
    return row


async def change(conn: AsyncConnection, table: Table, entry_id: UUID, **values: object) -> Row[Any]:
    """Change a row that is there and give it."""
    statement = update(table).where(table.c.id == entry_id).values(**values)
    row: Row[Any] = (await conn.execute(statement.returning(table))).one()
    return row


async def find(
    conn: AsyncConnection, table: Table, aed_id: UUID, entry_id: UUID
) -> Row[Any] | None:
    """Give a row of the device; None when it has none with this id."""
    query = select(table).where(table.c.aed_id == aed_id, table.c.id == entry_id)
    return (await conn.execute(query)).first()


async def newest(
    conn: AsyncConnection, table: Table, aed_id: UUID, *, by: str = "at", limit: int
) -> list[Row[Any]]:
    """List the rows of the device, the newest first."""
    query = select(table).where(table.c.aed_id == aed_id)
    ordered = query.order_by(table.c[by].desc(), table.c.id).limit(limit)
    return list(await conn.execute(ordered))
