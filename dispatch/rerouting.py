"""An AED that is missing, locked or dead: say so in one tap, and lead its fetchers another way.

The report is one short transaction; the runner then measures outside any lock and changes the
missions, all within two seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import redis.asyncio
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    aed_trust,
    allocations,
    assignments,
    devices,
    eligibility,
    errors,
    events,
    fetchers,
    matching,
    plan_views,
    planning,
    scenes,
    states,
    store,
    tables,
    tasks,
    telling,
    timers,
    underway,
    waves,
    ways,
    whereabouts,
)
from geo import aed_custodians, aed_reports, aeds, position, walking

#: What a fetcher finds that leaves nobody anything to fetch.
USELESS = frozenset(
    {
        aed_reports.ReportKind.MISSING,
        aed_reports.ReportKind.LOCKED,
        aed_reports.ReportKind.BROKEN,
        aed_reports.ReportKind.CLOSED,
    }
)
#: Somebody should have looked at the device by then.
LOOK_WITHIN = timedelta(hours=24)
_FETCHING = frozenset({states.Assignment.ACCEPTED, states.Assignment.EN_ROUTE})


# ---- saying so


async def report(
    conn: AsyncConnection,
    aed_id: UUID,
    kind: aed_reports.ReportKind,
    *,
    note: str | None = None,
    place: position.Position | None = None,
    by: UUID | None,
    now: datetime,
) -> aed_reports.Report:
    """Record what somebody says of an AED; of its fetcher, so that all its fetchers are led on.

    In an exercise the incident hears of it and the registry does not. Raises `aeds.AedMissing`.
    """
    is_useless = kind in USELESS and by is not None
    mine = await fetchers.find_live(conn, aed_id, by) if is_useless and by is not None else None
    if mine is None:
        said = await aed_reports.add_report(
            conn, aed_id, kind, note=note, position=place, actor_id=by, now=now
        )
        await devices.tell(conn, aed_id, now=now)
        return said
    # The incident before the device: whoever collects one locks them in this order.
    incident, assignment = await store.lock_assignment(conn, mine)
    aed = await aeds.get(conn, aed_id)
    said = await _record(conn, incident, aed, kind, note=note, place=place, by=by, now=now)
    await timers.arm(conn, incident.id, timers.Kind.REROUTE, subject_id=aed_id, due_at=now)
    incident = await store.change_incident(conn, incident.id)
    line = await store.add_line(
        conn, incident.id, channel=events.Channel.PHONE, kind=events.LineKind.AED_REPORTED,
        args=_found(assignment, aed, kind), text=note, by=by, now=now,
    )  # fmt: skip
    also = [] if incident.exercise else await devices.changes_of(conn, [aed_id], now=now)
    alerts, moved = await _give_up(conn, assignment)
    await telling.tell(
        conn, events.Kind.AED_REPORTED, incident, alerts=alerts, assignments=moved, lines=[line],
        people=dict.fromkeys((a.responder_id for a in alerts), events.PersonKind.MISSION_CHANGED),
        also=also, now=now,
    )  # fmt: skip
    return said


async def _record(
    conn: AsyncConnection,
    incident: store.Incident,
    aed: aeds.Aed,
    kind: aed_reports.ReportKind,
    *,
    note: str | None,
    place: position.Position | None,
    by: UUID | None,
    now: datetime,
) -> aed_reports.Report:
    if incident.exercise:
        return aed_reports.Report(
            id=store.new_id(), aed_id=aed.id, kind=kind, note=note, position=place, actor_id=by,
            at=now, verdict=aed_reports.Verdict.OPEN, settled_at=None, settled_by=None,
            settled_note=None,
        )  # fmt: skip
    said = await aed_reports.add_report(
        conn, aed.id, kind, note=note, position=place, actor_id=by, now=now
    )
    await _add_task(conn, aed, said, now=now)
    return said


async def _give_up(
    conn: AsyncConnection, assignment: store.Assignment
) -> tuple[list[store.Alert], list[store.Assignment]]:
    """Let who carries a device that does not work go on without it; the others wait for a plan."""
    if assignment.status in _FETCHING:
        return [], []
    alert = await store.get_alert(conn, assignment.alert_id)
    direct = states.Role.DIRECT
    alert = await store.redirect_alert(
        conn, alert.id, role=direct, aed_id=None, aed_usable_until=None,
        revision=alert.revision + 1,
    )  # fmt: skip
    moved = await store.change_assignment(conn, assignment.id, role=direct.value, aed_id=None)
    return [alert], [moved]


def _found(
    assignment: store.Assignment, aed: aeds.Aed, kind: aed_reports.ReportKind
) -> events.Body:
    return {
        "aed": str(aed.id),
        "aed_name": aed.name,
        "what": kind.value,
        "assignment": str(assignment.id),
        "responder": str(assignment.responder_id),
        "name": assignment.name,
    }


async def _add_task(
    conn: AsyncConnection, aed: aeds.Aed, said: aed_reports.Report, *, now: datetime
) -> None:
    """Let a planner see to the device, with the names of who answers for it."""
    custodians = await aed_custodians.list_of(conn, aed.id)
    body = {
        "aed": str(aed.id),
        "aed_name": aed.name,
        "report": str(said.id),
        "what": said.kind.value,
        "custodians": [{"rank": c.rank, "unit": c.unit, "name": c.name} for c in custodians],
    }
    await tasks.add(
        conn, aed.org_id, tasks.Kind.AED_PROBLEM, subject_id=aed.id, due_at=now + LOOK_WITHIN,
        body=body, exercise=False, now=now,
    )  # fmt: skip


# ---- another way


async def plan(
    conn: AsyncConnection,
    incident: store.Incident,
    aed_id: UUID | None,
    live: redis.asyncio.Redis | None,
    *,
    policy: matching.Policy,
    network: walking.WalkingNetwork,
    now: datetime,
) -> planning.Plan | None:
    """Plan another way for everybody who was to fetch an AED; None when nobody is. Reads only."""
    everyone = await underway.asked(conn, incident.id)
    mine = [item for item in everyone if item.aed_id == aed_id and _is_fetching(item)]
    if not mine:
        return None
    ids = [item.responder_id for item in mine]
    fixes = {} if live is None else await whereabouts.live_of(live, ids, now=now)
    people = await _people(conn, incident, policy, mine, fixes, now=now)
    reach_m = policy.reach_s * (policy.pace_mps or network.speed_mps)
    near = await planning.near_aeds(conn, incident, within_m=reach_m)
    near = [aed for aed in near if aed.id != aed_id]
    fetches = await aed_trust.fetches(conn, [aed.id for aed in near], now=now) if near else {}
    scene, modes = scenes.clock(policy, incident, now=now)
    ask = ways.Ask(
        incident.position, incident.kind, policy, scene, policy.reach_s, people, near, fetches,
        even_far=True,
    )  # fmt: skip
    way = await asyncio.to_thread(ways.measure, network, ask, now=now)
    others = [item for item in everyone if item not in mine and (item.is_pending or item.is_going)]
    under = matching.Under(
        room=policy.alerts_cap - len(everyone),
        aeds_taken=frozenset(item.aed_id for item in others if item.aed_id is not None),
        live=len(mine) + len(others),
    )
    decision = allocations.Decision(
        allocations.Call.REROUTE, policy, incident.kind, way.candidates, way.options, under, scene
    )
    return _plan(incident, decision, way, people, modes, now=now)


def _is_fetching(item: underway.Asked) -> bool:
    if item.role is not states.Role.VIA_AED:
        return False
    return item.is_pending or item.assignment in _FETCHING


async def _people(
    conn: AsyncConnection,
    incident: store.Incident,
    policy: matching.Policy,
    mine: Sequence[underway.Asked],
    live: Mapping[UUID, store.Fix],
    *,
    now: datetime,
) -> list[eligibility.Person]:
    """Return the fetchers with where they are; whoever has accepted comes for sure."""
    going = {item.responder_id for item in mine if not item.is_pending}
    ids = [item.responder_id for item in mine]
    people = await eligibility.describe(conn, incident, policy, ids, live=live, now=now)
    return [
        replace(
            person, blocked=None, blocked_args={},
            accept=1.0 if person.id in going else policy.accept_prior,
        )
        for person in people
    ]  # fmt: skip


def _plan(
    incident: store.Incident,
    decision: allocations.Decision,
    way: ways.Ways,
    people: Sequence[eligibility.Person],
    modes: Sequence[scenes.Mode],
    *,
    now: datetime,
) -> planning.Plan:
    decided = allocations.decide(decision)
    known = {person.id: person for person in people}
    chosen = tuple(
        planning.Considered(
            known[choice.id], way.direct.get(choice.id), None, choice.role, choice.aed_id,
            choice.travel_s, arrives_s=choice.arrives_s,
        )
        for choice in decided.chosen
    )  # fmt: skip
    given = {choice.aed_id for choice in decided.chosen}
    shown = tuple(replace(a, is_chosen=True) for a in way.aeds if a.aed.id in given)
    return planning.Plan(
        incident=incident,
        made_at=now,
        policy=decision.policy,
        milliseconds=0.0,
        chosen=chosen,
        excluded=(),
        aeds=shown,
        named=tuple(known),
        team_id=None,
        decision=decision,
        figures=None,
        modes=tuple(modes),
    )


async def apply(
    conn: AsyncConnection,
    incident_id: UUID,
    plan: planning.Plan | None,
    *,
    policy: matching.Policy,
    now: datetime,
) -> list[store.Alert]:
    """Lead the people of a plan another way and tell their phones; look again who else is wanted.

    Raises PlanOutdated when the incident changed since the plan was made.
    """
    incident = await store.lock_incident(conn, incident_id, even_closed=True)
    if plan is None or incident.status is states.Incident.CLOSED:
        await waves.look_again(conn, incident, policy, now=now)
        return []
    if incident.version != plan.incident.version:
        raise errors.PlanOutdated(state={"version": incident.version})
    alerts, moved = await _redirect(conn, incident, plan, now=now)
    await _keep_record(conn, plan)
    incident = await store.change_incident(conn, incident.id)
    await waves.look_again(conn, incident, policy, now=now)
    line = await store.add_line(
        conn, incident.id, channel=events.Channel.SYSTEM, kind=events.LineKind.AED_REPLACED,
        args={**telling.whom(alerts), "ways": [_way_out(alert) for alert in alerts]},
        by=None, now=now,
    )  # fmt: skip
    going = {one.responder_id for one in moved}
    people = {
        alert.responder_id: events.PersonKind.MISSION_CHANGED
        if alert.responder_id in going
        else events.PersonKind.ALERT_CHANGED
        for alert in alerts
    }
    await telling.tell(
        conn, events.Kind.AED_REPLACED, incident, alerts=alerts, assignments=moved, lines=[line],
        people=people, now=now,
    )  # fmt: skip
    return alerts


async def _redirect(
    conn: AsyncConnection, incident: store.Incident, plan: planning.Plan, *, now: datetime
) -> tuple[list[store.Alert], list[store.Assignment]]:
    alert = tables.alert.c
    chosen = {item.person.id: item for item in plan.chosen}
    until = {item.aed.id: ways.open_until(item) for item in plan.aeds}
    found = await store.lock_alerts(
        conn, alert.incident_id == incident.id, alert.responder_id.in_(chosen),
        store.is_of_now(incident),
    )  # fmt: skip
    alerts, moved = [], []
    for before in found:
        item = chosen[before.responder_id]
        role, aed_id = item.role or states.Role.DIRECT, item.aed_id
        usable_until = None if aed_id is None else until.get(aed_id)
        after = await store.redirect_alert(
            conn, before.id, role=role, aed_id=aed_id, aed_usable_until=usable_until,
            travel_s=item.travel_s, revision=before.revision + 1,
        )  # fmt: skip
        alerts.append(after)
        going = await store.find_assignment_of(conn, before.id)
        if going is not None:
            eta_at = assignments.eta(now, item.travel_s)
            moved.append(
                await store.change_assignment(
                    conn, going.id, role=role.value, aed_id=aed_id, eta_at=eta_at
                )
            )
    return alerts, moved


async def _keep_record(conn: AsyncConnection, plan: planning.Plan) -> None:
    chosen, excluded = plan_views.kept_out(plan, {})
    await store.add_allocation(
        conn, incident_id=plan.incident.id, wave_id=None, made_at=plan.made_at,
        policy=plan.policy.label, inputs=plan_views.inputs_out(plan), chosen=chosen,
        excluded=excluded, milliseconds=plan.milliseconds,
    )  # fmt: skip


def _way_out(alert: store.Alert) -> events.Body:
    return {
        "responder": str(alert.responder_id),
        "role": alert.role.value,
        "aed": None if alert.aed is None else str(alert.aed.id),
        "aed_name": None if alert.aed is None else alert.aed.name,
    }
