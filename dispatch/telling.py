"""The last step of every action: one event per topic, in the action's own transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import events, mission, states, store
from realtime import log


def org_topic(code: str) -> str:
    """Name the topic of an organisation's board."""
    return f"org:{code}"


def incident_topic(incident_id: UUID) -> str:
    """Name the topic of one incident."""
    return f"incident:{incident_id}"


def person_topic(person_id: UUID) -> str:
    """Name the topic of one person's phone."""
    return f"person:{person_id}"


def team_topic(team_id: UUID) -> str:
    """Name the topic of a team's leader."""
    return f"team:{team_id}"


def whom(alerts: Iterable[store.Alert]) -> events.Body:
    """Name the people of some alerts in the words of a timeline line."""
    return {
        "responders": [
            {"id": str(alert.responder_id), "name": alert.name, "alert": str(alert.id)}
            for alert in alerts
        ]
    }


async def tell(
    conn: AsyncConnection,
    kind: events.Kind,
    incident: store.Incident,
    *,
    with_incident: bool = True,
    alerts: Sequence[store.Alert] = (),
    assignments: Sequence[store.Assignment] = (),
    reservations: Sequence[store.Reservation] = (),
    lines: Sequence[store.Line] = (),
    people: Mapping[UUID, events.PersonKind] | None = None,
    just_asked: bool = False,
    teams_closed: Collection[UUID] = (),
    also: Sequence[log.Item] = (),
    now: datetime,
) -> None:
    """Append what an action changed to every topic that shows it. Call it once, and last.

    `with_incident` says that the incident itself changed. `people` are those whose phones show
    something else now, and with `just_asked` those of the alerts, who are locked; `also` are events
    of other things. Locks the responder rows of the others, then the clocks of the topics.
    """
    board = events.changes(
        incident if with_incident else None, alerts=alerts, assignments=assignments
    )
    card = board | events.changes(None, reservations=reservations, lines=lines)
    told = _to_boards(kind, incident, board, card)
    told += _to_teams(incident, alerts, teams_closed)
    asked = alerts if just_asked else ()
    told += await _to_asked(conn, incident, asked, now=now)
    told += await _to_people(conn, people or {}, but=[a.responder_id for a in asked], now=now)
    told += also
    await _take_back_places(conn, incident, alerts, assignments, now=now)
    await log.tell(conn, told, at=now)


async def items(
    conn: AsyncConnection,
    kind: events.Kind,
    incident: store.Incident,
    *,
    alerts: Sequence[store.Alert] = (),
    assignments: Sequence[store.Assignment] = (),
    lines: Sequence[store.Line] = (),
    now: datetime,
) -> list[log.Item]:
    """Return what another action has to `tell` also, when it changes this incident too.

    The people's own topics are left to it. The responders are locked.
    """
    board = events.changes(incident, alerts=alerts, assignments=assignments)
    told = _to_boards(kind, incident, board, board | events.changes(None, lines=lines))
    told += _to_teams(incident, alerts, ())
    await _take_back_places(conn, incident, alerts, assignments, now=now)
    return told


def _to_boards(
    kind: events.Kind, incident: store.Incident, board: events.Body, card: events.Body
) -> list[log.Item]:
    if incident.practice_of is not None:  # of a practice only the person hears
        return []
    told = [log.Item(incident_topic(incident.id), kind, card)]
    if board and (incident.closed_at is None or kind is events.Kind.INCIDENT_CLOSED):
        told.append(log.Item(org_topic(incident.org_code), kind, board))
    return told


def _to_teams(
    incident: store.Incident, alerts: Iterable[store.Alert], closed: Collection[UUID]
) -> list[log.Item]:
    if closed:
        body: events.Body = {"closed": str(incident.id)}
        return [log.Item(team_topic(team), events.TEAM_ANSWER, body) for team in closed]
    by_team: dict[UUID, list[events.Body]] = {}
    for alert in alerts:
        if alert.team_id is not None:
            by_team.setdefault(alert.team_id, []).append(events.alert_out(alert))
    return [
        log.Item(team_topic(team), events.TEAM_ANSWER, {"alerts": told})
        for team, told in by_team.items()
    ]


async def _to_asked(
    conn: AsyncConnection,
    incident: store.Incident,
    alerts: Sequence[store.Alert],
    *,
    now: datetime,
) -> list[log.Item]:
    if not alerts:
        return []
    views = await mission.views_of_asked(conn, incident, alerts, now=now)
    kind = events.PersonKind.ALERT_SENT
    return [log.Item(person_topic(person), kind, view) for person, view in views.items()]


