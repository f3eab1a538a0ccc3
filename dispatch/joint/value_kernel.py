"""Compiled: the exact expected index of a plan, and what any one more alert would make of it.

Everyone accepts independently. In order of time, a plan is a row of arrivals: those who go
straight (`works` 0), those who bring an AED, and the ambulance, which surely comes. The
expectation is a sum over who comes first and over whose AED is the first that works
(docs/planning.md); S is kept as factors of its minutes, so that the sums hold no exponentials.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo import compiling

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Plane = NDArray[np.float64]

compiled = compiling.compiled_like_numpy

_LOGISTIC, _FLOORED = 0, 1  # survival.Shape


class Curve(NamedTuple):
    """A survival model at one patient."""

    shape: int
    base: float  # what does not depend on any time
    per_cpr: float
    per_shock: float
    t0: float
    t_e: float
    t_ed: float
    setup: float
    t_by: float  # infinite when nobody is there
    theta: float


#: What stands in the columns of arrivals and options. CPR, BY: the factor of the time to CPR,
#: without and with the bystander; SHOCK: the factor of the time to the shock with this one's AED.
MINUTES, ACCEPT, WORKS, CPR, BY, SHOCK = range(6)
REACH, SURE, BOUND, VALUE = range(4)
FETCHER, BEGIN, COUNTS = range(3)


class Arrivals(NamedTuple):
    """A row of arrivals in order of time: `size[0]` of them are filled."""

    at: Plane
    size: Ints


class Profile(NamedTuple):
    """What `profile` finds out about a row of n arrivals, per place 0..n in it.

    sums: the probability that nobody before this place came; the part of the index that is settled
    by who came before it; the same once it is known that a working AED comes at this place; and as
    two numbers the expected index and the factor of the ambulance's shock. open: (place, arrival
    before) came first, no working AED so far. first: (place, fetcher) is the first with a working
    AED of those from this place on. ints: the arrival of each fetcher; the first fetcher from this
    place on; the number of fetchers and the place of the first sure arrival.
    """

    sums: Plane
    open: Plane
    first: Plane
    ints: NDArray[np.int32]


class View(NamedTuple):
    """A row at one patient, and what was found out about it."""

    curve: Curve
    row: Arrivals
    found: Profile


@compiled
def arrivals_of(size: int) -> Arrivals:
    """Make room for so many arrivals."""
    return Arrivals(np.zeros((6, size)), np.zeros(1, np.int32))


@compiled
def profile_of(size: int) -> Profile:
    """Make room for the profile of so many arrivals."""
    return Profile(
        np.zeros((4, size + 2)), np.zeros((size + 1, size + 1)), np.zeros((size + 1, size + 1)),
        np.zeros((3, size + 2), np.int32),
    )  # fmt: skip


@compiled
def cpr_factor(curve: Curve, minutes: float) -> float:
    """Return the factor of CPR that begins so many minutes after the collapse."""
    weighted = curve.base + curve.per_cpr * minutes
    return np.exp(weighted) if curve.shape == _LOGISTIC else weighted


@compiled
def shock_factor(curve: Curve, minutes: float) -> float:
    """Return the factor of a shock so many minutes from now."""
    weighted = curve.per_shock * (curve.t0 + minutes)
    return np.exp(weighted) if curve.shape == _LOGISTIC else weighted


@compiled
def index(curve: Curve, cpr: float, by: float, shock: float) -> float:
    """Return the index of factors, weighed over the bystander."""
    if curve.shape == _LOGISTIC:
        if curve.theta == 0.0:
            return 1.0 / (1.0 + cpr * shock)
        alone, helped = 1.0 + cpr * shock, 1.0 + by * shock
        return ((1.0 - curve.theta) * helped + curve.theta * alone) / (alone * helped)
    alone, helped = -(cpr + shock), -(by + shock)
    if curve.shape == _FLOORED:
        alone, helped = max(0.0, alone), max(0.0, helped)
    return (1.0 - curve.theta) * alone + curve.theta * helped


@compiled
def put(curve: Curve, at: Plane, place: int, minutes: float, chance: tuple[float, float]) -> None:
    """Write an arrival or option down; the chance to accept, and the AED's to work."""
    at[MINUTES, place], at[ACCEPT, place], at[WORKS, place] = minutes, chance[0], chance[1]
    collapse = curve.t0 + min(minutes, curve.t_e)
    at[CPR, place] = cpr_factor(curve, collapse)
    at[BY, place] = cpr_factor(curve, min(curve.t_by, collapse))
    at[SHOCK, place] = shock_factor(curve, min(minutes + curve.setup, curve.t_ed))


@compiled
def copy(source: Plane, place: int, row: Plane, to: int) -> None:
    """Take one arrival or option over."""
    for x in range(6):
        row[x, to] = source[x, place]


