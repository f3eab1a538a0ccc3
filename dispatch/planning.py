"""Who would be asked now, and why: gathers people, AEDs and walking times; the rules decide.

Reads only, and never under a lock: the plan carries the incident's version, and whoever sends the
wave compares it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import redis.asyncio
from numba.core.errors import NumbaError
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    aed_trust,
    allocations,
    considered,
    eligibility,
    fetchers,
    gathering,
    histories,
    matching,
    scenes,
    states,
    store,
    underway,
    waves,
    ways,
    whereabouts,
)
from dispatch.settings import Settings
from geo import aeds, walking

_logger = logging.getLogger(__name__)

#: AEDs looked at, since many may be shut.
AEDS_LOOKED_AT = 60
#: People named by hand are measured on foot up to this; farther ones go without a time.
NAMED_REACH_S = 3_600.0
#: A search that takes longer than this answers with the best plan that it has.
SEARCH_MS = 40.0
#: What a fault in the search looks like; none may leave a patient alone.
_FAULTS = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError, NumbaError)


def policy_of(settings: Settings) -> matching.Policy:
    """Return the default policy with the numbers of this installation."""
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
    """Somebody in a plan: chosen with a role, or left out for one reason.

    `marginal` is what the plan loses without a chosen person, or what another one would add.
    """

    person: eligibility.Person
    direct: walking.Travel | None
    rank: int | None
    role: states.Role | None = None
    aed_id: UUID | None = None
    travel_s: float | None = None
    reason: matching.Reason | None = None
    args: Mapping[str, object] = field(default_factory=dict)
    # In a straight line to the patient.
    away_m: float | None = None
    arrives_s: float | None = None
    marginal: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A decision that nobody has carried out yet."""

    # As it was when the plan was made; who carries it out compares the version.
    incident: store.Incident
    made_at: datetime
    policy: matching.Policy
    milliseconds: float
    chosen: tuple[Considered, ...]
    excluded: tuple[Considered, ...]
    aeds: tuple[ways.PlanAed, ...]
    # Asked by name or as a team; None for a plan by policy.
    named: tuple[UUID, ...] | None
    team_id: UUID | None
    # What it was decided from, and what the chooser said of it.
    decision: allocations.Decision
    figures: matching.Figures | None
    modes: tuple[scenes.Mode, ...]
    # With which team each is asked, and the alarm level, where a run card names them.
    team_of: Mapping[UUID, UUID] = field(default_factory=dict)
    level: int | None = None
    # Within reach too, but not weighed, each for one reason.
    aside: Mapping[UUID, matching.Reason] = field(default_factory=dict)

    @property
    def network(self) -> walking.EtaSource:
        """Say whether any time comes from the street network."""
        everyone = (*self.chosen, *self.excluded)
        sources = {item.direct.source for item in everyone if item.direct is not None}
        if walking.EtaSource.NETWORK in sources:
            return walking.EtaSource.NETWORK
        return walking.EtaSource.ESTIMATE


async def live_positions(
    conn: AsyncConnection,
    incident_id: UUID,
    live: redis.asyncio.Redis,
    *,
    policy: matching.Policy,
    network: walking.WalkingNetwork,
    named: Sequence[UUID] | None = None,
    team_id: UUID | None = None,
    known: store.Incident | None = None,
    now: datetime,
) -> whereabouts.Around:
    """Ask Redis where those whom `make` will consider are now; without it, of nobody.

    Waits for Redis, if shortly: call it before anything is locked. `known` is the incident, where
    it was read just now. Raises NotFound.
    """
    if team_id is not None:
        named = (await store.get_team(conn, team_id)).members
    if named is not None:
        return whereabouts.Around(await whereabouts.live_of(live, named, now=now))
    incident = known or await store.get_incident(conn, incident_id)
    within_m = policy.reach_s * (policy.pace_mps or network.speed_mps)
    return await gathering.around(conn, incident, policy, live, within_m=within_m, now=now)


