"""Who would be asked now, and why: gathers people, AEDs and walking times; the rules decide.

Reads only, and never under a lock: the plan carries the incident's version, and whoever sends the
wave compares it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import eligibility, events, matching, states, store, waves
from dispatch.settings import Settings
from geo import aeds, usability, walking

#: AEDs looked at, since many may be shut; how many of those that are open are measured from every
#: candidate; and how many are shown with a plan besides those that somebody fetches.
AEDS_LOOKED_AT = 60
AEDS_MEASURED = 6
AEDS_SHOWN = 12
#: People named by hand are measured on foot up to this; farther ones go without a time.
NAMED_REACH_S = 3_600.0


def policy_of(settings: Settings) -> matching.Policy:
    """Return the first policy with the numbers of this installation."""
    return matching.Policy(
        reach_s=settings.reach_s,
        aed_pickup_s=settings.aed_pickup_s,
        wave_size=settings.wave_size,
        alerts_cap=settings.alerts_cap,
        wave_wait_s=settings.wave_wait_s,
        alert_expires_s=settings.alert_expires_s,
        no_movement_after_s=settings.no_movement_after_s,
        live_for_s=settings.position_max_age_s,
    )


@dataclass(frozen=True, slots=True)
class Considered:
    """Somebody in a plan: chosen with a role, or left out for one reason."""

    person: eligibility.Person
    direct: walking.Travel | None
    rank: int | None
    role: states.Role | None = None
    aed_id: UUID | None = None
    travel_s: float | None = None
    reason: matching.Reason | None = None


@dataclass(frozen=True, slots=True)
class PlanAed:
    """An AED near the patient."""

    aed: aeds.Aed
    usable: usability.Usability
    walk: walking.Travel | None
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A decision that nobody has carried out yet."""

    incident_id: UUID
    incident_version: int
    made_at: datetime
    policy: matching.Policy
    milliseconds: float
    chosen: tuple[Considered, ...]
    excluded: tuple[Considered, ...]
    aeds: tuple[PlanAed, ...]
    # Asked by name or as a team; None for a plan by policy.
    named: tuple[UUID, ...] | None
    team_id: UUID | None

    @property
    def network(self) -> walking.EtaSource:
        """Say whether any time comes from the street network."""
        everyone = (*self.chosen, *self.excluded)
        sources = {item.direct.source for item in everyone if item.direct is not None}
        if walking.EtaSource.NETWORK in sources:
            return walking.EtaSource.NETWORK
        return walking.EtaSource.ESTIMATE


async def make(
    conn: AsyncConnection,
    incident_id: UUID,
    *,
    policy: matching.Policy,
    network: walking.WalkingNetwork,
    live: Mapping[UUID, store.Fix] | None = None,
    named: Sequence[UUID] | None = None,
    team_id: UUID | None = None,
    now: datetime,
) -> Plan:
    """Plan the next wave of an incident; sends nothing.

    `live` are positions newer than the stored ones, where there are any. Raises NotFound,
    IncidentClosed.
    """
    began = time.perf_counter()
    incident = await store.get_incident(conn, incident_id)
    states.check_open(incident.status)
    if team_id is not None:
        named = (await store.get_team(conn, team_id)).members
    reach_s = policy.reach_s if named is None else NAMED_REACH_S
    people = await eligibility.gather(
        conn, incident, policy, within_m=reach_s * network.speed_mps, live=live or {},
        named=named, now=now,
    )  # fmt: skip
    near = await aeds.near(
        conn, incident.position, within_m=policy.reach_s * network.speed_mps, limit=AEDS_LOOKED_AT
    )
    asked = await waves.list_asked(conn, incident.id)
    way = await asyncio.to_thread(
        _measure, network, incident, people, near, policy=policy, reach_s=reach_s, now=now
    )
    decide = matching.plan if named is None else matching.plan_named
    decided = decide(
        policy, incident.kind, way.candidates, way.options, under=_under(policy, asked)
    )
    chosen, excluded = _everyone(people, way, decided)
    fetched = {choice.aed_id for choice in decided.chosen}
    return Plan(
        incident_id=incident.id,
        incident_version=incident.version,
        made_at=now,
        policy=policy,
        milliseconds=round((time.perf_counter() - began) * 1000, 3),
        chosen=chosen,
        excluded=excluded,
        aeds=_shown(way.aeds, fetched),
        named=None if named is None else tuple(named),
        team_id=team_id,
    )


