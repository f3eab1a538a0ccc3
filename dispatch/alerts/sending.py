"""Send a wave: ask the people of a plan, if they can still be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, assert_never
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    db,
    deliveries,
    eligibility,
    errors,
    escalation,
    events,
    ladder,
    matching,
    plan_views,
    planning,
    states,
    store,
    tables,
    telling,
    timers,
    waves,
    ways,
)
from dispatch.alerts import yielding


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of sending a wave; a wave that found nobody has no alerts."""

    wave: store.Wave
    alerts: tuple[store.Alert, ...]
    allocation_id: UUID


async def send_wave(
    conn: AsyncConnection, plan: planning.Plan, *, by: UUID | None, now: datetime
) -> Sent:
    """Ask the people whom a plan chose; `by` is None when the timer does it.

    By policy with nobody in reach, the wave is on record without alerts and the timer looks again
    until people come on duty. Raises PlanOutdated when the incident changed since the plan was
    made (plan again), NobodyToAlert when none of the named people can be asked, IncidentClosed.
    """
    incident = plan.incident
    people = [item.person.id for item in plan.chosen]
    gone = await _lock(conn, incident, people, now=now)
    lost = await _lost(conn, incident, people, now=now) if people else {}
    chosen = [item for item in plan.chosen if item.person.id not in lost]
    if plan.named is not None and not chosen:
        raise errors.NobodyToAlert(state={"excluded": _reasons(plan, lost)})
    wave, alerts, incident = await _write(conn, plan, chosen, by=by, now=now)
    allocation_id = await _keep_record(conn, plan, wave, lost)
    line = await _arm(conn, incident, wave, alerts, plan, now=now)
    await telling.tell(
        conn, events.Kind.WAVE_SENT, incident, alerts=alerts, just_asked=True, lines=[line],
        people=gone.people, also=gone.items, now=now,
    )  # fmt: skip
    return Sent(wave, tuple(alerts), allocation_id)


async def _lock(
    conn: AsyncConnection, incident: store.Incident, people: Sequence[UUID], *, now: datetime
) -> yielding.Yielded:
    """Lock an incident that is as it was planned for, and let others give way for it."""
    queries = [store.locking(incident.id)]
    if incident.practice_of is None:
        queries.append(yielding.finding_bound(people, is_real=not incident.exercise))
    locked, *found = await db.together(conn, *queries)
    if not locked:
        raise errors.NotFound
    version = locked[0]["version"]
    if version != incident.version:
        raise errors.PlanOutdated(state={"version": version})
    return await yielding.free(conn, people, [row["id"] for rows in found for row in rows], now=now)


# ix_alert_responder_id, and the unique index of live assignments.
_TAKEN = sa.text("""
select responder_id from alert
where responder_id = any(cast(:ids as uuid[]))
  and (status in ('pending','notified','delivered','seen')
       or incident_id = :incident_id
          and notified_at >= coalesce(cast(:reopened_at as timestamptz), '-infinity'))
union
select responder_id from assignment
where responder_id = any(cast(:ids as uuid[])) and ended_at is null
""")


async def _lost(
    conn: AsyncConnection, incident: store.Incident, ids: Sequence[UUID], *, now: datetime
) -> dict[UUID, matching.Reason]:
    """Lock people and say who went off duty or was asked by somebody since the plan was made.

    Everybody who asks or takes an answer locks the responder first, so the answer holds until the
    commit; two unique indexes hold it against code that forgets.
    """
    values = {"ids": ids, "incident_id": incident.id, "reopened_at": incident.reopened_at}
    people, taken = await db.together(conn, store.locking_responders(ids), (_TAKEN, values))
    duties = {row["id"]: store.Responder.from_row(row).duty_at(now) for row in people}
    busy = dict.fromkeys((row["responder_id"] for row in taken), matching.Reason.BUSY)
    return busy | {
        person: eligibility.DUTY_REASONS[duty]
        for person, duty in duties.items()
        if duty is not states.Duty.AVAILABLE
    }


