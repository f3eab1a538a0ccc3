"""What an incident has asked so far, and when to look again whether more people are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    escalation,
    events,
    matching,
    policies,
    scenes,
    store,
    tables,
    timers,
    underway,
)


@dataclass(frozen=True, slots=True)
class Standing:
    """The policy of an incident, and what has happened, as escalation sees it."""

    policy: matching.Policy
    facts: escalation.Facts


@dataclass(frozen=True, slots=True)
class _Sent:
    """The waves of an incident: how many, the last, and the last that an operator sent."""

    count: int
    last_at: datetime | None
    began_at: datetime | None


async def _sent(conn: AsyncConnection, incident_id: UUID) -> _Sent:
    """Sum up the waves of an incident; served by its unique numbers."""
    wave = tables.wave.c
    by_operator = sa.func.max(wave.sent_at).filter(wave.by_id.is_not(None))
    row = await conn.execute(
        sa.select(
            sa.func.count(),
            sa.func.max(wave.sent_at),
            sa.func.coalesce(by_operator, sa.func.min(wave.sent_at)),
        ).where(wave.incident_id == incident_id)
    )
    return _Sent(*row.one())


async def standing(
    conn: AsyncConnection, incident: store.Incident, policy: matching.Policy, *, now: datetime
) -> Standing:
    """Gather what decides about asking more; `policy` is the base (policies.effective)."""
    policy = await policies.effective(conn, incident, base=policy, now=now)
    scene, _ = scenes.clock(policy, incident, now=now)
    sent = await _sent(conn, incident.id)
    asked = [
        escalation.Asked(
            role=item.role,
            status=item.status,
            assignment=item.assignment,
            arrives_s=underway.arrives_s(policy, item, scene, now=now),
            is_team=item.team_id is not None,
            carries=item.carries,
        )
        for item in await underway.asked(conn, incident.id)
    ]
    facts = escalation.Facts(
        kind=incident.kind,
        status=incident.status,
        # Nobody else is asked to a practice.
        is_stood_down=incident.stood_down_at is not None or incident.practice_of is not None,
        asked=asked,
        last_wave_at=sent.last_at,
        began_at=sent.began_at,
        waves=sent.count,
        ambulance=incident.ambulance,
        ambulance_s=scene.ambulance_s,
    )
    return Standing(policy, facts)


async def next_step(
    conn: AsyncConnection, incident: store.Incident, policy: matching.Policy, *, now: datetime
) -> escalation.Step:
    """Decide what comes next in asking for an incident, by its policy (`policy` is the base)."""
    known = await standing(conn, incident, policy, now=now)
    return escalation.next_step(known.policy, known.facts, now=now)


async def look_again(
    conn: AsyncConnection, incident: store.Incident, policy: matching.Policy, *, now: datetime
) -> None:
    """Let the runner plan at once for a locked incident, or wait, or disarm it when all is done.

    Call it whenever something changed: somebody accepted, declined, timed out or gave up. A
    practice that nothing is asked of any more ends.
    """
    if incident.practice_of is not None:
        everyone = await underway.asked(conn, incident.id)
        if not any(item.is_pending or item.is_going for item in everyone):
            await timers.arm(conn, incident.id, timers.Kind.PRACTICE_END, due_at=now)
    match await next_step(conn, incident, policy, now=now):
        case escalation.Wait(until):
            await timers.arm(conn, incident.id, timers.Kind.WAVE, due_at=until)
        case escalation.Send() | escalation.Exhausted() | escalation.Cover():
            await timers.arm(conn, incident.id, timers.Kind.WAVE, due_at=now)
        case escalation.Done():
            await timers.disarm(conn, incident.id, kinds=[timers.Kind.WAVE])
        case never:
            assert_never(never)


async def look_later(
    conn: AsyncConnection, incident: store.Incident, policy: matching.Policy, *, now: datetime
) -> None:
    """Arm the wave timer of a locked incident for when the clock says to look again."""
    known = await standing(conn, incident, policy, now=now)
    at = escalation.next_look(known.policy, known.facts, now=now)
    if at is None:
        await timers.disarm(conn, incident.id, kinds=[timers.Kind.WAVE])
    else:
        await timers.arm(conn, incident.id, timers.Kind.WAVE, due_at=at)


async def after(
    conn: AsyncConnection,
    incident: store.Incident,
    wave: store.Wave,
    alerts: Sequence[store.Alert],
    policy: matching.Policy,
    *,
    now: datetime,
) -> datetime | None:
    """Say when to look again after a wave by this policy; an operator's begins the clock anew.

    Then nothing has to be read: an alarm goes out the sooner. None: never.
    """
    if wave.by_id is None:
        known = await standing(conn, incident, policy, now=now)
        return escalation.next_look(known.policy, known.facts, now=now)
    facts = escalation.Facts(
        kind=incident.kind,
        status=incident.status,
        is_stood_down=incident.practice_of is not None,
        asked=[escalation.Asked(alert.role, alert.status, None) for alert in alerts],
        last_wave_at=now,
        began_at=now,
        waves=wave.number,
    )
    return escalation.next_look(policy, facts, now=now)


async def change(conn: AsyncConnection, incident: store.Incident, *, now: datetime) -> None:
    """Let the runner decide anew because what a plan goes by has changed.

    Nothing is looked at before an operator has asked for the first wave.
    """
    if (await _sent(conn, incident.id)).count:
        await timers.arm(conn, incident.id, timers.Kind.WAVE, due_at=now)


async def note_policy(
    conn: AsyncConnection, before: store.Incident, after: store.Incident, *, now: datetime
) -> list[store.Line]:
    """Say on the timeline if a correction brings people already asked for under another policy."""
    is_same = (before.kind, before.severity) == (after.kind, after.severity)
    if is_same or before.first_alert_at is None:
        return []
    default = matching.Policy()
    was = await policies.effective(conn, before, base=default, now=now)
    is_ = await policies.effective(conn, after, base=default, now=now)
    if was.label == is_.label:
        return []
    line = await store.add_line(
        conn, after.id, channel=events.Channel.SYSTEM, kind=events.LineKind.POLICY_CHANGED,
        args={"policy": is_.label, "before": was.label}, by=None, now=now,
    )  # fmt: skip
    return [line]


async def circle(conn: AsyncConnection, incident_id: UUID, policy: matching.Policy) -> float | None:
    """Return the radius in metres of the next wave of a growing circle; None for other policies."""
    if not policy.steps_m:
        return None
    return escalation.circle(policy, (await _sent(conn, incident_id)).count)