def _shown(near: Sequence[PlanAed], fetched: Collection[UUID | None]) -> tuple[PlanAed, ...]:
    return tuple(
        replace(item, is_chosen=item.aed.id in fetched)
        for place, item in enumerate(near)
        if place < AEDS_SHOWN or item.aed.id in fetched
    )


def _under(policy: matching.Policy, asked: Sequence[waves.Asked]) -> matching.Under:
    going = [item for item in asked if item.ask.is_going]
    return matching.Under(
        room=policy.alerts_cap - len(asked),
        is_direct_going=any(item.ask.role is states.Role.DIRECT for item in going),
        aeds_taken=frozenset(
            item.aed_id
            for item in asked
            if item.aed_id is not None and (item.ask.is_going or item.ask.is_pending)
        ),
    )


@dataclass(frozen=True, slots=True)
class _Ways:
    """What the walking network answered."""

    direct: Mapping[UUID, walking.Travel]
    candidates: list[matching.Candidate]
    options: list[matching.AedOption]
    aeds: list[PlanAed]


def _measure(
    network: walking.WalkingNetwork,
    incident: store.Incident,
    people: Sequence[eligibility.Person],
    near: Sequence[aeds.Aed],
    *,
    policy: matching.Policy,
    reach_s: float,
    now: datetime,
) -> _Ways:
    """Measure all ways: one expansion from the patient, one from each AED that may be fetched."""
    placed = [person for person in people if person.position is not None]
    targets = [person.position for person in placed if person.position is not None]
    ways = network.times(
        incident.position,
        [*targets, *(aed.position for aed in near)],
        within_s=reach_s,
        inbound=True,
    )
    direct = {
        person.id: way
        for person, way in zip(placed, ways[: len(placed)], strict=True)
        if way is not None
    }
    shown = [
        PlanAed(aed, aeds.usable(aed, now), way, is_chosen=False)
        for aed, way in zip(near, ways[len(placed) :], strict=True)
    ]
    options = _options(shown, incident.kind, policy, now=now)
    at = {aed.id: aed.position for aed in near}
    to_aed = {
        option.id: network.times(at[option.id], targets, within_s=policy.reach_s, inbound=True)
        for option in options
    }
    aed_s: dict[UUID, dict[UUID, float]] = {person.id: {} for person in placed}
    for aed_id, travels in to_aed.items():
        for person, travel in zip(placed, travels, strict=True):
            if travel is not None:
                aed_s[person.id][aed_id] = travel.travel_s
    candidates = [
        matching.Candidate(
            person.id,
            direct[person.id].travel_s if person.id in direct else None,
            aed_s.get(person.id, {}),
            person.blocked,
        )
        for person in people
    ]
    return _Ways(direct, candidates, options, shown)


def _options(
    shown: Sequence[PlanAed], kind: states.Kind, policy: matching.Policy, *, now: datetime
) -> list[matching.AedOption]:
    if kind not in states.WANTS_AED:
        return []
    found = [
        option
        for item in shown
        if item.walk is not None
        and item.walk.travel_s <= policy.reach_s
        and (option := _option(item, item.walk, now)) is not None
    ]
    return sorted(found, key=lambda option: (option.to_patient_s, option.id))[:AEDS_MEASURED]


def _option(item: PlanAed, walk: walking.Travel, now: datetime) -> matching.AedOption | None:
    """Say when an AED can be had: from now, or from when it opens next, until it closes."""
    begins, usable = now, item.usable
    if usable.state is not usability.Usable.YES and usable.until is not None:
        begins, usable = usable.until, aeds.usable(item.aed, usable.until)
    if usable.state is not usability.Usable.YES:
        return None
    ends = usable.until if usable.until is not None else now + timedelta(days=366)
    return matching.AedOption(
        item.aed.id, walk.travel_s, (begins - now).total_seconds(), (ends - now).total_seconds()
    )


