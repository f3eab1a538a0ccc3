"""Compiled: greedy beginning and exchanges, each step valued exactly.

One step looks at every option against a plan without one of its members: flipping a role, taking
another AED or another person are all the same move. Times grow along the options and what a sure
arrival is worth falls with them, so the last one valued bounds all that follow.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dispatch.joint.options_kernel import Choices
from dispatch.joint.value_kernel import (
    ACCEPT,
    BEGIN,
    BOUND,
    BY,
    COUNTS,
    CPR,
    FETCHER,
    MINUTES,
    REACH,
    SHOCK,
    SURE,
    VALUE,
    WORKS,
    Arrivals,
    Curve,
    Floats,
    Ints,
    Profile,
    View,
    compiled,
    copy,
    index,
    profile,
    with_aed,
    with_arrival,
)

#: What the next one may do: anything, go without an AED, with one, or straight with or without.
_ANY, _BARE, _FETCH, _STRAIGHT = 0, 1, 2, 3
_LEAST = 1e-12  # a gain that is not rounding
_TOP = 1.0  # no index is greater


class Search(NamedTuple):
    """A question, a plan in the making and room to try things out."""

    curve: Curve
    choices: Choices
    start: Ints  # options of each person: own[start[i] : start[i + 1]]
    own: Ints
    most: int
    price: float
    is_single: bool
    needs_direct: bool
    plan: Ints  # options in rising order
    trial: Ints
    size: Ints  # one number: of the plan
    now: Floats  # one number: its value
    used: NDArray[np.bool_]  # per person
    taken: NDArray[np.bool_]  # per column
    out: NDArray[np.bool_]  # per option: not to be used for a while
    fixed: Arrivals  # who is going, and the ambulance
    row: Arrivals
    found: Profile


@compiled
def value_of(search: Search, plan: Ints, size: int) -> float:
    """Value a plan beside those who are going; its row and profile stay in the search."""
    row, fixed, choices = search.row, search.fixed, search.choices
    at, x = 0, 0
    for i in range(fixed.size[0]):
        while x < size and choices.at[MINUTES, plan[x]] < fixed.at[MINUTES, i]:
            copy(choices.at, plan[x], row.at, at)
            at, x = at + 1, x + 1
        copy(fixed.at, i, row.at, at)
        at += 1
    while x < size:
        copy(choices.at, plan[x], row.at, at)
        at, x = at + 1, x + 1
    row.size[0] = at
    return float(profile(View(search.curve, row, search.found)))


@compiled
def _mark(search: Search, option: int) -> None:
    search.used[search.choices.person[option]] = True
    if search.choices.column[option] >= 0:
        search.taken[search.choices.column[option]] = True


@compiled
def _mark_only(search: Search, plan: Ints, size: int) -> None:
    """Mark who is in a plan, and their AEDs, and nobody else."""
    search.used[:], search.taken[:] = False, False
    for x in range(size):
        _mark(search, plan[x])


@compiled
def _is_out(search: Search, option: int) -> bool:
    """Say whether an option cannot be added."""
    column = search.choices.column[option]
    if search.out[option] or search.used[search.choices.person[option]]:
        return True
    return bool(column >= 0 and search.is_single and search.taken[column])


@compiled
def insert(plan: Ints, size: int, option: int) -> None:
    """Put one more option into a rising row."""
    while size > 0 and plan[size - 1] > option:
        plan[size] = plan[size - 1]
        size -= 1
    plan[size] = option


@compiled
def _try_without(search: Search, skip: int, also: int) -> int:
    """Let the trial be the plan without one or two members; return how many stay."""
    size = 0
    for x in range(search.size[0]):
        if x != skip and x != also:  # noqa: PLR1714 - compiled
            search.trial[size] = search.plan[x]
            size += 1
    return size


@compiled
def _keep_trial(search: Search, size: int) -> None:
    """Let the trial be the plan."""
    for x in range(size):
        search.plan[x] = search.trial[x]
    search.size[0] = size
    search.now[0] = value_of(search, search.plan, size)


@compiled
def _role(search: Search, plan: Ints, size: int) -> int:
    """Return the role of the next one: straight as long as somebody has to and nobody does."""
    if not search.needs_direct:
        return _ANY
    for x in range(size):
        if search.choices.straight[plan[x]]:
            return _ANY
    return _STRAIGHT


@compiled
def scan(  # noqa: C901, PLR0915 - in one piece it takes half the time
    search: Search, role: int, floor: float
) -> tuple[int, float]:
    """Find the one more alert that makes most of the row valued last: option and value.

    -1 when none gets above the floor. Marked people and AEDs are left out. Written in one piece:
    arrays that are taken out of their tuples in a loop are counted each time.
    """
    curve, row, size, found = search.curve, search.row.at, search.row.size[0], search.found
    at, person, column = search.choices.at, search.choices.person, search.choices.column
    straight = search.choices.straight
    out, used, taken = search.out, search.used, search.taken
    sums, came, first, ints = found.sums, found.open, found.first, found.ints
    now, late, many, sure = sums[VALUE, 0], sums[VALUE, 1], ints[COUNTS, 0], ints[COUNTS, 1] + 1
    best, option, place = floor + _LEAST, -1, 0
    come = bring = _TOP
    for o in range(len(person)):
        accept, works, k = at[ACCEPT, o], at[WORKS, o], column[o]
        bound = (1.0 - works) * come + works * bring
        if now + accept * (bound - now) <= best or out[o] or used[person[o]]:
            continue
        if role == _FETCH if k < 0 else role == _BARE or (search.is_single and taken[k]):
            continue
        if role == _STRAIGHT and not straight[o]:
            continue
        while place < size and row[MINUTES, place] <= at[MINUTES, o]:
            place += 1
        cpr, by, reach = at[CPR, o], at[BY, o], sums[REACH, place]
        value = sums[SURE, place]
        if reach > 0.0:
            coming = first[place, many] * index(curve, cpr, by, late)
            for x in range(ints[BEGIN, place], many):
                coming += first[place, x] * index(curve, cpr, by, row[SHOCK, ints[FETCHER, x]])
            value += reach * coming
        value = come = min(come, value)
        if works > 0.0:
            shock, value = at[SHOCK, o], sums[BOUND, place]
            if reach > 0.0:
                value += reach * index(curve, cpr, by, shock)
            for j in range(min(place, sure)):
                if came[place, j] > 0.0:
                    value += came[place, j] * index(curve, row[CPR, j], row[BY, j], shock)
            bring = min(bring, value)
            value = (1.0 - works) * come + works * bring
        value = now + accept * (value - now)
        if value > best:
            best, option = value, o
    return option, best


@compiled
def _next_role(search: Search, size: int, room: tuple[int, int], is_last: bool) -> int:
    """Return the role of the next alert, with room for so many without and with an AED."""
    if is_last and _role(search, search.plan, size) == _STRAIGHT:
        return _STRAIGHT
    if room[1] <= 0:
        return _BARE
    return _FETCH if room[0] <= 0 else _ANY


@compiled
def greedy(search: Search, directs: int, fetches: int, price: float) -> float:
    """Fill the plan with the best next alert within so many of each role; return its value.

    Each has to add more than the price; who has to go straight, and is not worth it, comes last.
    """
    size = 0
    _mark_only(search, search.plan, 0)
    value = value_of(search, search.plan, 0)
    while directs + fetches > 0 and size < search.most:
        role = _next_role(search, size, (directs, fetches), size == search.most - 1)
        option = scan(search, role, value + price)[0]
        if option < 0 and _role(search, search.plan, size) == _STRAIGHT:
            option = scan(search, _STRAIGHT, value - _TOP)[0]
        if option < 0:
            break
        insert(search.plan, size, option)
        _mark(search, option)
        if search.choices.column[option] >= 0:
            fetches -= 1
        else:
            directs -= 1
        size += 1
        value = value_of(search, search.plan, size)
    search.size[0], search.now[0] = size, value
    return float(value)


@compiled
def _exchange(search: Search, skip: int) -> bool:
    """Put the best option in the place of one member, or nothing; say whether that is better."""
    value = search.now[0]
    rest = _try_without(search, skip, -1)
    without = value_of(search, search.trial, rest) + search.price
    _mark_only(search, search.trial, rest)
    role = _role(search, search.trial, rest)
    must = role == _STRAIGHT and not search.choices.straight[search.plan[skip]]
    option, gained = scan(search, role, value - _TOP if must else value)
    may_drop = rest == 0 or role == _ANY
    if may_drop and without > value + _LEAST and (option < 0 or without >= gained):
        _keep_trial(search, rest)
        return True
    if option < 0:
        return False
    insert(search.trial, rest, option)
    _keep_trial(search, rest + 1)
    return True


@compiled
def _add(search: Search) -> bool:
    """Add the best option while there is room; say whether one is worth its price."""
    size = search.size[0]
    if size >= search.most:
        return False
    _mark_only(search, search.plan, size)
    value = value_of(search, search.plan, size)
    role = _role(search, search.plan, size)
    option = scan(search, role, value + search.price)[0]
    if option < 0:
        return False
    insert(search.trial, _try_without(search, -1, -1), option)
    _keep_trial(search, size + 1)
    return True


@compiled
def _try_pair(search: Search, first: int, second: int, pair: tuple[int, int]) -> None:
    """Let the trial be the plan with two members replaced."""
    rest = _try_without(search, first, second)
    insert(search.trial, rest, pair[0])
    insert(search.trial, rest + 1, pair[1])


@compiled
def settle(search: Search) -> None:
    """Exchange one member after the other and add more until nothing gets better."""
    x = idle = 0
    while True:
        while idle < search.size[0]:
            x = x + 1 if x + 1 < search.size[0] else 0
            idle = 0 if _exchange(search, x) else idle + 1
        if not _add(search):
            return
        idle = 0


@compiled
def start_without(search: Search, avoided: Ints) -> None:
    """Begin again without some options, then let them in."""
    for x in avoided:
        search.out[x] = True
    greedy(search, search.most, search.most, search.price)
    settle(search)
    for x in avoided:
        search.out[x] = False
    settle(search)


@compiled
def sweep_ways(search: Search, first: int) -> bool:
    """Let one member take another way and anybody the place of any other; say whether better.

    Two who take each other's roles or AEDs are among these. A second one rarely adds more than it
    would alone: ways with which that is not enough are not looked at further.
    """
    size, one, two, also = search.size[0], -1, -1, -1
    best = search.now[0]
    person = search.choices.person[search.plan[first]]
    for second in range(size if size == search.most else size + 1):
        if second == first:
            continue
        extra = search.price if second == size else 0.0
        rest = _try_without(search, first, second)
        before = value_of(search, search.trial, rest)
        _mark_only(search, search.trial, rest)
        most = scan(search, _ANY, before)[1] - before
        for x in search.own[search.start[person] : search.start[person + 1]]:
            if x == search.plan[first] or _is_out(search, x):
                continue
            insert(search.trial, rest, x)
            with_x = value_of(search, search.trial, rest + 1)
            if with_x + most > best + extra:
                _mark(search, x)
                role = _role(search, search.trial, rest + 1)
                y, gained = scan(search, role, best + extra)
                if y >= 0:
                    best, one, two, also = gained - extra, x, y, second
            _try_without(search, first, second)
            _mark_only(search, search.trial, rest)
    if one < 0:
        return False
    _try_pair(search, first, also, (one, two))
    _keep_trial(search, size if also < size else size + 1)
    return True


@compiled
def gains(search: Search, marginal: Floats) -> None:
    """Fill in what each member is worth to the plan, and what every other one would add."""
    size, choices, row = search.size[0], search.choices, search.row
    _mark_only(search, search.plan, size)
    value = value_of(search, search.plan, size)
    view, place = View(search.curve, row, search.found), 0
    for o in range(len(choices.person)):
        while place < row.size[0] and row.at[MINUTES, place] <= choices.at[MINUTES, o]:
            place += 1
        if _is_out(search, o):
            continue
        works, cpr, by = choices.at[WORKS, o], choices.at[CPR, o], choices.at[BY, o]
        gain = with_arrival(view, place, cpr, by)
        if works > 0.0:
            aed = with_aed(view, place, cpr, by, choices.at[SHOCK, o])
            gain = (1.0 - works) * gain + works * aed
        person = choices.person[o]
        marginal[person] = max(marginal[person], choices.at[ACCEPT, o] * (gain - value))
    for x in range(size):
        less = value_of(search, search.trial, _try_without(search, x, -1))
        marginal[choices.person[search.plan[x]]] = max(0.0, value - less)
