"""What has to give way for an alarm: practice for any, an exercise for a real one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    assignments,
    care,
    db,
    deliveries,
    events,
    mission,
    states,
    store,
    tables,
    telling,
    timers,
    waves,
)
from dispatch.alerts import answers
from geo.position import Position
from realtime import log

#: An ended practice tells nobody where the person was.
_NOWHERE = Position(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Yielded:
    """What the action that others gave way for has to tell, once and last, with its own."""

    items: tuple[log.Item, ...] = ()
    people: Mapping[UUID, events.PersonKind] = field(default_factory=dict)


# The unique indexes of live alerts and assignments, and the one of practices. Exercises come
# before practices: an exercise, too, ends practices while it is locked.
_BOUND = sa.text("""
select id from incident
where practice_of = any(cast(:ids as uuid[])) and closed_at is null
union
select incident.id from alert join incident on incident.id = alert.incident_id
where :is_real and incident.exercise and alert.responder_id = any(cast(:ids as uuid[]))
  and alert.status in ('pending','notified','delivered','seen')
union
select incident.id from assignment join incident on incident.id = assignment.incident_id
where :is_real and incident.exercise and assignment.responder_id = any(cast(:ids as uuid[]))
  and assignment.ended_at is null
""")


def finding_bound(responder_ids: Collection[UUID], *, is_real: bool) -> db.Query:
    """Find what would have to give way for some people: the rows have the ids of incidents."""
    return _BOUND, {"ids": list(responder_ids), "is_real": is_real}


async def give_way(
    conn: AsyncConnection, responder_ids: Collection[UUID], *, is_real: bool, now: datetime
) -> Yielded:
    """Free people whom something else wants now: from practice, for a real alarm from exercises.

    What is returned has to be told at the end of the same transaction.
    """
    [bound] = await db.together(conn, finding_bound(responder_ids, is_real=is_real))
    return await free(conn, responder_ids, [row["id"] for row in bound], now=now)


async def free(
    conn: AsyncConnection, responder_ids: Collection[UUID], ids: Collection[UUID], *, now: datetime
) -> Yielded:
    """Free people from the incidents that were found.

    Locks those incidents and then the responders, all at once: call it before responders are
    locked.
    """
    if not ids:
        return Yielded()
    incident = tables.incident.c
    bound = await store.list_incidents(conn, incident.id.in_(ids))
    bound.sort(key=lambda item: (item.practice_of is not None, item.id))
    locked = [await store.lock_incident(conn, item.id, even_closed=True) for item in bound]
    involved = [await mission.list_involved(conn, item.id) for item in locked]
    await store.lock_responders(conn, {*responder_ids, *(one for some in involved for one in some)})
    wanted = frozenset(responder_ids)
    yielded = [await _leave(conn, item, wanted, now=now) for item in locked]
    return Yielded(
        tuple(item for one in yielded for item in one.items),
        {person: kind for one in yielded for person, kind in one.people.items()},
    )


async def _leave(
    conn: AsyncConnection, incident: store.Incident, wanted: Collection[UUID], *, now: datetime
) -> Yielded:
    if incident.practice_of is None:
        return await _leave_exercise(conn, incident, wanted, now=now)
    await end_practice(conn, incident.id, now=now)
    return Yielded()


async def _leave_exercise(
    conn: AsyncConnection, incident: store.Incident, wanted: Collection[UUID], *, now: datetime
) -> Yielded:
    """End what binds some people to a locked exercise, and let it ask others.

    Their phones show the real alarm at once: nobody has to read the end of the exercise first,
    and no message says "stop" while another one says "go".
    """
    alert, assignment = tables.alert.c, tables.assignment.c
    theirs = alert.responder_id.in_(wanted)
    going = await store.list_assignments(
        conn, assignment.incident_id == incident.id, assignment.responder_id.in_(wanted),
        assignment.ended_at.is_(None),
    )  # fmt: skip
    bound = sa.or_(
        alert.status.in_([status.value for status in states.ALERT_LIVE]),
        alert.id.in_([item.alert_id for item in going]),
    )
    left = await store.lock_alerts(conn, alert.incident_id == incident.id, theirs, bound)
    if not left:
        return Yielded()
    left = await _end_alerts(conn, left, now=now)
    over = {"status": states.Assignment.STOOD_DOWN.value, "ended_at": now}
    ended = [await store.change_assignment(conn, item.id, **over) for item in going]
    incident = await store.change_incident(conn, incident.id)
    await waves.change(conn, incident, now=now)
    await care.after_missions(conn, incident, ended, now=now)
    line = await store.add_line(
        conn, incident.id, channel=events.Channel.SYSTEM, kind=events.LineKind.YIELDED,
        args=telling.whom(left), by=None, now=now,
    )  # fmt: skip
    items = await telling.items(
        conn, events.Kind.ALERTS_YIELDED, incident, alerts=left, assignments=ended, lines=[line],
        now=now,
    )  # fmt: skip
    staying = await mission.list_involved(conn, incident.id)
    people = dict.fromkeys(staying, events.PersonKind.ALERT_CHANGED) | dict.fromkeys(
        (item.responder_id for item in left), events.PersonKind.MISSION_CHANGED
    )
    return Yielded(tuple(items), people)


async def _end_alerts(
    conn: AsyncConnection, left: list[store.Alert], *, now: datetime
) -> list[store.Alert]:
    """End alerts, those that were accepted too: what is over says so, and why."""
    live = [item for item in left if item.is_live]
    await store.change_alerts(conn, live, status=states.Alert.STOOD_DOWN)
    left = await store.lock_alerts(conn, tables.alert.c.id.in_([item.id for item in left]))
    left = await store.change_alerts(
        conn, left, stood_down_at=now, stand_down_seen_at=now, stand_down_reason=answers.REAL_ALARM
    )
    return await deliveries.silence(conn, left, deliveries.Why.STOOD_DOWN, now=now)


async def end_practice(conn: AsyncConnection, incident_id: UUID, *, now: datetime) -> None:
    """End a practice and take its alert off the phone; one that has ended stays so."""
    incident = await store.lock_incident(conn, incident_id, even_closed=True)
    if incident.practice_of is None or incident.closed_at is not None:
        return
    await answers.end_all(conn, incident)
    ended = await assignments.end_all(conn, incident, is_closing=True, now=now)
    asked = await store.lock_alerts(conn, tables.alert.c.incident_id == incident.id)
    asked = await store.change_alerts(conn, asked, from_position=None)
    await timers.disarm(conn, incident.id)
    incident = await store.change_incident(
        conn, incident.id, status=states.Incident.CLOSED.value, closed_at=now,
        disposition=states.Disposition.COMPLETED.value, position=_NOWHERE,
    )  # fmt: skip
    await telling.tell(
        conn, events.Kind.INCIDENT_CLOSED, incident, alerts=asked, assignments=ended,
        people=dict.fromkeys((a.responder_id for a in asked), events.PersonKind.MISSION_CHANGED),
        now=now,
    )  # fmt: skip