def _everyone(
    people: Sequence[eligibility.Person], way: _Ways, decided: matching.Plan
) -> tuple[tuple[Considered, ...], tuple[Considered, ...]]:
    """Put everyone in order of the direct way, the unreachable last, and split by the decision."""
    choices = {choice.id: choice for choice in decided.chosen}
    chosen, excluded = [], []
    for person, rank in _ranked(people, way.direct):
        direct = way.direct.get(person.id)
        choice = choices.get(person.id)
        if choice is None:
            reason = decided.excluded[person.id]
            seconds = None if direct is None else direct.travel_s
            excluded.append(Considered(person, direct, rank, travel_s=seconds, reason=reason))
        else:
            chosen.append(
                Considered(person, direct, rank, choice.role, choice.aed_id, choice.travel_s)
            )
    return tuple(chosen), tuple(excluded)


def _ranked(
    people: Sequence[eligibility.Person], direct: Mapping[UUID, walking.Travel]
) -> list[tuple[eligibility.Person, int | None]]:
    reached = [person for person in people if person.id in direct]
    reached.sort(key=lambda person: (direct[person.id].travel_s, person.id))
    unreached = [(person, None) for person in people if person.id not in direct]
    return [*((person, place) for place, person in enumerate(reached, 1)), *unreached]


def plan_out(plan: Plan) -> events.Body:
    """Show a plan to an operator."""
    return {
        "incident": str(plan.incident_id),
        "made_at": events.time(plan.made_at),
        "policy": plan.policy.name,
        "network": plan.network.value,
        "ms": plan.milliseconds,
        "chosen": [considered_out(item, now=plan.made_at) for item in plan.chosen],
        "excluded": [considered_out(item, now=plan.made_at) for item in plan.excluded],
        "aeds": [_aed_out(item) for item in plan.aeds],
    }


def considered_out(item: Considered, *, now: datetime) -> events.Body:
    """Show one person of a plan."""
    person = item.person
    age = None if person.position_at is None else (now - person.position_at).total_seconds()
    return {
        "responder": str(person.id),
        "name": person.name,
        "name_en": person.name_en,
        "skills": list(person.skills),
        "duty": person.duty.value,
        "position": events.point(person.position),
        "position_source": person.position_source,
        "position_age_s": None if age is None else max(0.0, round(age, 1)),
        "role": None if item.role is None else item.role.value,
        "aed": events.ident(item.aed_id),
        "travel_s": _round(item.travel_s),
        "direct_s": _round(None if item.direct is None else item.direct.travel_s),
        "distance_m": _round(None if item.direct is None else item.direct.distance_m),
        "eta_source": None if item.direct is None else item.direct.source.value,
        "rank": item.rank,
        "reason": None if item.reason is None else item.reason.value,
        "reason_args": dict(person.blocked_args),
        "is_invented": person.is_invented,
    }


def kept_out(item: Considered, *, lost_to: matching.Reason | None = None) -> events.Body:
    """Write one person of a plan for the record: times and reasons, no position and no name."""
    reason = lost_to or item.reason
    return {
        "responder": str(item.person.id),
        "duty": item.person.duty.value,
        "position_source": item.person.position_source,
        "position_at": events.time(item.person.position_at),
        "role": None if lost_to is not None or item.role is None else item.role.value,
        "aed": events.ident(item.aed_id),
        "travel_s": _round(item.travel_s),
        "direct_s": _round(None if item.direct is None else item.direct.travel_s),
        "eta_source": None if item.direct is None else item.direct.source.value,
        "rank": item.rank,
        "reason": None if reason is None else reason.value,
        "reason_args": dict(item.person.blocked_args),
    }


def inputs_out(plan: Plan) -> events.Body:
    """Write what a plan was made from for the record."""
    return {
        "incident_version": plan.incident_version,
        "policy": asdict(plan.policy),
        "network": plan.network.value,
        "named": None if plan.named is None else [str(person) for person in plan.named],
        "team": events.ident(plan.team_id),
        "aeds": [_aed_out(item) for item in plan.aeds],
    }


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _aed_out(item: PlanAed) -> events.Body:
    return {
        "id": str(item.aed.id),
        "name": item.aed.name,
        "position": events.point(item.aed.position),
        "usable": item.usable.state.value,
        "usable_reason": item.usable.reason.value,
        "usable_until": events.time(item.usable.until),
        "walk_s": _round(None if item.walk is None else item.walk.travel_s),
        "chosen": item.is_chosen,
    }