async def make(
    conn: AsyncConnection,
    incident_id: UUID,
    *,
    policy: matching.Policy,
    network: walking.WalkingNetwork,
    live: whereabouts.Around | None = None,
    named: Sequence[UUID] | None = None,
    team_id: UUID | None = None,
    known: store.Incident | None = None,
    is_whole: bool = False,
    now: datetime,
) -> Plan:
    """Plan the next wave of an incident by exactly this policy; sends nothing.

    `policies.effective` says which one holds. `live` are the `live_positions`; of each person the
    newer one counts. `known` is the incident, where it was read just now. `is_whole` weighs
    everybody within reach, however many these are. Raises NotFound, IncidentClosed.
    """
    began = time.perf_counter()
    incident = known or await store.get_incident(conn, incident_id)
    states.check_open(incident.status)
    if team_id is not None:
        named = (await store.get_team(conn, team_id)).members
    around = live or whereabouts.Around({})
    most = None if is_whole else considered.most_of(policy)
    question = _Question(policy, network, around, None if named is None else tuple(named), most)
    ask, way, decision, decided = await _answer(conn, incident, question, now=now)
    chosen, excluded = _everyone(ask.people, way, decided)
    fetched = {choice.aed_id for choice in decided.chosen}
    return Plan(
        incident=incident,
        made_at=now,
        policy=policy,
        milliseconds=round((time.perf_counter() - began) * 1000, 3),
        chosen=chosen,
        excluded=excluded,
        aeds=_shown(way.aeds, fetched),
        aside=decision.aside,
        named=question.named,
        team_id=team_id,
        decision=decision,
        figures=decided.figures,
        modes=_modes(policy, incident, way, decision, decided, now=now),
    )


