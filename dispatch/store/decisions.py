"""Rows of the records of decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, tables
from dispatch.store.ids import new_id

_ADD_ALLOCATION = sa.insert(tables.allocation)


async def add_allocation(conn: AsyncConnection, **values: Any) -> UUID:
    """Keep the record of one decision and return its id."""
    allocation_id = new_id()
    written = {name: db.json(values[name]) for name in ("inputs", "chosen", "excluded")}
    await db.together(conn, (_ADD_ALLOCATION, {"id": allocation_id, **values, **written}))
    return allocation_id


async def list_allocations(
    conn: AsyncConnection, incident_id: UUID, *, limit: int | None = None
) -> Sequence[sa.RowMapping]:
    """Return the records of an incident's decisions, the latest first."""
    allocation = tables.allocation
    rows = await conn.execute(
        sa.select(allocation)
        .where(allocation.c.incident_id == incident_id)
        .order_by(allocation.c.id.desc())
        .limit(limit)
    )
    return rows.mappings().all()
