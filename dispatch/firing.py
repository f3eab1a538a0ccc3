"""What each kind of timer does when it is due.

Two moves: *plan*, which reads and measures outside any transaction, and *fire*, one transaction
that takes the incident's lock, then the timer, and acts if nothing has changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

import redis.asyncio
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    accounts,
    alerts,
    assignments,
    care,
    db,
    deliveries,
    devices,
    errors,
    escalation,
    events,
    matching,
    planning,
    reminders,
    rerouting,
    stock,
    store,
    surveys,
    telling,
    timers,
    uploads,
    waves,
)
from geo import walking
from realtime import retention

#: A plan that is outdated when it should be sent is made again this often before the timer waits.
TRIES = 3
#: How long the live log is kept: the longest absence after which a client still gets every event.
LOG_KEPT = timedelta(hours=72)
HOUSEKEEPING_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Means:
    """What firing needs: the database, the policy, the streets as they are now, and a clock.

    `live` tells the live positions; without it the stored ones are used.
    """

    database: db.Database
    policy: matching.Policy
    network: Callable[[], walking.WalkingNetwork]
    clock: Callable[[], datetime]
    live: redis.asyncio.Redis | None = None


async def fire(means: Means, timer: timers.Timer) -> bool:
    """Fire a due timer; False when somebody else has it, or has just changed its incident."""
    if timer.kind is timers.Kind.HOUSEKEEPING:
        await _forget_events(means)
    for _ in range(TRIES):
        plan = await _plan(means, timer)
        try:
            async with means.database.transaction() as conn:
                if not await timers.claim(conn, timer):
                    return False
                await _act(conn, means, timer, plan, now=means.clock())
        except errors.PlanOutdated:
            continue
        return True
    return False


async def _forget_events(means: Means) -> None:
    """Forget old days of the live log, each in a transaction of its own: readers wait for it."""
    forgotten = 1
    with suppress(retention.Busy):
        while forgotten:
            async with means.database.transaction() as conn:
                forgotten = await retention.trim(conn, before=means.clock() - LOG_KEPT)


#: Timers for which people are weighed before anything is locked.
_PLANNED = frozenset({timers.Kind.WAVE, timers.Kind.REROUTE})


async def _plan(means: Means, timer: timers.Timer) -> planning.Plan | None:
    """Plan what a timer may have to send or change; None when it need not."""
    if timer.incident_id is None or timer.kind not in _PLANNED:
        return None
    now = means.clock()
    async with means.database.snapshot() as conn:
        incident = await store.get_incident(conn, timer.incident_id)
        known = await waves.standing(conn, incident, means.policy, now=now)
        if timer.kind is timers.Kind.REROUTE:
            return await rerouting.plan(
                conn, incident, timer.subject_id, means.live,
                policy=known.policy, network=means.network(), now=now,
            )  # fmt: skip
        step = escalation.next_step(known.policy, known.facts, now=now)
        if not isinstance(step, escalation.Send):
            return None
        return await _plan_wave(conn, means, incident, known.policy, now=now)


async def _plan_wave(
    conn: AsyncConnection,
    means: Means,
    incident: store.Incident,
    policy: matching.Policy,
    *,
    now: datetime,
) -> planning.Plan:
    network, live = means.network(), None
    if means.live is not None:
        live = await planning.live_positions(
            conn, incident.id, means.live, policy=policy, network=network, now=now
        )
    return await planning.make(
        conn, incident.id, policy=policy, network=network, live=live, now=now
    )


async def _act(
    conn: AsyncConnection,
    means: Means,
    timer: timers.Timer,
    plan: planning.Plan | None,
    *,
    now: datetime,
) -> None:
    if timer.kind in care.TIMERS:
        await care.fire(conn, timer, now=now)
    elif timer.incident_id is None:
        await _keep_house(conn, now=now)
    elif timer.kind is timers.Kind.WAVE:
        await _next_wave(conn, means.policy, timer.incident_id, plan, now=now)
    elif timer.kind is timers.Kind.REROUTE:
        await rerouting.apply(conn, timer.incident_id, plan, policy=means.policy, now=now)
    else:
        await _end_of_wait(conn, means.policy, timer, timer.incident_id, now=now)


async def _next_wave(
    conn: AsyncConnection,
    policy: matching.Policy,
    incident_id: UUID,
    plan: planning.Plan | None,
    *,
    now: datetime,
) -> None:
    incident = await store.lock_incident(conn, incident_id, even_closed=True)
    known = await waves.standing(conn, incident, policy, now=now)
    match escalation.next_step(known.policy, known.facts, now=now):
        case escalation.Send():
            await _send(conn, incident, known, plan, now=now)
        case escalation.Cover():
            await alerts.cover(conn, incident.id, now=now)
        case escalation.Exhausted(why):
            await alerts.note_no_one_left(conn, incident.id, policy, why=why, now=now)
        case escalation.Wait(until):
            await timers.arm(conn, incident.id, timers.Kind.WAVE, due_at=until)
        case escalation.Done():
            pass
        case never:
            assert_never(never)


async def _send(
    conn: AsyncConnection,
    incident: store.Incident,
    known: waves.Standing,
    plan: planning.Plan | None,
    *,
    now: datetime,
) -> None:
    """Ask whom a plan adds; each step of a growing circle is on record, though nobody is in it.

    Where people are weighed, nobody worth the price is no matter while others may still come.
    """
    if plan is None:
        raise errors.PlanOutdated
    if plan.chosen or plan.decision.under.circle_m is not None:
        await alerts.send_wave(conn, plan, by=None, now=now)
        return
    weighs = escalation.style(known.policy, incident.kind) is escalation.Style.WEIGH
    if weighs and (known.facts.pending or known.facts.helping):
        await waves.look_later(conn, incident, known.policy, now=now)
    else:
        await alerts.note_no_one_left(conn, incident.id, known.policy, why=None, now=now)


async def _end_of_wait(
    conn: AsyncConnection,
    policy: matching.Policy,
    timer: timers.Timer,
    incident_id: UUID,
    *,
    now: datetime,
) -> None:
    subject_id = timer.subject_id or incident_id
    match timer.kind:
        case timers.Kind.ALERT_EXPIRY:
            await alerts.time_out(conn, incident_id, policy=policy, now=now)
        case timers.Kind.DELIVERY_CHECK:
            await deliveries.give_up_waiting(conn, incident_id, subject_id, now=now)
        case timers.Kind.NO_MOVEMENT:
            await assignments.note_no_movement(conn, subject_id, now=now)
        case timers.Kind.RESERVATION_EXPIRY:
            await stock.release(conn, subject_id, by=None, now=now)
        case timers.Kind.PRACTICE_END:
            await alerts.end_practice(conn, incident_id, now=now)
        case (
            timers.Kind.WAVE | timers.Kind.REROUTE | timers.Kind.HOUSEKEEPING | timers.Kind.SURVEY
            | timers.Kind.SURVEY_AGAIN | timers.Kind.TASK_DUE
        ):  # fmt: skip
            raise AssertionError(timer.kind)
        case never:
            assert_never(never)


async def _keep_house(conn: AsyncConnection, *, now: datetime) -> None:
    await telling.forget_places(conn, now=now)
    await accounts.sweep(conn, now=now)
    await uploads.sweep(conn, now=now)
    await surveys.forget_texts(conn, now=now)
    await timers.arm(
        conn, None, timers.Kind.HOUSEKEEPING, lane=timers.Lane.PLANNING,
        due_at=now + HOUSEKEEPING_EVERY,
    )  # fmt: skip
    await reminders.remind(conn, now=now)  # before the boards' clocks: it locks responders
    await devices.remind(conn, now=now)


async def note_failure(means: Means, timer: timers.Timer) -> int:
    """Put off a timer whose firing failed; after many failures tell the incident's operators."""
    now = means.clock()
    async with means.database.transaction() as conn:
        incident: store.Incident | None = None
        if timer.incident_id is not None:
            incident = await store.lock_incident(conn, timer.incident_id, even_closed=True)
        attempts = await timers.put_off(conn, timer, now=now)
        if incident is not None and attempts == timers.MANY_ATTEMPTS:
            line = await store.add_line(
                conn, incident.id, channel=events.Channel.SYSTEM,
                kind=events.LineKind.TIMER_FAILED, args={"timer": timer.kind.value},
                by=None, now=now,
            )  # fmt: skip
            await telling.tell(
                conn, events.Kind.LINE_ADDED, incident, with_incident=False, lines=[line], now=now
            )
    return attempts
