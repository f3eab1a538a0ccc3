"""Reads: the board of an organisation, one incident's card, a phone's view, a team's answers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import channel_health, errors, events, mission, orgs, store, tables, telling
from geo import aeds, usability
from realtime import log

#: How many closed incidents the idle screen shows.
CLOSED_MOST = 20


async def snapshot(conn: AsyncConnection, topic: str, *, now: datetime) -> events.Body:
    """Return the state that goes with a topic's present number.

    Read it in one repeatable-read transaction with `log.position_of`; then the pair is exact.
    Raises NotFound when there is no such thing, or no such kind of topic.
    """
    noun, _, name = topic.partition(":")
    if noun == "org":
        return await org_board(conn, name)
    thing_id = _uuid(name)
    match noun:
        case "incident":
            return await incident_card(conn, thing_id)
        case "person":
            return await person_view(conn, thing_id, now=now)
        case "team":
            return await team_view(conn, thing_id)
        case _:
            raise errors.NotFound


async def snapshots(
    conn: AsyncConnection, topics: Collection[str], *, now: datetime
) -> dict[str, events.Body | errors.DispatchError]:
    """Return the `snapshot` of each topic, or why there is none; those of people all at once."""
    found: dict[str, events.Body | errors.DispatchError] = {}
    people: dict[UUID, str] = {}
    for topic in topics:
        noun, _, name = topic.partition(":")
        try:
            if noun == "person":
                people[_uuid(name)] = topic
            else:
                found[topic] = await snapshot(conn, topic, now=now)
        except errors.DispatchError as refused:
            found[topic] = refused
    views = await person_views(conn, people.keys(), now=now) if people else {}
    for person_id, topic in people.items():
        found[topic] = views.get(person_id) or errors.NotFound()
    return found


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise errors.NotFound from None


async def with_mark(
    conn: AsyncConnection, topic: str, *, now: datetime
) -> tuple[log.Mark, events.Body]:
    """Return a topic's snapshot with its place in the log; `conn` is a `Database.snapshot`."""
    body = await snapshot(conn, topic, now=now)
    marks = await log.position_of(conn, [topic])
    return marks[topic], body


def org_out(org: orgs.Org) -> events.Body:
    """Show an organisation."""
    return {
        "id": str(org.id),
        "code": org.code,
        "name_zh": org.name_zh,
        "name_en": org.name_en,
        "level": org.level,
        "parent": org.parent,
        "phone": org.phone,
        "is_demo": org.is_demo,
    }


async def org_board(conn: AsyncConnection, code: str) -> events.Body:
    """Return the open incidents of an organisation with their alerts and assignments."""
    org = await orgs.find_org(conn, code)
    if org is None:
        raise errors.NotFound
    incident = tables.incident.c
    found = await store.list_incidents(
        conn, incident.org_id == org.id, incident.closed_at.is_(None),
        incident.practice_of.is_(None),
    )  # fmt: skip
    open_ids = [item.id for item in found]
    alerts = await store.list_alerts(conn, tables.alert.c.incident_id.in_(open_ids))
    going = await store.list_assignments(conn, tables.assignment.c.incident_id.in_(open_ids))
    return {
        "org": org_out(org),
        "incidents": events.by_id(events.incident_out(item) for item in found),
        "alerts": events.by_id(events.alert_out(item) for item in alerts),
        "assignments": events.by_id(events.assignment_out(item) for item in going),
        "channels": channel_health.silent_out(await channel_health.list_all(conn)),
    }


async def incident_card(conn: AsyncConnection, incident_id: UUID) -> events.Body:
    """Return an incident with everything of it; the timeline in the order it was written."""
    incident = await store.get_incident(conn, incident_id)
    alerts = await store.list_alerts(conn, tables.alert.c.incident_id == incident_id)
    going = await store.list_assignments(conn, tables.assignment.c.incident_id == incident_id)
    lines = await store.list_lines(conn, incident_id)
    reserved = await store.reservations_of(conn, incident_id)
    return {
        "incident": events.incident_out(incident),
        "alerts": events.by_id(events.alert_out(item) for item in alerts),
        "assignments": events.by_id(events.assignment_out(item) for item in going),
        "lines": [events.line_out(line) for line in lines],
        "reservations": [events.reservation_out(item) for item in reserved],
    }


