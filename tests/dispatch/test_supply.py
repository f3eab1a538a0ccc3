"""Which lots go to which needs."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence

import pytest

from dispatch import supply
from dispatch.supply import Lot, Need
from tests.dispatch import supply_brute

DAY_S = 86_400.0


def by_hand(second: int) -> tuple[list[Lot], list[Need], supply_brute.Travel]:
    """Give the case of science.md 7: A and B in the first depot, C and D in the second."""
    lots = [
        Lot("B", "W1", "quilt", 50, 60 * DAY_S),
        Lot("A", "W1", "quilt", 30, 5 * DAY_S),
        Lot("D", "W2", "quilt", 20, -DAY_S),
        Lot("C", "W2", "quilt", 40, 10 * DAY_S),
    ]
    needs = [Need("I1", "quilt", 60), Need("I2", "quilt", second)]
    minutes = {"W1": {"I1": 10, "I2": 30}, "W2": {"I1": 25, "I2": 12}}
    return lots, needs, {w: {i: 60.0 * m for i, m in row.items()} for w, row in minutes.items()}


def taken(answer: supply.Answer) -> Counter[object]:
    return Counter(dict.fromkeys("ABCD", 0)) + Counter(
        {
            lot: sum(flow.quantity for flow in answer.flows if flow.lot == lot)
            for lot in {flow.lot for flow in answer.flows}
        }
    )


def check(answer: supply.Answer, lots: Sequence[Lot], needs: Sequence[Need]) -> None:
    """Hold an answer against what is there and what is wanted."""
    had = {lot.id: lot for lot in lots}
    wanted = {need.id: need for need in needs}
    for lot, units in taken(answer).items():
        assert units <= had[lot].quantity
    for need in needs:
        got = sum(flow.quantity for flow in answer.flows if flow.need == need.id)
        assert got + answer.short.get(need.id, 0) == need.quantity
    assert all(had[flow.lot].item == wanted[flow.need].item for flow in answer.flows)
    assert all(flow.quantity > 0 for flow in answer.flows)


def test_STK_6_the_case_by_hand() -> None:
    case = by_hand(50)
    answer = supply.solve(*case)
    check(answer, *case[:2])
    assert (answer.unit_minutes, answer.short, answer.gap) == (pytest.approx(1380), {}, 0)
    assert taken(answer) == {"A": 30, "B": 40, "C": 40}
    assert sorted((f.need, f.quantity) for f in answer.flows if f.lot == "C") == [("I2", 40)]


def test_STK_6_what_is_lacking_is_said() -> None:
    answer = supply.solve(*by_hand(80))
    assert answer.short == {"I2": 20}
    assert answer.unit_minutes == pytest.approx(1680)


def test_STK_7_the_urgent_need_is_served_first_however_far_it_is() -> None:
    lots = [Lot("near", "W", "tent", 10)]
    needs = [Need("calm", "tent", 10, priority=3), Need("urgent", "tent", 8, priority=1)]
    answer = supply.solve(lots, needs, {"W": {"calm": 60, "urgent": 7200}})
    assert answer.short == {"calm": 8}


def test_STK_8_what_expires_on_the_way_or_too_soon_after_stays() -> None:
    lots = [Lot("soon", "W", "milk", 10, 3600), Lot("later", "W", "milk", 10, 7200)]
    ways = {"W": {"N": 1800.0}}
    [flow] = supply.solve(lots, [Need("N", "milk", 5)], ways).flows
    assert flow == supply.Flow("soon", "N", 5)
    [flow] = supply.solve(lots, [Need("N", "milk", 5, margin_s=1801)], ways).flows
    assert flow == supply.Flow("later", "N", 5)
    assert supply.solve(lots, [Need("N", "milk", 5, within_s=1799)], ways).short == {"N": 5}


def test_STK_8_a_need_that_may_have_the_old_leaves_the_new_to_who_may_not() -> None:
    lots = [Lot("new", "W", "milk", 5, 10 * DAY_S), Lot("old", "W", "milk", 5, DAY_S)]
    needs = [Need("today", "milk", 5), Need("week", "milk", 5, margin_s=7 * DAY_S)]
    answer = supply.solve(lots, needs, {"W": {"today": 60, "week": 60}})
    assert sorted(answer.flows, key=str) == sorted(
        [supply.Flow("old", "today", 5), supply.Flow("new", "week", 5)], key=str
    )


def test_STK_9_no_more_depots_for_a_need_than_are_allowed() -> None:
    lots = [Lot(n, f"W{n}", "quilt", 10) for n in (1, 2, 3)]
    ways = {f"W{n}": {"N": 60.0 * n} for n in (1, 2, 3)}
    needs = [Need("N", "quilt", 30)]
    assert supply.solve(lots, needs, ways).short == {}
    answer = supply.solve(lots, needs, ways, most_depots=2)
    assert answer.short == {"N": 10}
    assert {flow.lot for flow in answer.flows} == {1, 2}


def test_STK_6_nothing_wanted_or_nothing_there() -> None:
    assert supply.solve([], [], {}) == supply.Answer([], {}, 0.0)
    assert supply.solve([], [Need("N", "quilt", 3)], {}).short == {"N": 3}
    assert supply.solve([Lot(1, "W", "quilt", 3)], [Need("N", "quilt", 0)], {}).short == {}
    nowhere = supply.solve([Lot(1, "W", "quilt", 3)], [Need("N", "quilt", 2)], {}, most_depots=1)
    assert nowhere.short == {"N": 2}


def small(seed: int) -> tuple[list[Lot], list[Need], supply_brute.Travel]:
    dice = random.Random(seed)
    depots, items = (
        ["W1", "W2", "W3"][: dice.randint(2, 3)],
        ["quilt", "tent"][: dice.randint(1, 2)],
    )
    lots = [
        Lot(n, dice.choice(depots), dice.choice(items), dice.randint(1, 3),
            dice.choice([math.inf, 1000.0, 4000.0]))
        for n in range(dice.randint(3, 5))
    ]  # fmt: skip
    needs = [
        Need(f"N{n}", dice.choice(items), dice.randint(1, 4), dice.choice([1, 2, 4]),
             dice.choice([0.0, 900.0, 3000.0]), dice.choice([math.inf, 1500.0]))
        for n in range(dice.randint(2, 3))
    ]  # fmt: skip
    ways: supply_brute.Travel = {
        w: {need.id: float(dice.randint(1, 30) * 60) for need in needs if dice.random() < 0.9}
        for w in depots
    }
    return lots, needs, ways


@pytest.mark.parametrize("most_depots", [None, 1, 2])
@pytest.mark.parametrize("seed", range(24))
def test_STK_6_small_cases_equal_trying_everything(seed: int, most_depots: int | None) -> None:
    lots, needs, ways = small(seed)
    answer = supply.solve(lots, needs, ways, most_depots=most_depots)
    check(answer, lots, needs)
    lacking, seconds, shipments = supply_brute.best(
        lots, needs, ways, math.inf if most_depots is None else most_depots
    )
    by_urgency = Counter({need.priority: 0 for need in needs})
    for need in needs:
        by_urgency[need.priority] += answer.short.get(need.id, 0)
    assert tuple(by_urgency[one] for one in sorted(by_urgency)) == lacking
    assert answer.unit_minutes * 60 == pytest.approx(seconds)
    depot_of = {lot.id: lot.depot for lot in lots}
    made = len({(depot_of[flow.lot], flow.need) for flow in answer.flows})
    assert made == shipments if most_depots is not None else made >= shipments
