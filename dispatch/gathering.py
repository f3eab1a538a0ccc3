"""Whom a plan weighs: the nearest are described until enough of them could be asked.

What depends on the incident counts here too: quiet hours, and how often somebody was asked.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import numpy as np
import redis.asyncio
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    considered,
    eligibility,
    errors,
    histories,
    matching,
    restraint,
    store,
    whereabouts,
)
from dispatch.considered import Aside
from dispatch.eligibility import Person

#: Metres by which two measures of one way may differ.
_SAME_M = 1.0
#: Who is held back for such a reason takes nobody's place.
_HELD = frozenset(
    {
        matching.Reason.OFF_DUTY,
        matching.Reason.SUSPENDED,
        matching.Reason.RESTING,
        matching.Reason.BUSY,
        matching.Reason.POSITION_STALE,
        matching.Reason.POSITION_VAGUE,
    }
)


@dataclass(frozen=True, slots=True)
class People:
    """Everybody within reach: those whom a plan considers, and the others, each with why not."""

    considered: list[Person]
    aside: Aside


async def around(
    conn: AsyncConnection,
    incident: considered.Emergency,
    policy: matching.Policy,
    live: redis.asyncio.Redis,
    *,
    within_m: float,
    now: datetime,
) -> whereabouts.Around:
    """Ask the database and Redis at the same time who is near, then Redis where the others are."""
    most, here = considered.most_of(policy), incident.position
    asking = asyncio.create_task(
        whereabouts.live_around(live, here, within_m=within_m, most=most, now=now)
    )
    try:
        near = await considered.near(conn, incident, policy, within_m=within_m, now=now)
        fixes = await asking
    finally:
        asking.cancel()
        await asyncio.wait([asking])  # it gives its connection back
    if len(near.row_of) <= most <= len(fixes):
        fixes = await whereabouts.live_around(live, here, within_m=within_m, now=now)
    order, known = considered.in_order(near, fixes, here), {person.bytes for person in fixes}
    first = order.keys[order.first(most)].tolist()
    others = [UUID(bytes=key) for key in first if key not in known]
    return whereabouts.Around({**fixes, **await whereabouts.live_of(live, others, now=now)}, order)


async def gather(
    conn: AsyncConnection,
    incident: considered.Emergency,
    policy: matching.Policy,
    *,
    within_m: float,
    around: whereabouts.Around,
    named: Sequence[UUID] | None,
    most: int | None = None,
    now: datetime,
) -> People:
    """Find everyone of the incident's organisation and below who may be within reach.

    Of those who can be asked the nearest `most` are described and the others set aside. With
    `named` exactly these, wherever they are. Raises NotFound when one of them is not there.
    """
    if named is not None:
        return await _named(conn, incident, policy, named, live=around.live, now=now)
    order = around.order
    if order is None:
        near = await considered.near(conn, incident, policy, within_m=within_m, now=now)
        order = considered.in_order(near, around.live, incident.position)
    look = _Look(incident, policy, around.live, most, now)
    people, is_left = await _described(conn, look, order)
    inside = [person for person in people if person.away_m is None or person.away_m <= within_m]
    able = await _restrain(conn, incident, policy, inside, is_budgeted=True, now=now)
    beyond: dict[UUID, matching.Reason] = {}
    if most is not None and len(order.keys) > most:
        beyond = _beyond(able, most)
    aside = Aside(beyond, order.keys[is_left & (order.metres <= within_m)])
    return People([person for person in able if person.id not in beyond] if beyond else able, aside)


async def _named(
    conn: AsyncConnection,
    incident: considered.Emergency,
    policy: matching.Policy,
    named: Sequence[UUID],
    *,
    live: Mapping[UUID, store.Fix],
    now: datetime,
) -> People:
    people = await eligibility.describe(
        conn, incident, policy, named, live=live, is_exercise=incident.exercise, now=now
    )
    if len(people) < len(set(named)):
        raise errors.NotFound
    people = [_regardless_of_place(person) for person in people]
    able = await _restrain(conn, incident, policy, people, is_budgeted=False, now=now)
    return People(able, Aside({}))


@dataclass(frozen=True, slots=True)
class _Look:
    """Who is looked for; of those who can be asked the nearest `most`, None: all."""

    incident: considered.Emergency
    policy: matching.Policy
    live: Mapping[UUID, store.Fix]
    most: int | None
    now: datetime


async def _described(
    conn: AsyncConnection, look: _Look, order: whereabouts.Order
) -> tuple[list[Person], NDArray[np.bool_]]:
    """Describe the nearest until enough of them could be asked; say who was left.

    Who is off duty or busy takes nobody's place before they are two in three.
    """
    is_left = np.ones(len(order.keys), np.bool_)
    people: list[Person] = []
    rows, ids = order.first(look.most), list(order.unplaced)
    while True:
        ids += order.ids(rows)
        is_left[rows] = False
        people += await eligibility.describe(
            conn, look.incident, look.policy, ids, live=look.live,
            is_exercise=look.incident.exercise, now=look.now,
        )  # fmt: skip
        rows, ids = _next(look, order, is_left, people), []
        if not len(rows):
            return sorted(people, key=lambda person: person.id), is_left


def _next(
    look: _Look,
    order: whereabouts.Order,
    is_left: NDArray[np.bool_],
    people: Sequence[Person],
) -> NDArray[np.intp]:
    """Give the rows to be described next; none where enough are, or as many were looked at."""
    rows = np.flatnonzero(is_left)
    if look.most is None or not len(rows):
        return rows[:0]
    edge_m = order.metres[rows[0]] + _SAME_M
    found = sum(
        not _is_held(person) and person.away_m is not None and person.away_m <= edge_m
        for person in people
    )
    room = considered.LOOKED_AT * look.most - int(rows[0])
    missing = look.most - found
    return rows[: max(0, min(2 * missing, room))]


def _is_held(person: Person) -> bool:
    return any(reason in _HELD for reason, _ in person.against)


_WAS_ASKED = frozenset({matching.Reason.ALREADY_ALERTED, matching.Reason.STOOD_DOWN_BEFORE})


def _beyond(people: Sequence[Person], most: int) -> dict[UUID, matching.Reason]:
    """Set aside who is not among the nearest: held back, with an AED at hand, or free.

    Whoever was asked before, or could be asked but for the papers or the hour, is shown.
    """
    held, carriers, free = list[_Away](), list[_Away](), list[_Away]()
    for person in people:
        if person.away_m is None or person.blocked in _WAS_ASKED:
            continue
        away = (person.away_m, person.id, person.blocked or matching.Reason.MANY_NEARER)
        if _is_held(person):
            held.append(away)
        elif person.blocked is None:
            is_carrier = considered.CARRIES_AED in person.skills
            (carriers if is_carrier else free).append(away)
    return {
        person: reason
        for lane, limit in (
            (held, considered.HELD_MOST), (carriers, considered.CARRIERS_MOST), (free, most)
        )
        if len(lane) > limit
        for _, person, reason in sorted(lane)[limit:]
    }  # fmt: skip


_Away = tuple[float, UUID, matching.Reason]


async def _restrain(
    conn: AsyncConnection,
    incident: considered.Emergency,
    policy: matching.Policy,
    people: Sequence[Person],
    *,
    is_budgeted: bool,
    now: datetime,
) -> list[Person]:
    """Add how likely a yes of each is, and leave in peace who has been asked enough."""
    free = [person for person in people if person.blocked is None]
    ids = [person.id for person in free]
    known = await histories.read(conn, ids, exercise=incident.exercise, now=now) if ids else {}
    exempt = _nearest(
        [person for person in free if not _wants_peace(person, incident, policy)], policy
    )

    def restrained(person: Person) -> Person:
        history = known.get(person.id, _NO_HISTORY) if known else _NO_HISTORY
        is_quiet = _wants_peace(person, incident, policy)
        if history is _NO_HISTORY and not is_quiet and policy.alert_budget_day > 0:
            return person
        counts = is_budgeted and person.id not in exempt
        load = restraint.Load(is_quiet, history.last_day if counts else None)
        blocked, args = restraint.hold_back(policy, incident.kind, load)
        yes = histories.accept(policy, history)
        return replace(person, accept=yes, blocked=blocked, blocked_args=args)

    return [person if person.blocked is not None else restrained(person) for person in people]


_NO_HISTORY = histories.History()


def _wants_peace(person: Person, incident: considered.Emergency, policy: matching.Policy) -> bool:
    """Say whether the person's quiet hours hold against this kind of emergency."""
    if not person.is_quiet:
        return False
    return incident.kind not in (*person.quiet_except, *policy.breakthrough)


def _nearest(free: Sequence[Person], policy: matching.Policy) -> frozenset[UUID]:
    """Return the nearest who could be asked, for whom no budget holds."""
    away = ((person.away_m, person.id) for person in free if person.away_m is not None)
    return frozenset(person for _, person in heapq.nsmallest(policy.budget_exempt, away))


_PLACE_REASONS = frozenset(
    {
        matching.Reason.NO_POSITION,
        matching.Reason.POSITION_STALE,
        matching.Reason.POSITION_VAGUE,
    }
)


def _regardless_of_place(person: Person) -> Person:
    if person.blocked not in _PLACE_REASONS:
        return person
    return replace(
        person, position=None, position_source=None, position_at=None, blocked=None,
        blocked_args={}, accuracy_m=None, away_m=None,
    )  # fmt: skip