def _reasons(plan: planning.Plan, lost: Mapping[UUID, matching.Reason]) -> dict[str, str]:
    """Say why each one who was considered is not asked."""
    return {
        **{str(i.person.id): i.reason.value for i in plan.excluded if i.reason is not None},
        **{str(person): reason.value for person, reason in lost.items()},
    }


async def _write(
    conn: AsyncConnection,
    plan: planning.Plan,
    chosen: Sequence[planning.Considered],
    *,
    by: UUID | None,
    now: datetime,
) -> tuple[store.Wave, list[store.Alert], store.Incident]:
    """Write the wave and its alerts, send them on their way, and return all as it is now."""
    incident, wave_id = plan.incident, store.new_id()
    rows = _rows(wave_id, plan, chosen, now=now)
    rungs = ladder.choose(plan.policy.rungs(incident.severity), incident.kind)
    asking = [
        store.adding_alerts(rows),
        deliveries.climbing([row["id"] for row in rows], rungs, now=now),
    ]
    [wave], *_, asked, [changed] = await db.together(
        conn,
        store.adding_wave(
            wave_id, incident.id, policy=plan.policy.label, level=plan.level, by=by, now=now
        ),
        *(asking if rows else ()),
        store.alerts_of_wave(wave_id),
        store.changing_incident(incident.id, **_after(incident, rows, now)),
    )
    alerts = [store.Alert.from_row(row) for row in asked]
    return store.Wave.from_row(wave), alerts, store.Incident.from_row(changed)


def _rows(
    wave_id: UUID, plan: planning.Plan, chosen: Sequence[planning.Considered], *, now: datetime
) -> list[dict[str, Any]]:
    until = {item.aed.id: ways.open_until(item) for item in plan.aeds if item.is_chosen}
    return [
        {
            "id": store.new_id(),
            "incident_id": plan.incident.id,
            "wave_id": wave_id,
            "responder_id": item.person.id,
            "team_id": plan.team_of.get(item.person.id, plan.team_id),
            "role": (item.role or states.Role.DIRECT).value,
            "aed_id": item.aed_id,
            "aed_usable_until": None if item.aed_id is None else until.get(item.aed_id),
            "status": states.Alert.NOTIFIED.value,
            "travel_s": item.travel_s,
            "direct_s": None if item.direct is None else item.direct.travel_s,
            "distance_m": None if item.direct is None else item.direct.distance_m,
            "eta_source": None if item.direct is None else item.direct.source.value,
            "from_position": item.person.position,
            "position_at": item.person.position_at,
            "notified_at": now,
            "expires_at": now + timedelta(seconds=plan.policy.alert_expires_s),
        }
        for item in chosen
    ]


async def _keep_record(
    conn: AsyncConnection,
    plan: planning.Plan,
    wave: store.Wave,
    lost: Mapping[UUID, matching.Reason],
) -> UUID:
    """Keep what was decided, from what, and why not others; times, but no positions of people."""
    chosen, excluded = plan_views.kept_out(plan, lost)
    return await store.add_allocation(
        conn,
        incident_id=plan.incident.id,
        wave_id=wave.id,
        made_at=plan.made_at,
        policy=plan.policy.label,
        inputs=plan_views.inputs_out(plan),
        chosen=chosen,
        excluded=excluded,
        milliseconds=plan.milliseconds,
    )


