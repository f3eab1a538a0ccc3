"""PURE. The joint plan: who goes straight to the patient and who by way of which AED."""

import itertools
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dispatch.joint import (
    fetchers_kernel,
    options_kernel,
    search_kernel,
    straight_kernel,
    survival,
    value_kernel,
)
from dispatch.joint.fetchers_kernel import Beside
from dispatch.joint.options_kernel import Table
from dispatch.joint.scene import DIRECT, FETCH, Going, Options, Outcome, Scene, Solution
from dispatch.joint.search_kernel import Search
from dispatch.joint.value_kernel import Arrivals, Curve, Floats, Ints, View

_SMALL = 320  # options times alerts: every number of fetchers is tried
_WEIGHED = 120_000  # choices of fetchers times what each takes: all of them are tried
_WIDTH = 12  # of the beam
_LEAST = 1e-12  # a gain that is not rounding
_FREE = -1.0  # a price at which everybody is worth it


def choose(
    options: Options,
    scene: Scene,
    *,
    most: int,
    price: float,
    going: Sequence[Going] = (),
    needs_direct: bool = False,
    budget_ms: float | None = None,
    steps: int | None = None,
) -> Solution:
    """Choose at most `most` people and their roles: the greatest expected index less the price.

    With `needs_direct` a plan that asks anybody asks somebody to go straight, if anybody can.
    After `budget_ms` or so many `steps` the best plan so far is returned, at least the greedy one.
    ValueError when numbers are not what `Scene` and `Options` say.
    """
    began = time.perf_counter()
    _check(options, scene, most, price)
    field = _field(options, scene, most=most, price=price, going=going, needs_direct=needs_direct)
    deadline = math.inf if budget_ms is None else began + budget_ms / 1000.0
    found = _search(field, deadline, math.inf if steps is None else steps)
    solution = _solution(options, field, found)
    return replace(solution, milliseconds=1000.0 * (time.perf_counter() - began))


def warm_up() -> None:
    """Load the compiled kernels, which takes a moment the first time."""
    fetch = np.array([[5.0, 6.0], [7.0, 4.0]])
    people = Options(np.array([2.0, 3.0]), fetch, np.full(2, 0.5), np.array([0.9, 0.8]))
    scene = Scene(t0=3.0, t_e=9.0, t_ed=10.5, setup=1.25, t_by=None, theta=0.6)
    choose(people, scene, most=2, price=0.0)
    field = _field(people, scene, most=2, price=0.0, going=(), needs_direct=False)
    best = _best_nothing(field.search)
    for _ in _improve(field.search, best, fetchers_kernel.beside_of(field.search)):
        pass


def expected(scene: Scene, going: Sequence[Going]) -> tuple[float, Outcome]:
    """Return the exact index of a plan that is going on, and its expected minutes."""
    curve = _curve(scene)
    row = _row(curve, going)
    view = View(curve, row, value_kernel.profile_of(row.at.shape[1]))
    index = float(value_kernel.profile(view))
    return index, Outcome(*value_kernel.minutes(view))


@dataclass(frozen=True, slots=True)
class _Field:
    """One question, ready for the kernels."""

    search: Search
    scene: Scene
    many_better: Ints  # per person: how many can replace them, and who
    better: NDArray[np.int32]


@dataclass(slots=True)
class _Best:
    """The best plan so far."""

    plan: Ints
    value: float
    objective: float  # with the price taken off
    greedy: float
    starts: int = 0
    steps: int = 0
    is_complete: bool = True


def _check(options: Options, scene: Scene, most: int, price: float) -> None:
    people, columns = len(options.direct), len(options.works)
    if options.fetch.shape != (people, columns) or options.accept.shape != (people,):
        raise ValueError("direct and accept need one number a person, fetch a row of one per AED")
    if most < 0 or not price >= 0.0:
        raise ValueError("most and price must not be negative")
    for name, share in (("accept", options.accept), ("works", options.works)):
        if not bool(np.all((share >= 0.0) & (share <= 1.0))):
            raise ValueError(f"{name} must be between 0 and 1")
    if np.isnan(options.direct).any() or np.isnan(options.fetch).any():
        raise ValueError("minutes must be numbers; infinite where somebody cannot")
    if not scene.t_ed >= scene.t_e or not math.isfinite(scene.t_ed):
        raise ValueError("the ambulance's shock cannot come before the ambulance")
    if not 0.0 <= scene.theta <= 1.0:
        raise ValueError("theta must be between 0 and 1")


def _curve(scene: Scene) -> Curve:
    model = scene.model
    base = model.base if model.shape is survival.Shape.LOGISTIC else -model.base
    return Curve(
        shape=int(model.shape),
        base=float(base + model.per_acls * (scene.t0 + scene.t_ed)),
        per_cpr=float(model.per_cpr),
        per_shock=float(model.per_shock),
        t0=float(scene.t0),
        t_e=float(scene.t_e),
        t_ed=float(scene.t_ed),
        setup=float(scene.setup),
        t_by=math.inf if scene.t_by is None else float(scene.t_by),
        theta=0.0 if scene.t_by is None else float(scene.theta),
    )


