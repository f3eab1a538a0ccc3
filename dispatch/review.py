"""After the action: how long each step took, who answered and who did not, against the plan.

Only rows are read and no figure is stored, so a review never differs from the record; tests hold it
equal to what the bare timeline says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import events, states, store, tables


async def after_action(conn: AsyncConnection, incident_id: UUID) -> events.Body:
    """Review one incident, real or exercise, at any time of its life. Raises NotFound.

    Intervals are seconds, None where the step was never taken. Silent are those whose time to
    answer ran out; whoever was told to stop before that, as enough were coming, all was over or a
    real alarm wanted them, owed no answer.
    """
    incident = await store.get_incident(conn, incident_id)
    asked = await store.list_alerts(conn, tables.alert.c.incident_id == incident_id)
    done = await store.list_assignments(conn, tables.assignment.c.incident_id == incident_id)
    by_alert = {assignment.alert_id: assignment for assignment in done}
    return {
        "incident": str(incident.id),
        "number": incident.number,
        "exercise": incident.exercise,
        "disposition": None if incident.disposition is None else incident.disposition.value,
        "intervals": _intervals(incident, asked, done),
        "counts": _counts(asked, done),
        "responders": [_responder_out(alert, by_alert.get(alert.id)) for alert in asked],
        "silent": [
            {"responder": str(alert.responder_id), "name": alert.name, "status": alert.status.value}
            for alert in asked
            if alert.status is states.Alert.TIMED_OUT
        ],
        "decisions": await _decisions(conn, incident_id),
    }


# ix_allocation_incident_id. A record holds thousands of people, of whom only the number is told.
_DECISIONS = sa.text("""
select id, made_at, policy, jsonb_array_length(chosen) as chosen,
       jsonb_array_length(excluded) as excluded
from allocation where incident_id = :incident_id order by id
""")


async def _decisions(conn: AsyncConnection, incident_id: UUID) -> list[events.Body]:
    rows = (await conn.execute(_DECISIONS, {"incident_id": incident_id})).mappings()
    return [{**row, "id": str(row["id"]), "made_at": events.time(row["made_at"])} for row in rows]


def _intervals(
    incident: store.Incident, asked: Sequence[store.Alert], done: Sequence[store.Assignment]
) -> dict[str, float | None]:
    """Measure from the call, and from the first alert, to the first of each step."""
    call, alerted = incident.created_at, incident.first_alert_at
    answered = [alert.answered_at for alert in asked]
    return {
        "call_to_alert_s": _between(call, alerted),
        "alert_to_answer_s": _between(alerted, _first(answered)),
        "alert_to_accept_s": _between(alerted, incident.first_accept_at),
        "call_to_accept_s": _between(call, incident.first_accept_at),
        "call_to_en_route_s": _between(call, _first([a.en_route_at for a in done])),
        "call_to_aed_collected_s": _between(call, _first([a.aed_collected_at for a in done])),
        "call_to_on_scene_s": _between(call, incident.first_on_scene_at),
        "call_to_with_patient_s": _between(call, incident.with_patient_at),
        "call_to_handed_over_s": _between(call, incident.handed_over_at),
        "call_to_close_s": _between(call, incident.closed_at),
    }


def _first(times: Sequence[datetime | None]) -> datetime | None:
    return min((at for at in times if at is not None), default=None)


def _between(begin: datetime | None, end: datetime | None) -> float | None:
    if begin is None or end is None:
        return None
    return round((end - begin).total_seconds(), 3)


def _counts(asked: Sequence[store.Alert], done: Sequence[store.Assignment]) -> dict[str, int]:
    ends = Counter(alert.status for alert in asked)
    return {
        "alerted": len(asked),
        "delivered": sum(alert.delivered_at is not None for alert in asked),
        "seen": sum(alert.seen_at is not None for alert in asked),
        **{
            status.value: ends[status]
            for status in (
                states.Alert.ACCEPTED, states.Alert.DECLINED, states.Alert.TIMED_OUT,
                states.Alert.STOOD_DOWN,
            )
        },
        "on_scene": sum(assignment.on_scene_at is not None for assignment in done),
        "unable": sum(a.status is states.Assignment.UNABLE for a in done),
    }  # fmt: skip


def _responder_out(alert: store.Alert, assignment: store.Assignment | None) -> events.Body:
    arrived = None if assignment is None else assignment.on_scene_at or assignment.with_patient_at
    return {
        "responder": str(alert.responder_id),
        "name": alert.name,
        "role": alert.role.value,
        "wave": alert.wave,
        "status": alert.status.value,
        "assignment": None if assignment is None else assignment.status.value,
        "asked_at": events.time(alert.notified_at),
        "answer_s": _between(alert.notified_at, alert.answered_at),
        # As planned for the role, from the accept; and as it was.
        "planned_s": alert.travel_s,
        "travelled_s": None if assignment is None else _between(assignment.accepted_at, arrived),
        "unable_reason": None if assignment is None else assignment.unable_reason,
    }
