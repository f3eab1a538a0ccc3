"""Compiled: every plan there is, one after the other; the referee of the joint search."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dispatch.joint.value_kernel import (
    Arrivals,
    Curve,
    View,
    arrivals_of,
    compiled,
    copy,
    profile,
    profile_of,
    put,
)

Floats = NDArray[np.float64]


class Question(NamedTuple):
    """What is chosen from; infinite minutes where somebody cannot."""

    curve: Curve
    fixed: Arrivals
    direct: Floats
    fetch: Floats
    accept: Floats
    works: Floats
    most: int
    price: float
    is_single: bool
    needs_direct: bool
    at_hand: NDArray[np.bool_]


@compiled
def best(question: Question) -> float:
    """Return the greatest index less the price over all plans.

    A plan is per person 0 for nothing, 1 straight, 2 + k by way of AED k; people are decided on
    one after the other, and a beginning that is no plan is left at once.
    """
    people, columns = question.fetch.shape
    size = question.fixed.size[0] + people
    row, found = arrivals_of(size), profile_of(size)
    plan, person, top = np.full(people, -1), 0, -np.inf
    while person >= 0:
        plan[person] += 1
        if plan[person] == columns + 2:
            plan[person] = -1
            person -= 1
        elif _is_beginning(question, plan, person):
            if person < people - 1:
                person += 1
            elif _is_plan(question, plan):
                _lay(question, plan, row)
                value = profile(View(question.curve, row, found))
                top = max(top, value - question.price * np.sum(plan > 0))
    return top


@compiled
def _is_plan(question: Question, plan: NDArray[np.int64]) -> bool:
    """Say whether somebody goes straight where somebody has to."""
    if not question.needs_direct or np.all(plan == 0):
        return True
    for one in plan:  # noqa: SIM110 - compiled
        if one == 1 or (one > 1 and question.at_hand[one - 2]):
            return True
    return False


@compiled
def _minutes(question: Question, plan: NDArray[np.int64], i: int) -> float:
    return question.direct[i] if plan[i] == 1 else question.fetch[i, plan[i] - 2]


@compiled
def _is_beginning(question: Question, plan: NDArray[np.int64], last: int) -> bool:
    """Say whether the last one's way is open beside those before."""
    if plan[last] == 0:
        return True
    if np.isinf(_minutes(question, plan, last)) or np.sum(plan > 0) > question.most:
        return False
    return not (question.is_single and plan[last] > 1 and np.any(plan[:last] == plan[last]))


@compiled
def _lay(question: Question, plan: NDArray[np.int64], row: Arrivals) -> None:
    size = question.fixed.size[0]
    for i in range(size):
        copy(question.fixed.at, i, row.at, i)
    for i in range(len(plan)):
        if plan[i] > 0:
            minutes, place = _minutes(question, plan, i), size
            while place > 0 and row.at[0, place - 1] > minutes:
                copy(row.at, place - 1, row.at, place)
                place -= 1
            works = question.works[plan[i] - 2] if plan[i] > 1 else 0.0
            put(question.curve, row.at, place, minutes, (question.accept[i], works))
            size += 1
    row.size[0] = size
