"""Compiled: which options can be worth anything; what is left out cannot be missed.

Losing nothing: index E[S] falls with every arrival time and rises with every probability. A plan
of `most` alerts that uses a worse option while `most` better ones exist leaves one of these free,
and taking it in exchange is no loss. Better are, for one person, AEDs brought no later that are no
less sure; and for one alert, people who accept no less, are at the patient no later and bring every
AED that is still in question for this person no later. The order of exchanges (acceptance, then
time, then number; for AEDs time, then number) makes them end.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dispatch.joint.value_kernel import (
    Curve,
    Floats,
    Ints,
    Plane,
    compiled,
    put,
)


class Choices(NamedTuple):
    """Options in order of time: somebody, straight (column -1) or by way of an AED."""

    person: Ints
    column: Ints
    straight: NDArray[np.bool_]  # to the patient first, be it with an AED at hand
    at: Plane


class Table(NamedTuple):
    """The whole question: who, by way of what, when; infinite where they cannot."""

    direct: Floats
    fetch: NDArray[np.float64]
    accept: Floats
    works: Floats
    at_hand: NDArray[np.bool_]  # per AED: who has it need not go and fetch it
    is_single: bool


class Kept(NamedTuple):
    """Options of each person: the columns from `start` on, the best first; -1 is straight."""

    start: Ints
    column: Ints


@compiled
def is_useful(curve: Curve, table: Table, person: int, column: int) -> bool:
    """Say whether somebody who accepts can make a difference this way."""
    straight = table.direct[person]
    if table.accept[person] <= 0.0:
        return False
    if column < 0:
        return bool(straight < curve.t_e)
    minutes = table.fetch[person, column]
    brings = table.works[column] > 0.0 and minutes + curve.setup < curve.t_ed
    return bool(brings or (minutes < curve.t_e and minutes < straight))


@compiled
def _soonest(curve: Curve, table: Table, barred: NDArray[np.bool_], person: int) -> Ints:
    """Return the columns that are useful to somebody, the soonest first."""
    columns = table.fetch.shape[1]
    found, many = np.empty(columns, np.int32), 0
    for k in range(columns):
        if not barred[k] and is_useful(curve, table, person, k):
            place, minutes = many, table.fetch[person, k]
            while place > 0 and table.fetch[person, found[place - 1]] > minutes:
                found[place] = found[place - 1]
                place -= 1
            found[place] = k
            many += 1
    return found[:many]


@compiled
def _is_no_less(table: Table, column: int, other: int) -> bool:
    """Say whether an AED is at hand where another one is."""
    return bool(table.at_hand[column] or not table.at_hand[other])


@compiled
def _grown(column: Ints, size: int) -> Ints:
    more = np.empty(2 * size + 64, np.int32)
    more[: len(column)] = column
    return more


@compiled
def keep(curve: Curve, table: Table, barred: NDArray[np.bool_], most: int) -> Kept:
    """Keep of each person the useful options that fewer than `most` others replace."""
    people, columns = table.fetch.shape
    start, size = np.zeros(people + 1, np.int32), 0
    column = np.empty(64, np.int32)
    enough = most if table.is_single else 1
    for i in range(people):
        if len(column) < size + columns + 1:
            column = _grown(column, size + columns)
        if is_useful(curve, table, i, -1):
            column[size] = -1
            size += 1
        found = _soonest(curve, table, barred, i)
        for place in range(len(found)):
            works, better = table.works[found[place]], 0
            for other in range(place):
                better += table.works[found[other]] >= works and _is_no_less(
                    table, found[other], found[place]
                )
            if better < enough:
                column[size] = found[place]
                size += 1
        start[i + 1] = size
    return Kept(start, column[:size])


@compiled
def _has_as_good(table: Table, kept: Kept, other: int, person: int, column: int) -> bool:
    """Say whether somebody brings this AED, or where that does not matter any as sure, as soon."""
    minutes = table.fetch[person, column]
    if table.is_single:
        return bool(table.fetch[other, column] <= minutes)
    for y in range(kept.start[other], kept.start[other + 1]):
        c = kept.column[y]
        if c < 0 or table.works[c] < table.works[column] or table.fetch[other, c] > minutes:
            continue
        if _is_no_less(table, c, column):
            return True
    return False


@compiled
def replaces(table: Table, kept: Kept, other: int, person: int) -> bool:
    """Say whether somebody can do all that a person is kept for, no later."""
    for x in range(kept.start[person], kept.start[person + 1]):
        column = kept.column[x]
        if column < 0:
            if table.direct[other] > table.direct[person]:
                return False
        elif not _has_as_good(table, kept, other, person, column):
            return False
    return True


@compiled
def prune(
    table: Table, kept: Kept, order: NDArray[np.int64], most: int
) -> tuple[Ints, NDArray[np.int32]]:
    """Find up to `most` people, earlier in the order, who can replace each; -1 fills the rest.

    Returns how many there are of each person, and who.
    """
    people = len(order)
    many, who = np.zeros(people, np.int32), np.full((people, most), -1, np.int32)
    for place in range(people):
        person = order[place]
        if kept.start[person] == kept.start[person + 1]:
            continue
        for before in range(place):
            if replaces(table, kept, order[before], person):
                who[person, many[person]] = order[before]
                many[person] += 1
                if many[person] == most:
                    break
    return many, who


@compiled
def _in_order(table: Table, kept: Kept, is_in: NDArray[np.bool_]) -> tuple[Ints, Ints, Floats]:
    """List the options of those who are still in it by time, then by numbers."""
    size = len(kept.column)
    person, column, minutes = np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size)
    place = 0
    for i in range(len(is_in)):
        if is_in[i]:
            for x in range(kept.start[i], kept.start[i + 1]):
                k = kept.column[x]
                person[place], column[place] = i, k
                minutes[place] = table.direct[i] if k < 0 else table.fetch[i, k]
                place += 1
    order = np.argsort(minutes[:place], kind="mergesort")
    return person[order], column[order], minutes[order]


@compiled
def lay_out(curve: Curve, table: Table, kept: Kept, is_in: NDArray[np.bool_]) -> Choices:
    """Write the options of those who are still in it down with their factors."""
    person, column, minutes = _in_order(table, kept, is_in)
    at, straight = np.zeros((6, len(person))), np.ones(len(person), np.bool_)
    for o in range(len(person)):
        if column[o] >= 0:
            straight[o] = table.at_hand[column[o]]
        works = table.works[column[o]] if column[o] >= 0 else 0.0
        put(curve, at, o, minutes[o], (table.accept[person[o]], works))
    return Choices(person, column, straight, at)
