"""PURE. The transport problem of relief stock, solved by HiGHS.

First the least shortage, the most urgent needs before all others, then the least unit-minutes; with
a limit on depots for a need also the fewest shipments. Rawls and Turnquist 2010 and Balcik and
Beamon 2008 state such models; here one is solved for what is asked now. Without the limit it is a
network, so that the simplex method ends in whole units. Inside a depot what expires first leaves
first.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import scipy.optimize
import scipy.sparse
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Travel = Mapping[Hashable, Mapping[Hashable, float]]

#: A search that takes longer ends with the best that it has, and says how far that may be off.
BUDGET_S = 10.0
#: Units lacking, and unit-seconds, may grow by so much for the sake of the next goal: less than
#: whatever counts, and more than what the solver takes for nothing.
_SLACK = 1e-3
#: What the solver says of an answer that is the best.
_PROVEN = 0


@dataclass(frozen=True, slots=True)
class Lot:
    """Units of one item in one depot, which may be used until `expires_s` seconds from now."""

    id: Hashable
    depot: Hashable
    item: Hashable
    quantity: int
    expires_s: float = math.inf


@dataclass(frozen=True, slots=True)
class Need:
    """Units of one item that are wanted at one place.

    `priority` 1 is the most urgent. They must be there within `within_s`, and good for use for
    another `margin_s` seconds.
    """

    id: Hashable
    item: Hashable
    quantity: int
    priority: int = 4
    margin_s: float = 0.0
    within_s: float = math.inf


@dataclass(frozen=True, slots=True)
class Flow:
    """So many units of a lot to a need."""

    lot: Hashable
    need: Hashable
    quantity: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes where and what is lacking; `gap` 0 is proven to be the best."""

    flows: list[Flow]
    short: dict[Hashable, int]
    unit_minutes: float
    gap: float = 0.0


def solve(
    lots: Sequence[Lot],
    needs: Sequence[Need],
    travel_s: Travel,
    *,
    most_depots: int | None = None,
    budget_s: float = BUDGET_S,
) -> Answer:
    """Serve the needs from the lots, each need from `most_depots` depots at most.

    `travel_s[depot][need]` are seconds; where there is none, there is no way. Lots of a depot that
    expire together leave in the order in which they stand.
    """
    ends_at = time.monotonic() + budget_s
    flows: list[Flow] = []
    short: dict[Hashable, int] = {}
    minutes = gap = 0.0
    problems = list(_problems(lots, needs, travel_s))
    for nth, problem in enumerate(problems):
        left_s = max(0.0, ends_at - time.monotonic()) / (len(problems) - nth)
        found, off = _solve(problem, most_depots, left_s)
        gap = max(gap, off)
        carried = found[: len(problem.arcs)]
        minutes += float(carried @ problem.travel_s) / 60
        flows += _first_expired_first_out(problem, carried)
        for need, lacking in zip(problem.needs, found[len(problem.arcs) :], strict=True):
            if lacking:
                short[need.id] = short.get(need.id, 0) + int(lacking)
    return Answer(flows, short, minutes, gap)


@dataclass(slots=True)
class _Shelf:
    """Lots of one item in one depot that may serve the same needs."""

    depot: Hashable
    reach: tuple[int, ...]
    lots: list[Lot] = field(default_factory=list)

    @property
    def quantity(self) -> int:
        return sum(lot.quantity for lot in self.lots)


@dataclass(frozen=True, slots=True)
class _Problem:
    """The needs and shelves of one item, and an arc for each shelf and need that may be joined."""

    needs: Sequence[Need]
    shelves: Sequence[_Shelf]
    arcs: Sequence[tuple[int, int]]
    travel_s: Floats


def _problems(lots: Iterable[Lot], needs: Iterable[Need], travel_s: Travel) -> Iterator[_Problem]:
    """Take the items apart: they do not share anything."""
    wanted, offered = (
        defaultdict[Hashable, list[Need]](list),
        defaultdict[Hashable, list[Lot]](list),
    )
    for need in needs:
        wanted[need.item].append(need)
    for lot in lots:
        offered[lot.item].append(lot)
    for item, some in wanted.items():
        shelves = _shelves(offered[item], some, travel_s)
        arcs = [(nth, need) for nth, shelf in enumerate(shelves) for need in shelf.reach]
        way = [travel_s[shelves[nth].depot][some[need].id] for nth, need in arcs]
        yield _Problem(some, shelves, arcs, np.array(way, np.float64))