def _field(
    options: Options,
    scene: Scene,
    *,
    most: int,
    price: float,
    going: Sequence[Going],
    needs_direct: bool,
) -> _Field:
    """Leave out what cannot be missed and lay the rest out."""
    curve = _curve(scene)
    table = _table(options)
    barred = np.zeros(len(options.works), np.bool_)
    if options.is_single:
        barred[[one.aed for one in going if one.role == FETCH and one.aed >= 0]] = True
    room = max(1, most)
    kept = options_kernel.keep(curve, table, barred, room)
    straight = np.where(table.direct < scene.t_e, table.direct, math.inf)
    order = np.lexsort((straight, -table.accept))
    many, better = options_kernel.prune(table, kept, order, room)
    choices = options_kernel.lay_out(curve, table, kept, many < room)
    own = np.argsort(choices.person, kind="stable").astype(np.int32)
    fixed = _row(curve, going)
    search = Search(
        curve=curve,
        choices=choices,
        start=np.searchsorted(choices.person[own], np.arange(len(many) + 1)).astype(np.int32),
        own=own,
        most=int(most),
        price=float(price),
        is_single=bool(options.is_single),
        needs_direct=needs_direct and bool(choices.straight.any()),
        plan=np.zeros(room + 1, np.int32),
        trial=np.zeros(room + 1, np.int32),
        size=np.zeros(1, np.int32),
        now=np.zeros(1),
        used=np.zeros(len(many), np.bool_),
        taken=np.zeros(len(barred), np.bool_),
        out=np.zeros(len(own), np.bool_),
        fixed=fixed,
        row=value_kernel.arrivals_of(fixed.at.shape[1] + room),
        found=value_kernel.profile_of(fixed.at.shape[1] + room),
    )
    return _Field(search, scene, many, better)


def _table(options: Options) -> Table:
    return Table(
        np.ascontiguousarray(options.direct, np.float64),
        np.ascontiguousarray(options.fetch, np.float64),
        np.ascontiguousarray(options.accept, np.float64),
        np.ascontiguousarray(options.works, np.float64),
        _at_hand(options),
        options.is_single,
    )


def _at_hand(options: Options) -> NDArray[np.bool_]:
    if options.at_hand is None:
        return np.zeros(len(options.works), np.bool_)
    if options.at_hand.shape != options.works.shape:
        raise ValueError("at_hand needs one flag per AED")
    return np.ascontiguousarray(options.at_hand, np.bool_)


def _row(curve: Curve, going: Sequence[Going]) -> Arrivals:
    """Put those who are going and the ambulance in a row."""
    everyone = [*going, Going(DIRECT, curve.t_e, 1.0)]
    row = value_kernel.arrivals_of(len(everyone))
    for place, one in enumerate(sorted(everyone, key=lambda one: one.minutes)):
        chance = (float(one.accept), float(one.works) if one.role == FETCH else 0.0)
        value_kernel.put(curve, row.at, place, float(one.minutes), chance)
    row.size[0] = len(everyone)
    return row


def _search(field: _Field, deadline: float, most_steps: float) -> _Best:
    """Take steps until nothing gets better, or time or steps are over."""
    best = _best_nothing(field.search)
    for _ in _steps(field.search, best):
        best.steps += 1
        if best.steps >= most_steps or time.perf_counter() > deadline:
            best.is_complete = False
            break
    return best


def _best_nothing(search: Search) -> _Best:
    plan = np.zeros(0, np.int32)
    empty = _value(search, plan)
    return _Best(plan, empty, empty, empty)


def _note(search: Search, best: _Best) -> bool:
    """Remember the plan in the making if it is the best one; say whether it is."""
    plan = search.plan[: search.size[0]]
    value = float(search.now[0])
    objective = value - search.price * len(plan)
    if objective <= best.objective + _LEAST or not _is_allowed(search, plan):
        return False
    best.plan, best.value, best.objective = plan.copy(), value, objective
    return True


def _is_allowed(search: Search, plan: Ints) -> bool:
    """Say whether somebody goes straight where somebody has to."""
    return not search.needs_direct or bool(search.choices.straight[plan].any())


def _steps(search: Search, best: _Best) -> Iterator[None]:
    """Work, and pause after every step.

    Greedy first. Where there are few choices of fetchers each of them is weighed: proven.
    """
    yield from _begin(search, best, (search.most, search.most), search.price)
    room = fetchers_kernel.beside_of(search)
    limit = _WEIGHED // (28 + len(room.bare))
    if fetchers_kernel.count_choices(search, room, limit) < limit:
        fetchers_kernel.weigh_every_choice(search, room)
        _note(search, best)
        return
    yield from _improve(search, best, room)


