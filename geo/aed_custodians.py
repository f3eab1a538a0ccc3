"""Who answers for a device: the first is asked, then the second. Never public."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import aeds, tables


@dataclass(frozen=True, slots=True)
class Custodian:
    """One of the two; `rank` 1 is asked before 2."""

    rank: int
    unit: str | None
    name: str
    phone: str | None
    email: str | None


async def list_of(conn: AsyncConnection, aed_id: UUID) -> list[Custodian]:
    """List the custodians of a device in the order in which they are asked."""
    table = tables.aed_custodian
    query = select(table).where(table.c.aed_id == aed_id).order_by(table.c.rank)
    names = [field.name for field in fields(Custodian)]
    rows = await conn.execute(query)
    return [Custodian(**{name: getattr(row, name) for name in names}) for row in rows]


async def put(
    conn: AsyncConnection, aed_id: UUID, custodians: Sequence[Custodian], *, now: datetime
) -> None:
    """Replace the custodians of a device; no two of one rank. Raises `AedMissing`."""
    await aeds.lock(conn, aed_id)
    table = tables.aed_custodian
    await conn.execute(delete(table).where(table.c.aed_id == aed_id))
    if custodians:
        rows = [{"aed_id": aed_id, "updated_at": now, **asdict(one)} for one in custodians]
        await conn.execute(insert(table), rows)