@dataclass(frozen=True, slots=True)
class _Question:
    """What a plan is asked for."""

    policy: matching.Policy
    network: walking.WalkingNetwork
    around: whereabouts.Around
    named: tuple[UUID, ...] | None
    # Of those who can be asked so many are weighed; None: all.
    most: int | None


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who was asked before, and how they answer."""

    people: Sequence[underway.Asked]
    histories: Mapping[UUID, histories.History]
    circle_m: float | None
    is_named: bool
    aside: considered.Aside


_Answer = tuple[ways.Ask, ways.Ways, allocations.Decision, matching.Plan]


async def _answer(
    conn: AsyncConnection, incident: store.Incident, question: _Question, *, now: datetime
) -> _Answer:
    """Weigh the nearest; and more of them, where of these too few can be asked and walk there."""
    while True:
        ask, asked = await _gather(conn, incident, question, now=now)
        way, decision, decided = await asyncio.to_thread(
            _decide, question.network, ask, asked, now=now
        )
        if question.most is None or considered.is_enough(
            question.policy, way.candidates, asked.aside
        ):
            return ask, way, decision, decided
        # The live positions of those who were asked for are known; of the others the stored do.
        question = replace(question, most=considered.WIDER * question.most)


async def near_aeds(
    conn: AsyncConnection, incident: store.Incident, *, within_m: float
) -> list[aeds.Aed]:
    """Return the AEDs around a patient, but for those that were found unusable in this incident."""
    near = await aeds.near(conn, incident.position, within_m=within_m, limit=AEDS_LOOKED_AT)
    useless = await fetchers.reported(conn, incident.id) if near else set()
    return [aed for aed in near if aed.id not in useless]


async def _gather(
    conn: AsyncConnection, incident: store.Incident, question: _Question, *, now: datetime
) -> tuple[ways.Ask, _Asked]:
    """Read everything that the database knows."""
    policy = question.policy
    speed = policy.pace_mps or question.network.speed_mps
    reach_s = policy.reach_s if question.named is None else NAMED_REACH_S
    people = await gathering.gather(
        conn, incident, policy, within_m=reach_s * speed, around=question.around,
        named=question.named, most=question.most, now=now,
    )  # fmt: skip
    near = await near_aeds(conn, incident, within_m=policy.reach_s * speed)
    is_fetched = bool(near) and incident.kind in states.WANTS_AED
    fetches = await aed_trust.fetches(conn, [aed.id for aed in near], now=now) if is_fetched else {}
    asked = await underway.asked(conn, incident.id)
    pending = [item.responder_id for item in asked if item.is_pending]
    known = (
        await histories.read(conn, pending, exercise=incident.exercise, now=now) if pending else {}
    )
    scene, _ = scenes.clock(policy, incident, now=now)
    ask = ways.Ask(
        incident.position, incident.kind, policy, scene, reach_s, people.considered, near, fetches,
        taken=frozenset(item.aed_id for item in asked if item.aed_id is not None),
    )  # fmt: skip
    circle_m = await waves.circle(conn, incident.id, policy)
    is_named = question.named is not None
    return ask, _Asked(asked, known, circle_m, is_named, people.aside)


def _decide(
    network: walking.WalkingNetwork,
    ask: ways.Ask,
    asked: _Asked,
    *,
    now: datetime,
) -> tuple[ways.Ways, allocations.Decision, matching.Plan]:
    """Measure and choose, outside the event loop; whatever breaks, somebody is asked."""
    way = ways.measure(network, ask, now=now)
    works = {item.aed.id: item.works for item in way.aeds}
    known = underway.Known(asked.histories, works)
    under = underway.under(ask.policy, asked.people, known, ask.scene, now=now)
    under = replace(under, circle_m=asked.circle_m)
    decision = allocations.Decision(
        allocations.Call.NAMED if asked.is_named else allocations.Call.PLAN,
        ask.policy,
        ask.kind,
        way.candidates,
        way.options,
        under,
        ask.scene,
        aside=asked.aside,
    )
    # Who is aside changes nothing in the choice; to list thousands of them takes longer than it.
    alone = replace(decision, aside={})
    try:
        decided = allocations.decide(alone, budget_ms=SEARCH_MS)
    except _FAULTS:
        _logger.exception("the chooser of policy %s failed", ask.policy.label)
        last_resort = allocations.Call.LAST_RESORT
        decided = allocations.decide(replace(alone, call=last_resort))
        return way, replace(decision, call=last_resort), decided
    if decided.figures is not None and not decided.figures.is_complete:
        decision = replace(decision, steps=decided.figures.steps)
    return way, decision, decided


def _modes(
    policy: matching.Policy,
    incident: store.Incident,
    way: ways.Ways,
    decision: allocations.Decision,
    decided: matching.Plan,
    *,
    now: datetime,
) -> tuple[scenes.Mode, ...]:
    """Say what the plan had to do without."""
    _, modes = scenes.clock(policy, incident, now=now)
    doubtful = {item.aed.id for item in way.aeds if item.usable.reason in aed_trust.HOURS_UNKNOWN}
    sources = {travel.source for travel in way.direct.values()}
    said: Mapping[scenes.Mode, bool] = {
        scenes.Mode.NO_ROUTING: sources == {walking.EtaSource.ESTIMATE},
        scenes.Mode.HOURS_UNKNOWN: any(c.aed_id in doubtful for c in decided.chosen),
        scenes.Mode.DEADLINE: decision.steps is not None,
        scenes.Mode.FALLBACK: decision.call is allocations.Call.LAST_RESORT,
    }
    return (*modes, *(mode for mode, holds in said.items() if holds))


def _shown(
    near: Sequence[ways.PlanAed], fetched: Collection[UUID | None]
) -> tuple[ways.PlanAed, ...]:
    return tuple(
        replace(item, is_chosen=item.aed.id in fetched)
        for place, item in enumerate(near)
        if place < ways.AEDS_SHOWN or item.aed.id in fetched
    )


def _everyone(
    people: Sequence[eligibility.Person], way: ways.Ways, decided: matching.Plan
) -> tuple[tuple[Considered, ...], tuple[Considered, ...]]:
    """Put everyone in order of the direct way, the unreachable last, and split by the decision."""
    choices = {choice.id: choice for choice in decided.chosen}
    chosen, excluded = [], []
    for person, direct, rank in _ranked(people, way.direct):
        choice = choices.get(person.id)
        if choice is None:
            excluded.append(_left_out(person, direct, rank, decided))
            continue
        chosen.append(
            Considered(
                person, direct, rank, choice.role, choice.aed_id, choice.travel_s,
                away_m=person.away_m, arrives_s=choice.arrives_s, marginal=choice.marginal,
            )
        )  # fmt: skip
    return tuple(chosen), tuple(excluded)


def _left_out(
    person: eligibility.Person,
    direct: walking.Travel | None,
    rank: int | None,
    decided: matching.Plan,
) -> Considered:
    args: Mapping[str, object] = decided.args.get(person.id, {})
    if person.blocked_args:
        args = {**person.blocked_args, **args}
    return Considered(
        person, direct, rank, None, None, None if direct is None else direct.travel_s,
        decided.excluded[person.id], args, person.away_m,
        marginal=decided.marginals.get(person.id),
    )  # fmt: skip


def _ranked(
    people: Sequence[eligibility.Person], direct: Mapping[UUID, walking.Travel]
) -> Iterator[tuple[eligibility.Person, walking.Travel | None, int | None]]:
    """Go through everyone with the way and the rank: those who can be there, the nearest first."""
    ways = [(person, direct.get(person.id)) for person in people]
    reached = [(way.travel_s, person.id, person, way) for person, way in ways if way is not None]
    for rank, (_, _, person, way) in enumerate(sorted(reached, key=lambda one: one[:2]), 1):
        yield person, way, rank
    for person, no_way in ways:
        if no_way is None:
            yield person, None, None