async def _to_people(
    conn: AsyncConnection,
    people: Mapping[UUID, events.PersonKind],
    *,
    but: Collection[UUID],
    now: datetime,
) -> list[log.Item]:
    others = people.keys() - set(but)
    if not others:
        return []
    await store.lock_responders(conn, others)
    views = await mission.views(conn, others, now=now)
    return [log.Item(person_topic(person), people[person], view) for person, view in views.items()]


def duty_out(responder: store.Responder | None, *, now: datetime) -> events.Body:
    """Write a person's duty; null for who is no responder."""
    if responder is None:
        return {"duty": None, "duty_until": None}
    return {
        "duty": responder.duty_at(now).value,
        "duty_until": events.time(responder.until_at(now)),
    }


async def tell_duty(conn: AsyncConnection, responder: store.Responder, *, now: datetime) -> None:
    """Tell a person's phones that the duty changed; the responder is locked."""
    views = await mission.views(conn, [responder.id], now=now)
    body = views[responder.id] | {"duty": duty_out(responder, now=now)}
    await log.append(conn, person_topic(responder.id), events.PersonKind.DUTY_CHANGED, body, at=now)


async def tell_care(
    conn: AsyncConnection, said: Mapping[UUID, events.Body], *, now: datetime
) -> None:
    """Tell people's own phones that something about them is due; nobody else hears it."""
    await store.lock_responders(conn, said.keys())
    views = await mission.views(conn, said.keys(), now=now)
    kind = events.PersonKind.CARE_CHANGED
    items = [
        log.Item(person_topic(person), kind, view | {"care": dict(said[person])})
        for person, view in views.items()
    ]
    await log.append_many(conn, items, at=now)


# Served by the primary key of event, whose first column is the topic.
_TAKE_BACK = sa.text("""
update event set body = body
    || case when body #>> '{alert,id}' = :alert_id
            then jsonb_build_object('alert', cast(:alert as jsonb)) else '{}' end
    || case when body #>> '{mission,alert}' = :alert_id
            then jsonb_build_object('mission', cast(:mission as jsonb)) else '{}' end
where topic = :topic
  and (body #>> '{alert,id}' = :alert_id or body #>> '{mission,alert}' = :alert_id)
""")


async def _take_back_places(
    conn: AsyncConnection,
    incident: store.Incident,
    alerts: Iterable[store.Alert],
    assignments: Iterable[store.Assignment],
    *,
    now: datetime,
) -> None:
    """Take the place out of what was told before to those for whom it is over.

    Else a phone that was away would get it from the log after the stand-down. The responders'
    rows are locked by now, so nobody appends to these topics meanwhile.
    """
    known = {alert.id: alert for alert in alerts}
    over = [mission.Ask(incident, alert, None) for alert in alerts if _is_ended(alert)]
    for assignment in assignments:
        if not assignment.is_live:
            alert = known.get(assignment.alert_id) or await store.get_alert(
                conn, assignment.alert_id
            )
            over.append(mission.Ask(incident, alert, assignment))
    if over:
        await log.release(conn)  # an event of this very transaction may tell the place
        await conn.execute(_TAKE_BACK, [_take_back(ask, now) for ask in over])


def _is_ended(alert: store.Alert) -> bool:
    return not alert.is_live and alert.status is not states.Alert.ACCEPTED


def _take_back(ask: mission.Ask, now: datetime) -> dict[str, object]:
    shown = None if ask.assignment is None else mission.mission_out(ask)
    return {
        "topic": person_topic(ask.alert.responder_id),
        "alert_id": str(ask.alert.id),
        "alert": orjson.dumps(mission.alert_out(ask, now=now)).decode(),
        "mission": orjson.dumps(shown).decode(),
    }


#: Where people on a mission were leaves the log this long after they were there, so before a day
#: has passed since the incident's end: housekeeping comes once an hour.
PLACES_KEPT = timedelta(hours=22)

# Served by ix_event_at. A client that was away for so long is told of the later steps too.
_FORGET_PLACES = sa.text("""
update event set body = jsonb_set(body, '{assignments}', (
    select jsonb_agg(told.item || '{"position": null, "position_at": null}' order by told.place)
    from jsonb_array_elements(body -> 'assignments') with ordinality as told (item, place)
))
where at < :before and body @? '$.assignments[*] ? (@.position != null)'
""")


async def forget_places(conn: AsyncConnection, *, now: datetime) -> int:
    """Take out of old events where responders were, and say of how many events."""
    return (await conn.execute(_FORGET_PLACES, {"before": now - PLACES_KEPT})).rowcount