def _shelves(lots: Iterable[Lot], needs: Sequence[Need], travel_s: Travel) -> list[_Shelf]:
    found: dict[tuple[Hashable, tuple[int, ...]], _Shelf] = {}
    for lot in lots:
        ways = travel_s.get(lot.depot, {})
        reach = tuple(
            nth
            for nth, need in enumerate(needs)
            if (way := ways.get(need.id, math.inf)) <= need.within_s
            and math.isfinite(way)
            and way + need.margin_s <= lot.expires_s
        )
        if reach and lot.quantity > 0:
            found.setdefault((lot.depot, reach), _Shelf(lot.depot, reach)).lots.append(lot)
    return list(found.values())


# ---- the program: units on each arc, units lacking at each need, and shipments where they count


@dataclass(frozen=True, slots=True)
class _Shipments:
    """Each depot and need that arcs join, and which of these each arc belongs to."""

    pairs: Sequence[tuple[Hashable, int]]
    of_arc: NDArray[np.int64]


def _solve(problem: _Problem, most_depots: int | None, within_s: float) -> tuple[Floats, float]:
    """Give the units on each arc and those lacking at each need, and how far they may be off."""
    weights = _weighted(problem)
    loose = _network(problem, weights)
    if most_depots is None:
        return loose, 0.0
    exact = _by_goals(problem, most_depots, within_s)
    if exact is not None:
        return exact, 0.0
    kept = _most_used(problem, loose, most_depots)
    stays = np.concatenate([kept, np.ones(len(problem.needs), np.bool_)])
    found = np.zeros(len(weights))
    found[stays] = _network(_only(problem, kept), weights[stays])
    return found, 1.0 - float(weights @ loose) / float(weights @ found)


def _network(problem: _Problem, weights: Floats) -> Floats:
    """Solve it without a limit on depots, which is a network and ends in whole units."""
    answer = scipy.optimize.milp(weights, constraints=_balances(problem, len(weights)))
    if answer.x is None:  # everything lacking is always an answer
        raise RuntimeError(answer.message)
    return np.rint(answer.x)


def _by_goals(problem: _Problem, most_depots: int, within_s: float) -> Floats | None:
    """Minimise one goal after the other, none at the cost of those before; None takes too long."""
    shipments = _shipments(problem)
    goals = [*_by_urgency(problem, shipments), _shipment_count(problem, shipments)]
    ends_at = time.monotonic() + within_s
    rules = _balances(problem, len(goals[0])) + _limits(problem, shipments, most_depots)
    highest = np.full(len(goals[0]), np.inf)
    is_shipment = slice(len(problem.arcs) + len(problem.needs), None)
    highest[is_shipment] = 1
    found: Floats = highest
    for goal in goals:
        answer = scipy.optimize.milp(
            goal,
            constraints=rules,
            integrality=np.ones(len(goal), np.int64),
            bounds=scipy.optimize.Bounds(0, highest),
            options={"time_limit": max(0.01, ends_at - time.monotonic()), "mip_rel_gap": 0.0},
        )
        if answer.status != _PROVEN or answer.x is None:
            return None
        found = answer.x
        rules.append(scipy.optimize.LinearConstraint(goal, ub=float(goal @ found) + _SLACK))
    whole: Floats = np.rint(found[: is_shipment.start])
    return whole


def _most_used(problem: _Problem, loose: Floats, most_depots: int) -> NDArray[np.bool_]:
    """Say which arcs are left when each need keeps the depots that would give it most."""
    given: dict[int, dict[Hashable, tuple[float, float]]] = defaultdict(dict)
    for (shelf, need), units, way_s in zip(problem.arcs, loose, problem.travel_s, strict=False):
        mine, depot = given[need], problem.shelves[shelf].depot
        mine[depot] = mine.get(depot, (0.0, way_s))[0] - units, way_s
    kept = {need: set(sorted(by, key=by.__getitem__)[:most_depots]) for need, by in given.items()}
    return np.array(
        [problem.shelves[shelf].depot in kept[need] for shelf, need in problem.arcs], bool
    )


def _only(problem: _Problem, kept: NDArray[np.bool_]) -> _Problem:
    arcs = [arc for arc, is_kept in zip(problem.arcs, kept, strict=True) if is_kept]
    return replace(problem, arcs=arcs, travel_s=problem.travel_s[kept])


def _weighted(problem: _Problem) -> Floats:
    """Weigh a missing unit so that no way is worth it, and each urgency so that no other is.

    Who gives up a unit for another may move units along as many arcs as there are shelves.
    """
    longest_s = float(problem.travel_s.max(initial=0.0)) + 1
    step = longest_s * (len(problem.shelves) + 1)
    ranks = sorted({need.priority for need in problem.needs}, reverse=True)
    weights = {priority: (nth + 1) * step for nth, priority in enumerate(ranks)}
    lacking = [weights[need.priority] for need in problem.needs]
    return np.concatenate([problem.travel_s, lacking])