def _improve(search: Search, best: _Best, room: Beside) -> Iterator[None]:
    """Go on from the greedy plan until nothing gets better.

    Exchanges; beginning with about as many fetchers, or any number where that is quick, and without
    a price; where that is quick by a beam of choices of fetchers with the best others beside; then
    two members at a time; then without options that were chosen.
    """
    is_small = len(search.own) * search.most <= _SMALL
    yield from _climb_all(search, best, is_small=is_small)
    if is_small:
        fetchers_kernel.weigh_widely(search, room, _WIDTH)
        _note(search, best)
        yield
    tried: set[tuple[int, ...]] = set()  # what one finds without them does not depend on the best
    is_better = True
    while is_better:
        yield from _deepen(search, best)
        is_better = False
        for avoided in _avoidable(best.plan, is_small=is_small):
            if avoided in tried:
                continue
            tried.add(avoided)
            search_kernel.start_without(search, np.array(avoided, np.int32))
            is_better = _note(search, best)
            yield
            if is_better:
                break


def _climb_all(search: Search, best: _Best, *, is_small: bool) -> Iterator[None]:
    """Exchange one at a time from beginnings with about as many fetchers, or with any number."""
    _settle(search, best)
    yield
    fetchers = int((search.choices.column[best.plan] >= 0).sum())
    most = search.most - 1 if search.needs_direct else search.most
    for number in range(most + 1):
        if is_small or abs(number - fetchers) <= 1:
            yield from _begin(search, best, (search.most - number, number), _FREE)
            _settle(search, best)
            yield


def _begin(search: Search, best: _Best, room: tuple[int, int], price: float) -> Iterator[None]:
    """Begin greedily with so many of each role."""
    search_kernel.greedy(search, *room, price)
    best.starts += 1
    _note(search, best)
    if best.starts == 1:
        best.greedy = best.value
    yield


def _settle(search: Search, best: _Best) -> None:
    """Exchange one at a time until nothing gets better."""
    search_kernel.settle(search)
    _note(search, best)


def _deepen(search: Search, best: _Best) -> Iterator[None]:
    """Exchange two members of the best plan at a time."""
    first = 0
    while first < len(best.plan):
        _resume(search, best)
        is_better = search_kernel.sweep_ways(search, first)
        first += 1
        if is_better:
            search_kernel.settle(search)
            first = 0 if _note(search, best) else first
        yield


def _avoidable(plan: Ints, *, is_small: bool) -> list[tuple[int, ...]]:
    """List what to do without: each option, and each two where that is quick."""
    options = plan.tolist()
    return [(one,) for one in options] + (
        list(itertools.combinations(options, 2)) if is_small else []
    )


def _resume(search: Search, best: _Best) -> None:
    search.plan[: len(best.plan)], search.size[0] = best.plan, len(best.plan)
    search.now[0] = best.value


def _value(search: Search, plan: Ints) -> float:
    return float(search_kernel.value_of(search, plan, len(plan)))


def _outcome(search: Search, plan: Ints) -> tuple[float, Outcome]:
    value = _value(search, plan)
    view = View(search.curve, search.row, search.found)
    return value, Outcome(*value_kernel.minutes(view))


def _solution(options: Options, field: _Field, best: _Best) -> Solution:
    search, people = field.search, len(options.direct)
    roles, aed = np.zeros(people, np.int8), np.full(people, -1, np.int32)
    asked = search.choices.person[best.plan]
    aed[asked] = search.choices.column[best.plan]
    roles[asked] = np.where(aed[asked] >= 0, FETCH, DIRECT)
    nobody, alone = expected(field.scene, ())
    all_direct, direct = _outcome(search, straight_kernel.best_straight(search))
    value, plan = _outcome(search, best.plan)
    return Solution(
        roles=roles,
        aed=aed,
        value=value,
        value_nobody=nobody,
        value_going=_value(search, best.plan[:0]),
        value_all_direct=all_direct,
        minutes=(alone, direct, plan),
        marginal=_marginal(field, best.plan),
        dominated_by=_dominated_by(field, roles),
        starts=best.starts,
        steps=best.steps,
        greedy_value=best.greedy,
        is_complete=best.is_complete,
        milliseconds=0.0,
    )


def _marginal(field: _Field, plan: Ints) -> Floats:
    search, room = field.search, max(1, field.search.most)
    marginal = np.where(field.many_better >= room, math.nan, 0.0)
    search.plan[: len(plan)], search.size[0] = plan, len(plan)
    search_kernel.gains(search, marginal)
    return marginal


def _dominated_by(field: _Field, roles: NDArray[np.int8]) -> NDArray[np.int32]:
    """Name of whoever replaces a pruned person somebody who is asked, else the first."""
    room = max(1, field.search.most)
    found = np.full(len(roles), -1, np.int32)
    for person in np.flatnonzero(field.many_better >= room):
        others = field.better[person]
        asked = others[roles[others] > 0]
        found[person] = asked[0] if len(asked) else others[0]
    return found
