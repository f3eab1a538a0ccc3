"""A new incident with its number and the first line of its timeline, in one statement."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, errors, states
from dispatch.store.ids import new_id
from dispatch.store.incidents import Incident
from dispatch.store.lines import Line

# One number per organisation and year; the upsert locks it until the commit, so there are no gaps.
# By one statement, so that it is held no longer than this, the events and the commit take.
_OPEN = sa.text("""
with numbered as (
    insert into incident_number as mine (org_id, year, last)
    select org.id, extract(year from cast(:created_at as timestamptz) at time zone org.timezone), 1
    from org where org.id = :org_id
    on conflict (org_id, year) do update set last = mine.last + 1
    returning year || '-' || lpad(last::text, greatest(6, length(last::text)), '0') as number
), opened as (
    insert into incident (
        id, org_id, number, kind, severity, exercise, drill_speed, position, address, floor,
        entrance, note, caller_phone, ambulance, ambulance_eta_at, ambulance_changed_at, opened_by,
        created_at)
    select :id, :org_id, number, :kind, :severity, :exercise, :drill_speed,
        ST_GeogFromText(:position), :address, :floor, :entrance, :note, :caller_phone, :ambulance,
        :ambulance_eta_at, :ambulance_changed_at, :opened_by, :created_at
    from numbered returning id, number, drill_speed
), told as (
    insert into line (id, incident_id, at, actor_id, channel, kind, args)
    select :line_id, id, :created_at, :opened_by, :channel, :told, :args from opened returning seq
)
select opened.number, opened.drill_speed, told.seq, org.code as org_code, org.path as org_path,
    org.phone as org_phone, (select name from person where id = :opened_by) as actor_name
from opened cross join told join org on org.id = :org_id
""")

#: What a new incident is by the defaults of its table, and the counts that it begins with.
_NEW: Mapping[str, Any] = {
    **dict.fromkeys(Incident.__dataclass_fields__),
    "status": states.Incident.RECEIVED, "version": 1,
    "alerted": 0, "accepted": 0, "going": 0, "on_scene": 0,
}  # fmt: skip


async def open_incident(
    conn: AsyncConnection,
    org_id: UUID,
    *,
    told: str,
    channel: str,
    args: Mapping[str, object],
    now: datetime,
    **values: Any,
) -> tuple[Incident, Line]:
    """Insert an incident, of the values of its fields, with the next number of its local year.

    `told`, `channel` and `args` are those of its first line. Raises NotFound when there is no such
    organisation.
    """
    line_id = new_id()
    incident = {"id": new_id(), "org_id": org_id, "created_at": now, **values}
    written = {
        **incident, "kind": values["kind"].value, "ambulance": values["ambulance"].value,
        "position": values["position"].ewkt(),
        "line_id": line_id, "told": told, "channel": channel, "args": db.json(args),
    }  # fmt: skip
    [rows] = await db.together(conn, (_OPEN, written))
    if not rows:
        raise errors.NotFound
    [row] = rows
    line = Line(
        id=line_id, seq=row.pop("seq"), incident_id=incident["id"], at=now, device_at=None,
        actor_id=values["opened_by"], actor_name=row.pop("actor_name"), channel=channel, kind=told,
        args=dict(args), text=None, struck_at=None, struck_by=None,
    )  # fmt: skip
    row["drill_speed"] = float(row["drill_speed"])
    return Incident(**{**_NEW, **incident, **row}), line
