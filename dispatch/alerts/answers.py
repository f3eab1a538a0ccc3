"""Accept, decline, time out, stand down: how an alert ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    assignments,
    deliveries,
    errors,
    escalation,
    events,
    matching,
    mission,
    policies,
    states,
    store,
    tables,
    telling,
    timers,
    waves,
)

#: Why somebody was told to stop who had not answered: enough others are coming.
COVERED = "covered"
#: Why an alert of an exercise ended whose person a real alarm wants.
REAL_ALARM = "real_alarm"
KIND_WORDS = {
    COVERED: "Enough people are on their way already. Thank you for answering.",
    REAL_ALARM: "A real alarm wants you, so the exercise goes on without you. Thank you.",
}


async def accept(
    conn: AsyncConnection,
    alert_id: UUID,
    *,
    at: datetime | None = None,
    via: deliveries.Channel = deliveries.Channel.LIVE,
    policy: matching.Policy,
    by: UUID,
    now: datetime,
) -> store.Assignment:
    """Take the alert: this responder is now going; after enough others, to meet the ambulance.

    Accepting twice returns the same assignment. Raises AlertOver with the state when it is too
    late or, where accepts are limited, when enough have accepted; NotFound.
    """
    incident, alert = await store.lock_alert(conn, alert_id)
    known = await store.find_assignment_of(conn, alert.id)
    if known is not None:
        return known
    check_answerable(alert, now=now)
    alert = await _with_role(conn, incident, alert, policy, now=now)
    # All that are told, at once and in order: one first and the others later would deadlock with
    # an incident that has asked the same people before.
    involved = await mission.list_involved(conn, incident.id)
    await store.lock_responders(conn, involved)
    alert = await _answer(conn, alert, states.Alert.ACCEPTED, via=via, now=now)
    assignment = await store.add_assignment(
        conn, id=store.new_id(), alert_id=alert.id, incident_id=incident.id,
        responder_id=alert.responder_id, role=alert.role.value,
        aed_id=None if alert.aed is None else alert.aed.id,
        accepted_at=now, eta_at=assignments.eta(now, alert.travel_s),
        device_at={} if at is None else {"accepted": events.time(at)},
    )  # fmt: skip
    reached = states.incident_forward(incident.status, states.Incident.RESPONDING)
    incident = await store.change_incident(
        conn, incident.id, status=reached.value, first_accept_at=incident.first_accept_at or now
    )
    in_force = await policies.effective(conn, incident, base=policy, now=now)
    due_at = now + timedelta(seconds=in_force.no_movement_after_s)
    await timers.arm(
        conn, incident.id, timers.Kind.NO_MOVEMENT, subject_id=assignment.id, due_at=due_at
    )
    await waves.look_again(conn, incident, policy, now=now)
    line = await _answer_line(conn, alert, events.LineKind.ALERT_ACCEPTED, at=at, by=by, now=now)
    people: Mapping[UUID, events.PersonKind] = dict.fromkeys(
        involved, events.PersonKind.ALERT_CHANGED
    ) | {alert.responder_id: events.PersonKind.MISSION_CHANGED}
    await telling.tell(
        conn, events.Kind.ALERT_ACCEPTED, incident,
        alerts=[alert], assignments=[assignment], lines=[line], people=people, now=now,
    )  # fmt: skip
    return assignment


async def _with_role(
    conn: AsyncConnection,
    incident: store.Incident,
    alert: store.Alert,
    policy: matching.Policy,
    *,
    now: datetime,
) -> store.Alert:
    """Let who accepts after enough others meet the ambulance; refuse where accepts are limited.

    Whoever was asked with a team is wanted whatever the others do. Raises AlertOver.
    """
    if alert.team_id is not None:
        return alert
    known = await waves.standing(conn, incident, policy, now=now)
    if escalation.is_full(known.policy, known.facts):
        raise _over(alert, states.Alert.STOOD_DOWN, COVERED)
    if not escalation.wants_guide(known.policy, known.facts):
        return alert
    return await store.redirect_alert(
        conn, alert.id, role=states.Role.GUIDE, aed_id=None, aed_usable_until=None,
        travel_s=alert.travel_s if alert.direct_s is None else alert.direct_s,
    )  # fmt: skip


def check_answerable(alert: store.Alert, *, now: datetime) -> None:
    """Refuse an answer to an alert that is over, also when its timer has not fired yet.

    Raises AlertOver with how it ended.
    """
    if alert.is_live and now < alert.expires_at:
        return
    ended = states.Alert.TIMED_OUT if alert.is_live else alert.status
    if alert.stood_down_at is not None:
        ended = states.Alert.STOOD_DOWN
    raise _over(alert, ended, alert.stand_down_reason)


def _over(alert: store.Alert, ended: states.Alert, reason: str | None) -> errors.AlertOver:
    # Said in the caller's words where the reason is a kind one.
    said = KIND_WORDS.get(reason or "", "")
    return errors.AlertOver(
        said,
        state={
            "alert": str(alert.id),
            "status": ended.value,
            "expires_at": events.time(alert.expires_at),
            "reason": reason,
        },
    )


async def _answer(
    conn: AsyncConnection,
    alert: store.Alert,
    status: states.Alert,
    *,
    via: deliveries.Channel,
    now: datetime,
    **more: Any,
) -> store.Alert:
    alert = await store.change_alert(
        conn, alert, status=status, answered_at=now,
        delivered_at=alert.delivered_at or now, seen_at=alert.seen_at or now, **more,
    )  # fmt: skip
    return await deliveries.answer(conn, alert, via=via, now=now)


async def _answer_line(
    conn: AsyncConnection,
    alert: store.Alert,
    kind: events.LineKind,
    *,
    at: datetime | None,
    by: UUID,
    now: datetime,
) -> store.Line:
    return await store.add_line(
        conn, alert.incident_id, channel=events.Channel.PHONE, kind=kind,
        args=telling.whom([alert]) | {"role": alert.role.value}, text=alert.decline_reason,
        device_at=at, by=by, now=now,
    )  # fmt: skip


async def decline(
    conn: AsyncConnection,
    alert_id: UUID,
    *,
    reason: str | None = None,
    at: datetime | None = None,
    via: deliveries.Channel = deliveries.Channel.LIVE,
    policy: matching.Policy,
    by: UUID,
    now: datetime,
) -> store.Alert:
    """Say that this responder cannot go; when nobody is left to answer the next wave goes at once.

    Declining twice returns the alert. Raises AlertOver, NotFound.
    """
    incident, alert = await store.lock_alert(conn, alert_id)
    if alert.status is states.Alert.DECLINED:
        return alert
    check_answerable(alert, now=now)
    alert = await _answer(
        conn, alert, states.Alert.DECLINED, via=via, now=now, decline_reason=reason
    )
    incident = await store.change_incident(conn, incident.id)
    await waves.look_again(conn, incident, policy, now=now)
    line = await _answer_line(conn, alert, events.LineKind.ALERT_DECLINED, at=at, by=by, now=now)
    await telling.tell(
        conn, events.Kind.ALERT_DECLINED, incident, alerts=[alert], lines=[line],
        people={alert.responder_id: events.PersonKind.ALERT_CHANGED}, now=now,
    )  # fmt: skip
    return alert


async def time_out(
    conn: AsyncConnection, incident_id: UUID, *, policy: matching.Policy, now: datetime
) -> list[store.Alert]:
    """End every alert of an incident that has run out unanswered, and return them."""
    incident = await store.lock_incident(conn, incident_id, even_closed=True)
    alert = tables.alert.c
    live = [status.value for status in states.ALERT_LIVE]
    expired = await store.lock_alerts(
        conn, alert.incident_id == incident.id, alert.status.in_(live), alert.expires_at <= now
    )
    if not expired:
        return []
    expired = await store.change_alerts(conn, expired, status=states.Alert.TIMED_OUT)
    expired = await deliveries.silence(conn, expired, deliveries.Why.TOO_LATE, now=now)
    incident = await store.change_incident(conn, incident.id)
    await waves.look_again(conn, incident, policy, now=now)
    line = await store.add_line(
        conn, incident.id, channel=events.Channel.SYSTEM, kind=events.LineKind.ALERT_TIMED_OUT,
        args=telling.whom(expired), by=None, now=now,
    )  # fmt: skip
    await telling.tell(
        conn, events.Kind.ALERTS_TIMED_OUT, incident, alerts=expired, lines=[line],
        people=dict.fromkeys((a.responder_id for a in expired), events.PersonKind.ALERT_CHANGED),
        now=now,
    )  # fmt: skip
    return expired


async def cover(conn: AsyncConnection, incident_id: UUID, *, now: datetime) -> list[store.Alert]:
    """Tell those who have not answered that enough are coming, and return their alerts.

    Whoever was asked with a team is left alone.
    """
    incident = await store.lock_incident(conn, incident_id)
    alert = tables.alert.c
    live = [status.value for status in states.ALERT_LIVE]
    pending = await store.lock_alerts(
        conn, alert.incident_id == incident.id, alert.status.in_(live), alert.team_id.is_(None)
    )
    if not pending:
        return []
    told = await store.change_alerts(
        conn, pending, status=states.Alert.STOOD_DOWN, stood_down_at=now, stand_down_reason=COVERED
    )
    told = await deliveries.stand_down(conn, told, now=now)
    incident = await store.change_incident(conn, incident.id)
    line = await store.add_line(
        conn, incident.id, channel=events.Channel.SYSTEM, kind=events.LineKind.COVERED,
        args=telling.whom(told), by=None, now=now,
    )  # fmt: skip
    await telling.tell(
        conn, events.Kind.ALERTS_COVERED, incident, alerts=told, lines=[line],
        people=dict.fromkeys((a.responder_id for a in told), events.PersonKind.STOOD_DOWN), now=now,
    )  # fmt: skip
    return told


async def end_all(conn: AsyncConnection, incident: store.Incident) -> list[store.Alert]:
    """Stand down the unanswered alerts of a locked incident, without telling; return them."""
    alert = tables.alert.c
    live = [status.value for status in states.ALERT_LIVE]
    found = await store.lock_alerts(conn, alert.incident_id == incident.id, alert.status.in_(live))
    return await store.change_alerts(conn, found, status=states.Alert.STOOD_DOWN)
