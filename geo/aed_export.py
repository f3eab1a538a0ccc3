"""The devices of an organisation as a list: all that is said of them, no code, no custodian."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import tables
from geo.position import Position
from geo.usability import Status


async def rows(conn: AsyncConnection, org_id: UUID) -> list[dict[str, Any]]:
    """List the devices as columns with `lon` and `lat`, in the order of ids, no withdrawn ones."""
    table = tables.aed
    query = (
        select(table)
        .where(table.c.org_id == org_id, table.c.status != Status.WITHDRAWN)
        .order_by(table.c.id)
    )
    found = []
    for row in await conn.execute(query):
        place = Position.from_wkb(row.position)
        found.append({**row._asdict(), "lon": place.lon, "lat": place.lat})
    return found
