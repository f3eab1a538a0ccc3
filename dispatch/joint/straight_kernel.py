"""Compiled: the best plan without AEDs, proven."""

import numpy as np

from dispatch.joint.search_kernel import Search, value_of
from dispatch.joint.value_kernel import (
    ACCEPT,
    BY,
    CPR,
    MINUTES,
    VALUE,
    Floats,
    Ints,
    View,
    compiled,
    with_arrival,
)


@compiled
def straight(search: Search) -> tuple[Ints, Floats]:
    """Return the options without an AED, and the index if one of these arrives surely."""
    value_of(search, search.plan, 0)
    choices, row = search.choices, search.row
    view = View(search.curve, row, search.found)
    options, worth = np.empty(len(choices.person), np.int32), np.empty(len(choices.person))
    size, place = 0, 0
    for o in range(len(choices.person)):
        if choices.column[o] < 0:
            while place < row.size[0] and row.at[MINUTES, place] <= choices.at[MINUTES, o]:
                place += 1
            options[size] = o
            worth[size] = with_arrival(view, place, choices.at[CPR, o], choices.at[BY, o])
            size += 1
    return options[:size], worth[:size]


@compiled
def best_straight(search: Search) -> Ints:
    """Return the best plan in which all go straight, proven.

    What the first of them to come is worth does not depend on the others, so the best of the later
    ones is chosen before the earlier ones.
    """
    options, worth = straight(search)
    size = len(options)
    best = np.full((size + 1, search.most + 1), search.found.sums[VALUE, 0])
    for i in range(size - 1, -1, -1):
        accept = search.choices.at[ACCEPT, options[i]]
        for c in range(1, search.most + 1):
            taken = accept * worth[i] + (1.0 - accept) * best[i + 1, c - 1]
            best[i, c] = max(best[i + 1, c], taken)
    room = np.argmax(best[0] - search.price * np.arange(search.most + 1))
    plan, many = np.empty(room, np.int32), 0
    for i in range(size):
        if room > 0 and best[i, room] > best[i + 1, room]:
            plan[many] = options[i]
            many, room = many + 1, room - 1
    return plan[:many]
