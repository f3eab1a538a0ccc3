"""Compiled: the best people without AEDs beside any choice of fetchers, proven; and on that every
choice of fetchers there is, or exchanges of one of them.

Once the fetchers are chosen, what the first of the others to come is worth does not depend on the
rest of them (as in `straight_kernel`). So only choices of fetchers have to be searched.
"""

from typing import NamedTuple

import numpy as np

from dispatch.joint.search_kernel import Search, insert, value_of
from dispatch.joint.value_kernel import (
    ACCEPT,
    BEGIN,
    BY,
    COUNTS,
    CPR,
    FETCHER,
    MINUTES,
    REACH,
    SHOCK,
    SURE,
    VALUE,
    Floats,
    Ints,
    compiled,
    index,
)

_LEAST = 1e-12  # a gain that is not rounding


class Beside(NamedTuple):
    """The options without and with an AED, in order of time, and room to weigh the former."""

    bare: Ints
    fetch: Ints
    person: Ints  # of each of the latter
    column: Ints  # the same; another one for each where all can have the same AED
    worth: Floats  # the index if one of the former surely arrives; none: not to be had
    best: Floats  # the index with up to so many of them


@compiled
def beside_of(search: Search) -> Beside:
    """Make room for a search."""
    with_aed = search.choices.column >= 0
    bare = np.flatnonzero(~with_aed).astype(np.int32)
    fetch = np.flatnonzero(with_aed).astype(np.int32)
    person, column = search.choices.person[fetch], search.choices.column[fetch]
    if not search.is_single:
        column = np.arange(len(fetch)).astype(np.int32)
    worth, best = np.zeros(len(bare)), np.zeros(search.most + 1)
    return Beside(bare, fetch, person, column, worth, best)


@compiled
def _is_among(of: Ints, options: Ints, size: int, one: int) -> bool:
    """Say whether somebody or an AED is that of one of the first options."""
    for x in range(size):  # noqa: SIM110 - compiled
        if of[options[x]] == one:
            return True
    return False


@compiled
def _is_short(search: Search, size: int) -> bool:
    """Say whether somebody has to go straight and none of the fetchers in the trial does."""
    if not search.needs_direct:
        return False
    for x in range(size):  # noqa: SIM110 - compiled
        if search.choices.straight[search.trial[x]]:
            return False
    return True


@compiled
def best_beside(  # noqa: C901 - in one piece it takes half the time
    search: Search, room: Beside, size: int
) -> tuple[float, int]:
    """Weigh the best plan with the fetchers in the trial: its objective, how many are beside them.

    The objective is infinitely little where somebody has to go straight and nobody can.
    """
    best, worth, left, free = room.best, room.worth, search.most - size, 0
    best[: left + 1] = value_of(search, search.trial, size)
    options, trial, person, at = room.bare, search.trial, search.choices.person, search.choices.at
    curve, row, found = search.curve, search.row.at, search.found
    sums, first, ints, place = found.sums, found.first, found.ints, search.row.size[0]
    late, many = sums[VALUE, 1], ints[COUNTS, 0]
    for x in range(len(options) - 1, -1, -1):
        o = options[x]
        worth[x] = np.nan
        if left == 0 or _is_among(person, trial, size, person[o]):
            continue
        while place > 0 and row[MINUTES, place - 1] > at[MINUTES, o]:
            place -= 1
        cpr, by, a = at[CPR, o], at[BY, o], at[ACCEPT, o]
        sure = first[place, many] * index(curve, cpr, by, late)
        for y in range(ints[BEGIN, place], many):
            sure += first[place, y] * index(curve, cpr, by, row[SHOCK, ints[FETCHER, y]])
        worth[x] = sure = sums[SURE, place] + sums[REACH, place] * sure
        free += 1
        for c in range(left, 0, -1):
            best[c] = max(best[c], a * sure + (1.0 - a) * best[c - 1])
    number = 1 if _is_short(search, size) else 0
    if number > min(left, free):
        return -np.inf, 0
    for c in range(number + 1, left + 1):
        if best[c] - best[number] > search.price * (c - number) + _LEAST:
            number = c
    return best[number] - search.price * (size + number), number