async def allocations(
    conn: AsyncConnection, incident_id: UUID, *, limit: int = 50
) -> list[events.Body]:
    """Return the stored record of each decision of an incident, the latest first."""
    return [
        {
            "id": str(row["id"]),
            "incident": str(incident_id),
            "wave": events.ident(row["wave_id"]),
            "made_at": events.time(row["made_at"]),
            "policy": row["policy"],
            # Records from before plans were weighed have none of these.
            **{name: row["inputs"].get(name) for name in ("digest", "modes", "expected")},
            "inputs": row["inputs"],
            "chosen": row["chosen"],
            "excluded": row["excluded"],
            "ms": float(row["milliseconds"]),
        }
        for row in await store.list_allocations(conn, incident_id, limit=limit)
    ]


_SHOWN = ("id", "name", "name_en", "username", "language", "is_invented")


async def person_view(conn: AsyncConnection, person_id: UUID, *, now: datetime) -> events.Body:
    """Return what a person's phone shows; duty is null for who is no responder."""
    views = await person_views(conn, [person_id], now=now)
    if person_id not in views:
        raise errors.NotFound
    return views[person_id]


async def person_views(
    conn: AsyncConnection, person_ids: Collection[UUID], *, now: datetime
) -> dict[UUID, events.Body]:
    """Return what each person's phone shows, of those who are there."""
    person = tables.person.c
    rows = await conn.execute(sa.select(*person[_SHOWN]).where(person.id.in_(person_ids)))
    responders = await store.list_responders(
        conn, tables.responder.c.id.in_(person_ids), limit=len(person_ids)
    )
    on_duty = {responder.id: responder for responder in responders}
    views = await mission.views(conn, person_ids, now=now)
    return {
        row["id"]: {
            "person": {**{name: row[name] for name in _SHOWN}, "id": str(row["id"])},
            **telling.duty_out(on_duty.get(row["id"]), now=now),
            **views[row["id"]],
        }
        for row in rows.mappings()
    }


async def team_view(conn: AsyncConnection, team_id: UUID) -> events.Body:
    """Return a team with its members' alerts of open incidents."""
    team = await store.get_team(conn, team_id)
    is_open = sa.select(tables.incident.c.id).where(tables.incident.c.closed_at.is_(None))
    alert = tables.alert.c
    alerts = await store.list_alerts(conn, alert.team_id == team_id, alert.incident_id.in_(is_open))
    return {
        "team": team_out(team),
        "alerts": events.by_id(events.alert_out(item) for item in alerts),
    }


def team_out(team: store.Team) -> events.Body:
    """Show a team."""
    return {
        "id": str(team.id),
        "code": team.code,
        "name": team.name,
        "leader": events.ident(team.leader_id),
        "members": [str(member) for member in team.members],
        "version": team.version,
    }


# Served by ix_org_path's prefix and ix_responder_org_id; figures are read when a screen is idle.
_ON_DUTY = sa.text("""
select count(*) from responder
join org on org.id = responder.org_id and starts_with(org.path, :path)
where case when responder.duty_until is null or responder.duty_until > :now
           then responder.duty = 'available'
           else responder.duty in ('off_duty', 'resting') end
  and (responder.rest_until is null or responder.rest_until <= :now)
""")


async def figures(conn: AsyncConnection, org: orgs.Org, *, now: datetime) -> events.Body:
    """Return what an idle console shows: who is on duty, usable AEDs, the last day's incidents."""
    on_duty = await conn.scalar(_ON_DUTY, {"path": org.path, "now": now})
    devices = await aeds.list_page(conn, org_id=org.id, limit=10_000)
    usable = sum(aeds.usable(aed, now).state is usability.Usable.YES for aed in devices)
    incident = tables.incident.c
    closed = await store.list_incidents(
        conn, incident.org_id == org.id, incident.closed_at > now - timedelta(days=1),
        incident.practice_of.is_(None), limit=CLOSED_MOST,
    )  # fmt: skip
    return {
        "on_duty": on_duty,
        "aeds_usable": usable,
        "aeds_total": len(devices),
        "closed_24h": [events.incident_out(item) for item in closed],
        "channels": await channel_health.proofs(conn, now=now),
    }
