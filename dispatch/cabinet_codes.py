"""The secret of a code lock: shown to whoever is on the way to that AED, and each time on record.

It is in no record, history, export, event or log; nobody reads it but through `release`.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, events, fetchers, store, tables, telling
from geo import tables as geo_tables


async def put(
    conn: AsyncConnection, aed_id: UUID, code: str | None, *, by: UUID, now: datetime
) -> None:
    """Keep the code of a device's lock, or forget it."""
    table = geo_tables.aed_code
    if code is None:
        await conn.execute(sa.delete(table).where(table.c.aed_id == aed_id))
        return
    values = {"code": code, "actor_id": by, "updated_at": now}
    await conn.execute(
        pg.insert(table)
        .values(aed_id=aed_id, **values)
        .on_conflict_do_update(index_elements=["aed_id"], set_=values)
    )


async def is_known(conn: AsyncConnection, aed_id: UUID) -> bool:
    """Tell whether a code is kept, not which."""
    table = geo_tables.aed_code
    found = await conn.scalar(sa.select(sa.literal(1)).where(table.c.aed_id == aed_id))
    return found is not None


async def release(conn: AsyncConnection, aed_id: UUID, *, responder_id: UUID, now: datetime) -> str:
    """Give the code to a responder who accepted to fetch this AED for an incident that is open.

    Every release is a row and a line of the incident's timeline. Raises NotFound for anybody and
    anything else, so that nothing tells whether there is a code.
    """
    found = await fetchers.find_live(conn, aed_id, responder_id)
    if found is None:
        raise errors.NotFound
    incident, assignment = await store.lock_assignment(conn, found)
    code = await _code(conn, aed_id)
    if code is None or incident.closed_at is not None or not assignment.is_live:
        raise errors.NotFound
    await conn.execute(
        sa.insert(tables.code_release).values(
            id=store.new_id(), aed_id=aed_id, assignment_id=assignment.id,
            responder_id=responder_id, at=now,
        )
    )  # fmt: skip
    line = await store.add_line(
        conn, incident.id, channel=events.Channel.PHONE, kind=events.LineKind.CODE_RELEASED,
        args=_args(assignment, aed_id), by=responder_id, now=now,
    )  # fmt: skip
    await telling.tell(
        conn, events.Kind.LINE_ADDED, incident, with_incident=False, lines=[line], now=now
    )
    return code


def _args(assignment: store.Assignment, aed_id: UUID) -> events.Body:
    return {
        "assignment": str(assignment.id),
        "responder": str(assignment.responder_id),
        "name": assignment.name,
        "aed": str(aed_id),
        "aed_name": None if assignment.aed is None else assignment.aed.name,
    }


async def _code(conn: AsyncConnection, aed_id: UUID) -> str | None:
    table = geo_tables.aed_code
    found: str | None = await conn.scalar(sa.select(table.c.code).where(table.c.aed_id == aed_id))
    return found