@compiled
def _lay(search: Search, room: Beside, size: int) -> None:
    """Let the plan be the fetchers in the trial and the best beside them."""
    number = best_beside(search, room, size)[1]
    worth, many, is_short, first = room.worth, len(room.bare), _is_short(search, size), -1
    best = np.full((many + 1, number + 1), room.best[0])
    for x in range(many - 1, -1, -1):
        best[x] = best[x + 1]
        if not np.isnan(worth[x]):
            a, first = search.choices.at[ACCEPT, room.bare[x]], room.bare[x]
            for c in range(1, number + 1):
                best[x, c] = max(best[x, c], a * worth[x] + (1.0 - a) * best[x + 1, c - 1])
    for x in range(size):
        search.plan[x] = search.trial[x]
    for x in range(many):
        if number > 0 and best[x, number] > best[x + 1, number]:
            insert(search.plan, size, room.bare[x])
            size, number, is_short = size + 1, number - 1, False
    if is_short:  # whoever it is adds nothing
        insert(search.plan, size, first)
        size += 1
    search.size[0] = size
    search.now[0] = value_of(search, search.plan, size)


@compiled
def _next(room: Beside, trial: Ints, at: Ints, size: int) -> int:
    """Let the trial be the next choice of fetchers; return how many, -1 after the last.

    `at` says where they stand among all fetchers. After a choice come those that begin with it.
    """
    fetch, person, column = room.fetch, room.person, room.column
    begin = at[size - 1] + 1 if size > 0 else 0
    while True:
        if size < len(at):
            for x in range(begin, len(fetch)):
                fits = True
                for y in range(size):
                    if person[at[y]] == person[x] or column[at[y]] == column[x]:
                        fits = False
                        break
                if fits:
                    trial[size], at[size] = fetch[x], x
                    return size + 1
        if size == 0:
            return -1
        size -= 1
        begin = at[size] + 1


@compiled
def count_choices(search: Search, room: Beside, most: int) -> int:
    """Count the choices of fetchers, up to so many."""
    at, size, number, trial = np.empty(search.most, np.int32), 0, 0, search.trial
    while size >= 0 and number < most:
        number += 1
        size = _next(room, trial, at, size)
    return number


@compiled
def weigh_every_choice(search: Search, room: Beside) -> None:
    """Let the plan be the best of all, proven: each choice of fetchers with the best beside it."""
    at, size, top, many = np.empty(search.most, np.int32), 0, -np.inf, 0
    kept, trial = np.empty(search.most, np.int32), search.trial
    while size >= 0:
        reached = best_beside(search, room, size)[0]
        if reached > top + _LEAST:
            top, many = reached, size
            kept[:size] = trial[:size]
        size = _next(room, trial, at, size)
    trial[:many] = kept[:many]
    _lay(search, room, many)


@compiled
def _try(search: Search, room: Beside, places: Ints, change: tuple[int, int]) -> int:
    """Let the trial be a rising choice (by places) and one more; return where that one stands.

    -1 when it is somebody's or some AED's second.
    """
    size, x = change
    place = 0
    for y in range(size):
        z = places[y]
        if room.person[z] == room.person[x] or room.column[z] == room.column[x]:
            return -1
        place += z < x
    for y in range(size + 1):
        z = x if y == place else places[y - (y > place)]
        search.trial[y] = room.fetch[z]
    return place


@compiled
def _is_known(beam: Ints, many: int, choice: Ints, size: int) -> bool:
    for w in range(many):
        same = 0
        while same < size and beam[w, same] == choice[same]:
            same += 1
        if same == size:
            return True
    return False


@compiled
def weigh_widely(  # noqa: C901 - in one piece it takes less time
    search: Search, room: Beside, width: int
) -> None:
    """Let the plan be the best found by going on from so many choices of each number of fetchers.

    Each is weighed with the best beside it, which one step of `scan` does not see.
    """
    kept, choice = np.empty(search.most, np.int32), np.empty(search.most, np.int32)
    beam = np.zeros((width, search.most), np.int32)
    wider, reached = beam.copy(), np.empty(width)
    top, many, size, begun = best_beside(search, room, 0)[0], 0, 0, 1
    while size < search.most and begun > 0:
        found = 0
        for b in range(begun):
            for x in range(len(room.fetch)):
                place = _try(search, room, beam[b], (size, x))
                if place < 0:
                    continue
                for y in range(size + 1):
                    choice[y] = x if y == place else beam[b, y - (y > place)]
                if _is_known(wider, found, choice, size + 1):
                    continue
                value = best_beside(search, room, size + 1)[0]
                if value > top + _LEAST:
                    top, many = value, size + 1
                    kept[:many] = search.trial[:many]
                w = found if found < width else np.argmin(reached)
                if w == found or reached[w] < value:
                    reached[w] = value
                    wider[w, : size + 1] = choice[: size + 1]
                    found += w == found
        beam[:], begun, size = wider, found, size + 1
    search.trial[:many] = kept[:many]
    _lay(search, room, many)