def _by_urgency(problem: _Problem, shipments: _Shipments) -> list[Floats]:
    arcs, size = len(problem.arcs), len(problem.arcs) + len(problem.needs) + len(shipments.pairs)
    goals = []
    for priority in sorted({need.priority for need in problem.needs}):
        goal = np.zeros(size)
        goal[arcs : arcs + len(problem.needs)] = [
            float(need.priority == priority) for need in problem.needs
        ]
        goals.append(goal)
    ways = np.zeros(size)
    ways[:arcs] = problem.travel_s
    return [*goals, ways]


def _shipment_count(problem: _Problem, shipments: _Shipments) -> Floats:
    return np.concatenate(
        [np.zeros(len(problem.arcs) + len(problem.needs)), np.ones(len(shipments.pairs))]
    )


def _shipments(problem: _Problem) -> _Shipments:
    known: dict[tuple[Hashable, int], int] = {}
    of_arc = [
        known.setdefault((problem.shelves[shelf].depot, need), len(known))
        for shelf, need in problem.arcs
    ]
    return _Shipments(list(known), np.array(of_arc, np.int64))


def _balances(problem: _Problem, size: int) -> list[scipy.optimize.LinearConstraint]:
    """A shelf gives no more than it has; what a need gets and lacks is what it wants."""
    arcs, needs = len(problem.arcs), len(problem.needs)
    shelf, need = np.array(problem.arcs, np.int64).reshape(-1, 2).T
    nth = np.arange(arcs)
    has = np.array([one.quantity for one in problem.shelves], np.float64)
    wants = np.array([one.quantity for one in problem.needs], np.float64)
    gives = _matrix(shelf, nth, (len(problem.shelves), size))
    gets = _matrix(
        np.concatenate([need, np.arange(needs)]),
        np.concatenate([nth, arcs + np.arange(needs)]),
        (needs, size),
    )
    rules = [scipy.optimize.LinearConstraint(gets, wants, wants)]
    if problem.shelves:
        rules.append(scipy.optimize.LinearConstraint(gives, ub=has))
    return rules


def _limits(
    problem: _Problem, shipments: _Shipments, most_depots: int
) -> list[scipy.optimize.LinearConstraint]:
    """Units go only by a shipment that is made, and of these a need has so many at most."""
    if not shipments.pairs:
        return []
    first = len(problem.arcs) + len(problem.needs)
    size, nth = first + len(shipments.pairs), np.arange(len(problem.arcs))
    pair = np.arange(len(shipments.pairs))
    need = np.array([one for _, one in shipments.pairs], np.int64)
    wants = np.array([problem.needs[one].quantity for one in need], np.float64)
    carried = _matrix(shipments.of_arc, nth, (len(pair), size))
    room = _matrix(pair, first + pair, (len(pair), size), wants)
    made = _matrix(need, first + pair, (len(problem.needs), size))
    return [
        scipy.optimize.LinearConstraint(carried - room, ub=0.0),
        scipy.optimize.LinearConstraint(made, ub=most_depots),
    ]


def _matrix(
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    shape: tuple[int, int],
    values: Floats | None = None,
) -> scipy.sparse.csr_array:
    given = np.ones(len(rows)) if values is None else values
    return scipy.sparse.csr_array((given, (rows, columns)), shape=shape)


# ---- lots


def _first_expired_first_out(problem: _Problem, carried: Floats) -> Iterator[Flow]:
    """Say which lots give what their depot gives.

    Whatever a lot may serve, each lot that expires later may serve as well; so what expires first
    is used up first, by whoever may have it, and all the others still get theirs.
    """
    wanted: dict[Hashable, dict[int, int]] = defaultdict(dict)
    for (nth, need), units in zip(problem.arcs, carried.astype(np.int64).tolist(), strict=True):
        if units:
            mine = wanted[problem.shelves[nth].depot]
            mine[need] = mine.get(need, 0) + units
    on_shelf = [(lot, shelf) for shelf in problem.shelves for lot in shelf.lots]
    for lot, shelf in sorted(on_shelf, key=lambda one: one[0].expires_s):
        left, mine = lot.quantity, wanted[shelf.depot]
        for need in shelf.reach:
            units = min(left, mine.get(need, 0))
            if units:
                mine[need] -= units
                left -= units
                yield Flow(lot.id, problem.needs[need].id, units)