@compiled
def profile(view: View) -> float:
    """Look through a row that holds the ambulance; return the expected index."""
    row, found = view.row, view.found
    size = row.size[0]
    _fetchers(row, found)
    found.sums[VALUE, 1] = shock_factor(view.curve, view.curve.t_ed)
    found.sums[REACH, 0], found.sums[SURE, 0], found.sums[BOUND, 0] = 1.0, 0.0, 0.0
    for i in range(size):
        comes = found.sums[REACH, i] * row.at[ACCEPT, i]
        found.sums[REACH, i + 1] = found.sums[REACH, i] * (1.0 - row.at[ACCEPT, i])
        broken, gain, bound = comes * (1.0 - row.at[WORKS, i]), 0.0, _bound(view, i)
        if broken > 0.0:
            gain = broken * coming(view, i + 1, row.at[CPR, i], row.at[BY, i])
        if comes * row.at[WORKS, i] > 0.0:
            mine = index(view.curve, row.at[CPR, i], row.at[BY, i], row.at[SHOCK, i])
            gain += comes * row.at[WORKS, i] * mine
            bound += comes * row.at[WORKS, i] * mine
        found.sums[SURE, i + 1], found.sums[BOUND, i + 1] = found.sums[SURE, i] + gain, bound
        found.open[i + 1, i] = broken
    found.sums[VALUE, 0] = found.sums[SURE, size]
    return float(found.sums[SURE, size])


@compiled
def _bound(view: View, place: int) -> float:
    """Carry what is settled on over one arrival: whoever came before waits for its AED."""
    row, found = view.row, view.found
    works, bound = row.at[ACCEPT, place] * row.at[WORKS, place], found.sums[BOUND, place]
    for j in range(place):
        came = found.open[place, j]
        if works * came > 0.0:
            bound += (
                works
                * came
                * index(view.curve, row.at[CPR, j], row.at[BY, j], row.at[SHOCK, place])
            )
        found.open[place + 1, j] = came * (1.0 - works)
    return float(bound)


@compiled
def _fetchers(row: Arrivals, found: Profile) -> None:
    """Number the fetchers and fill in which of the later ones is the first whose AED works."""
    size, many = row.size[0], 0
    found.ints[COUNTS, 1] = size
    for i in range(size):
        found.ints[BEGIN, i] = many
        if row.at[WORKS, i] > 0.0:
            found.ints[FETCHER, many] = i
            many += 1
        if row.at[ACCEPT, i] >= 1.0:
            found.ints[COUNTS, 1] = min(i, found.ints[COUNTS, 1])
    found.ints[BEGIN, size], found.ints[COUNTS, 0] = many, many
    found.first[size, many] = 1.0
    for place in range(size - 1, -1, -1):
        works = row.at[ACCEPT, place] * row.at[WORKS, place]
        for x in range(found.ints[BEGIN, place], many + 1):
            found.first[place, x] = (1.0 - works) * found.first[place + 1, x]
        if row.at[WORKS, place] > 0.0:
            found.first[place, found.ints[BEGIN, place]] = works


@compiled
def coming(view: View, place: int, cpr: float, by: float) -> float:
    """Return the index once CPR has begun and only AEDs from this place on can still come."""
    row, found, curve = view.row, view.found, view.curve
    many = found.ints[COUNTS, 0]
    total = found.first[place, many] * index(curve, cpr, by, found.sums[VALUE, 1])
    for x in range(found.ints[BEGIN, place], many):
        total += found.first[place, x] * index(
            curve, cpr, by, row.at[SHOCK, found.ints[FETCHER, x]]
        )
    return float(total)


@compiled
def with_arrival(view: View, place: int, cpr: float, by: float) -> float:
    """Return the index if somebody surely arrives at this place of the row, without an AED."""
    reach, total = view.found.sums[REACH, place], view.found.sums[SURE, place]
    if reach > 0.0:
        total += reach * coming(view, place, cpr, by)
    return float(total)


@compiled
def with_aed(view: View, place: int, cpr: float, by: float, shock: float) -> float:
    """Return the index if a working AED surely arrives at this place of the row."""
    row, found, curve = view.row, view.found, view.curve
    total = found.sums[BOUND, place]
    if found.sums[REACH, place] > 0.0:
        total += found.sums[REACH, place] * index(curve, cpr, by, shock)
    for j in range(min(place, found.ints[COUNTS, 1] + 1)):
        came = found.open[place, j]
        if came > 0.0:
            total += came * index(curve, row.at[CPR, j], row.at[BY, j], shock)
    return float(total)


@compiled
def minutes(view: View) -> tuple[float, float]:
    """Return the expected minutes from now to trained CPR and to the first shock."""
    row, found, curve = view.row, view.found, view.curve
    cpr, shock = 0.0, found.first[0, found.ints[COUNTS, 0]] * curve.t_ed
    for i in range(row.size[0]):
        cpr += found.sums[REACH, i] * row.at[ACCEPT, i] * min(row.at[MINUTES, i], curve.t_e)
    for x in range(found.ints[COUNTS, 0]):
        aed = min(row.at[MINUTES, found.ints[FETCHER, x]] + curve.setup, curve.t_ed)
        shock += found.first[0, x] * aed
    return cpr, shock