def _after(incident: store.Incident, asked: Sequence[object], now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {"stood_down_at": None}
    if asked:
        reached = states.incident_forward(incident.status, states.Incident.ALERTING)
        values |= {"status": reached.value, "first_alert_at": incident.first_alert_at or now}
    return values


async def _arm(
    conn: AsyncConnection,
    incident: store.Incident,
    wave: store.Wave,
    alerts: Sequence[store.Alert],
    plan: planning.Plan,
    *,
    now: datetime,
) -> store.Line:
    """Arm the ends of the wave's waits, if it asked anybody, and the next look; add its line."""
    policy = plan.policy
    after = {
        timers.Kind.ALERT_EXPIRY: policy.alert_expires_s,
        timers.Kind.DELIVERY_CHECK: policy.delivery_wait_s,
    }
    due = [
        timers.Due(kind, now + timedelta(seconds=wait_s), wave.id)
        for kind, wait_s in (after.items() if alerts else ())
    ]
    look_at = await waves.after(conn, incident, wave, alerts, policy, now=now)
    if look_at is None:
        await timers.disarm(conn, incident.id, kinds=[timers.Kind.WAVE])
    else:
        due.append(timers.Due(timers.Kind.WAVE, look_at))
    adding = _adding_line(incident, wave, alerts, plan, now=now)
    _, [line] = await db.together(conn, timers.arming(incident.id, due), adding)
    return store.Line.from_row(line)


def _adding_line(
    incident: store.Incident,
    wave: store.Wave,
    alerts: Sequence[store.Alert],
    plan: planning.Plan,
    *,
    now: datetime,
) -> db.Query:
    kind = events.LineKind.WAVE_SENT if alerts else events.LineKind.NO_ONE_LEFT
    roles = [alert.role for alert in alerts]
    args = {
        "wave": wave.number,
        "asked": len(alerts),
        "via_aed": roles.count(states.Role.VIA_AED),
        "policy": wave.policy,
        **_extent(plan),
        **telling.whom(alerts),
    }
    channel = events.Channel.SYSTEM if wave.by_id is None else events.Channel.CONSOLE
    return store.adding_line(
        incident.id, channel=channel, kind=kind, args=args, by=wave.by_id, now=now
    )


def _extent(plan: planning.Plan) -> dict[str, float]:
    """Say how wide the circle of a wave was, or which alarm level, where it has one."""
    found = {"circle_m": plan.decision.under.circle_m, "level": plan.level}
    return {name: value for name, value in found.items() if value is not None}


async def note_no_one_left(
    conn: AsyncConnection,
    incident_id: UUID,
    policy: matching.Policy,
    *,
    why: escalation.Why | None,
    now: datetime,
) -> store.Line | None:
    """Tell the operator that more are needed and nobody is left, once a wave; and look again later.

    With a `why` nobody looks again: only an operator can ask more people.
    """
    incident = await store.lock_incident(conn, incident_id)
    if why is None:
        await waves.look_later(conn, incident, policy, now=now)
    if await _was_told(conn, incident.id):
        return None
    known = await waves.standing(conn, incident, policy, now=now)
    args = _limit(known.policy, why)
    line = await store.add_line(
        conn, incident.id, channel=events.Channel.SYSTEM, kind=events.LineKind.NO_ONE_LEFT,
        args=args, by=None, now=now,
    )  # fmt: skip
    await telling.tell(
        conn, events.Kind.LINE_ADDED, incident, with_incident=False, lines=[line], now=now
    )
    return line


def _limit(policy: matching.Policy, why: escalation.Why | None) -> dict[str, float]:
    """Name the limit that ended the asking."""
    match why:
        case escalation.Why.CAP:
            return {"cap": policy.alerts_cap}
        case escalation.Why.TIME:
            return {"after_s": policy.stop_after_s}
        case escalation.Why.ONCE | None:
            return {}
        case never:
            assert_never(never)


async def _was_told(conn: AsyncConnection, incident_id: UUID) -> bool:
    line, wave = tables.line.c, tables.wave.c
    since = sa.select(sa.func.max(wave.sent_at)).where(wave.incident_id == incident_id)
    told = sa.select(line.id).where(
        line.incident_id == incident_id,
        line.kind == events.LineKind.NO_ONE_LEFT.value,
        line.at >= since.scalar_subquery(),
    )
    return bool(await conn.scalar(sa.select(told.exists())))
