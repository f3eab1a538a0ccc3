"""The simulator without a database: the same seed, closed forms, and what policies are held to."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import numpy as np
import orjson
import pytest

from dispatch import matching
from dispatch.joint import survival
from dispatch.simulation import case, outcome, page, play, poisson, report, run, survey, tally
from dispatch.simulation.world import SETTINGS, Density, World

NOBODY = replace(matching.SHIPPED["nearest-10"], name="nobody", wave_size=0, alerts_cap=0)
#: Answers count whenever they come, and whoever reaches an AED gets it.
PLAIN = {"alert_expires_s": 240.0, "aed_people_factor": 1.0, "shock_after_ambulance_s": 180.0}
#: A walk at 6 km/h along the straight line, at once, and no ambulance.
STRAIGHT = World(
    accept=1.0, silent=0.0, vertical_s=0.0, mobilise_s=0.0, reply_s=1e-6, detour=1.0,
    speed_mps=6 / 3.6, counted_mps=6 / 3.6, speed_sigma=0.0, ambulance_s=1e5, ambulance_sigma=0.0,
)  # fmt: skip


def _run(
    policies: tuple[matching.Policy, ...], world: World, incidents: int, **more: Any
) -> run.Results:
    request = run.Request(policies, world, run.Fields(), more.pop("seed", 7), incidents)
    return run.simulate(request, **more)


def _column(results: run.Results, name: str, row: int = 0) -> Any:
    return results.numbers[row, :, outcome.COLUMNS.index(name)]


def _assert_near(values: Any, expected: float) -> None:
    found = tally.mean(np.asarray(values, np.float64))
    assert found.value is not None
    assert found.error is not None
    assert abs(found.value - expected) <= 3 * found.error, (found, expected)


def test_SIM_1_a_seed_gives_the_same_numbers_whoever_else_is_compared() -> None:
    ours, seven = matching.SHIPPED["expected-survival"], matching.SHIPPED["seven-and-replace"]
    both = _run((ours, seven), World(), 24)
    assert (_run((seven, ours), World(), 24).numbers[::-1] == both.numbers).all()
    assert (_run((seven,), World(), 24).numbers[0] == both.numbers[1]).all()
    assert not (_run((seven,), World(), 24, seed=8).numbers[0] == both.numbers[1]).all()


@pytest.mark.long
def test_SIM_1_two_processes_give_what_one_gives() -> None:
    policies = (matching.SHIPPED["nearest-10"], matching.SHIPPED["three-and-replace"])
    heard: list[int] = []
    alone = _run(policies, World(), 30, on_progress=heard.append)
    assert heard == [20, 30]
    assert (_run(policies, World(), 30, processes=2).numbers == alone.numbers).all()


def test_SIM_2_the_nearest_of_a_poisson_field_is_where_the_closed_form_says() -> None:
    nearest = replace(matching.SHIPPED["nearest-10"], wave_size=1, alerts_cap=1, reach_s=7_200.0)
    world = replace(STRAIGHT, densities=(Density(16.0, 0.0),))
    first = _column(_run((nearest,), world, 800), "first_arrival_s")
    _assert_near(first * 6 / 3.6 > 200, 0.133906)
    _assert_near(first * 6 / 3.6, 125.0)
    _assert_near(
        [survival.index(survival.DE_MAIO, 0.0, 3 + at / 60) for at in first], 0.144027
    )  # fmt: skip


def test_SIM_2_a_broadcast_is_thinned_by_acceptance() -> None:
    world = replace(STRAIGHT, densities=(Density(10.0, 0.0),), accept=0.287)
    everyone = replace(
        matching.SHIPPED["radius-400"], radius_m=2_000.0, wave_size=500, live_most=500,
        alerts_cap=500, stop_total=500, reach_s=7_200.0, arrest=matching.Target(500, 0, 0),
    )  # fmt: skip
    first = _column(_run((everyone,), world, 120), "first_arrival_s")
    _assert_near(first * 6 / 3.6 > 500, 0.104970)
    _assert_near(
        [survival.index(survival.DE_MAIO, 0.0, 3 + at / 60) for at in first], 0.101829
    )  # fmt: skip


@pytest.mark.parametrize("setting", list(SETTINGS))
def test_SIM_2_the_ambulance_alone_is_its_integral(setting: str) -> None:
    world = SETTINGS[setting]
    steps = np.linspace(-6, 6, 4_001)
    weights = np.exp(-steps * steps / 2)
    at = world.ambulance_s * np.exp(world.ambulance_sigma * steps) + world.ambulance_vertical_s
    at = np.maximum(at, world.alert_after_call_s) + world.call_after_s
    shock = at + world.ambulance_shock_s

    def mean(bystander_s: float | None) -> float:
        times = zip(at.tolist(), shock.tolist(), strict=True)
        found = [
            outcome.index(survival.VALENZUELA, (c, d, c), bystander_s, world.theta)
            for c, d in times
        ]
        return float(np.average(found, weights=weights))

    helped, alone = mean(world.bystander_s), mean(None)
    expected = world.bystander * helped + (1 - world.bystander) * alone
    _assert_near(_column(_run((NOBODY,), world, 1_500), "index_valenzuela1997"), expected)


def _ground(**changes: Any) -> case.Ground:
    """Make one person 300 m south of the patient, one AED 200 m north of the person's way."""
    plain: dict[str, Any] = {
        "district": "d", "alert_at": datetime(2026, 3, 2, 12, tzinfo=UTC),
        "people": [UUID(int=1)], "line_m": np.array([0.0]), "direct_s": np.array([0.0]),
        "aeds": [UUID(int=2)], "aed_line_m": np.array([200.0]), "aed_s": np.array([200.0]),
        "to_aed_s": np.array([[200.0]]), "hours": np.array([[0.0, math.inf]]),
        "really": np.array([[0.0, math.inf]]), "trust": np.array([0.95]),
        "carries": np.array([False]),
    }  # fmt: skip
    return case.Ground(**{**plain, **changes})


def _luck(**changes: Any) -> case.Luck:
    plain: dict[str, Any] = {
        "accepts": np.array([True]), "answers": np.array([True]), "reply_s": np.array([20.0]),
        "pace": np.array([1.0]), "arrives": np.array([True]), "gets_aed": np.array([True]),
        "aed_works": np.array([True]), "accepted_before": np.array([0]), "ambulance_s": 3_600.0,
        "collapsed_s": 180.0, "bystander_s": None,
    }  # fmt: skip
    return case.Luck(**{**plain, **changes})


#: Sends everybody by way of an AED.
FETCH = replace(
    matching.SHIPPED["two-thirds-aed"],
    aed_share=1.0,
    detour_most=None,
    aed_circle_m=2_000.0,
    **PLAIN,
)


@pytest.mark.parametrize(("metres", "minutes"), [(200, 4.05), (400, 6.62), (600, 8.62)])
def test_SIM_2_fetching_takes_as_long_as_it_was_timed(metres: float, minutes: float) -> None:
    way = metres / 2.92
    ground = _ground(aed_s=np.array([way]), to_aed_s=np.array([[way]]))
    # 1.86 minutes besides the walk: answering, getting ready, taking it and the last metres.
    world = World(mobilise_s=30.0, pickup_s=45.0, vertical_s=16.6)
    played = play.play(FETCH, case.Case(0, ground, _luck()), world)
    ((at, has_aed),) = played.arrivals
    assert has_aed
    assert abs(at / 60 - minutes) <= 0.25


@pytest.mark.parametrize(
    ("changes", "lucky"),
    [
        ({"really": np.array([[0.0, 0.0]])}, {}),
        ({}, {"aed_works": np.array([False])}),
        ({}, {"gets_aed": np.array([False])}),
    ],
    ids=["shut", "missing", "not got"],
)
def test_SIM_3_without_the_aed_a_person_still_goes_to_the_patient(
    changes: dict[str, Any], lucky: dict[str, Any]
) -> None:
    played = play.play(FETCH, case.Case(0, _ground(**changes), _luck(**lucky)), World())
    assert [has_aed for _, has_aed in played.arrivals] == [False]


def test_SIM_3_an_aed_is_taken_once() -> None:
    two = {
        "people": [UUID(int=1), UUID(int=3)], "line_m": np.zeros(2), "direct_s": np.zeros(2),
        "to_aed_s": np.array([[200.0], [100.0]]), "carries": np.zeros(2, np.bool_),
    }  # fmt: skip
    luck = _luck(
        **{name: np.array([True] * 2) for name in ("accepts", "answers", "arrives", "gets_aed")},
        reply_s=np.array([20.0, 20.0]), pace=np.ones(2), accepted_before=np.zeros(2, np.int64),
    )  # fmt: skip
    played = play.play(FETCH, case.Case(0, _ground(**two), luck), World())
    assert [has_aed for _, has_aed in played.arrivals] == [True, False]


@pytest.mark.parametrize(
    ("luck", "alerts", "accepts", "came"),
    [
        ({}, 1, 1, 1),
        ({"accepts": np.array([False])}, 1, 0, 0),
        ({"answers": np.array([False])}, 1, 0, 0),
        ({"arrives": np.array([False])}, 1, 1, 0),
        ({"reply_s": np.array([61.0])}, 1, 0, 0),
        ({"ambulance_s": 10.0}, 1, 0, 0),
    ],
    ids=["yes", "no", "silent", "never comes", "too late", "ambulance first"],
)
def test_SIM_3_an_answer_counts_when_the_product_would_take_it(
    luck: dict[str, Any], alerts: int, accepts: int, came: int
) -> None:
    nearest = matching.SHIPPED["nearest-10"]
    played = play.play(nearest, case.Case(0, _ground(), _luck(**luck)), World())
    assert (played.alerts, played.accepts, len(played.arrivals)) == (alerts, accepts, came)


def test_SIM_4_nobody_is_asked_twice_and_no_cap_is_passed() -> None:
    world = World()
    for number in range(12):
        incident = poisson.case_of(world, 3, number)
        for policy in matching.SHIPPED.values():
            game = play._Game(policy, incident, world, survey.of(policy, incident, world))
            game.run()
            asked = [one.told.responder_id for one in game.asked]
            assert len(asked) == len(set(asked)) <= policy.alerts_cap
            assert not any(one.told.is_pending for one in game.asked)
            shut = {
                aed
                for aed, (begins, ends) in zip(
                    incident.ground.aeds, incident.ground.really.tolist(), strict=True
                )
                if ends <= begins
            }
            assert not shut & {one.told.aed_id for one in game.asked}


@cache
def _table() -> dict[str, Any]:
    """Play the base case of the literature, small."""
    known = replace(World(), pace_known=True)
    on = {**PLAIN, "stop_total": 500}
    shipped = matching.SHIPPED
    policies = (
        replace(shipped["expected-survival"], **PLAIN),
        replace(shipped["three-and-replace"], **on),
        replace(shipped["seven-and-replace"], **on),
        replace(shipped["two-thirds-aed"], detour_most=None, aed_circle_m=1_500.0, **on),
    )
    found = _run(policies, known, 100)
    rows = {policy.name: found.numbers[row] for row, policy in enumerate(policies)}
    unaware = _run(policies[:1], replace(known, hours_known=False), 100)
    return {**rows, "unaware": unaware.numbers[0]}


def _points(one: str, other: str, column: str = "index_valenzuela1997") -> float:
    rows, place = _table(), outcome.COLUMNS.index(column)
    return float(100 * np.mean(rows[one][:, place] - rows[other][:, place]))


def _mean(name: str, column: str) -> float:
    return float(np.mean(_table()[name][:, outcome.COLUMNS.index(column)]))


@pytest.mark.long
def test_SIM_11_a_policy_may_count_on_people_to_hurry() -> None:
    world, ours = World(), matching.SHIPPED["expected-survival"]
    quick = replace(ours, pace_mps=2 * world.counted_mps)
    incident = poisson.case_of(world, 3, 0)
    walks = {one.id: one.direct_s for one in survey.of(ours, incident, world).candidates()}
    runs = {one.id: one.direct_s for one in survey.of(quick, incident, world).candidates()}
    assert walks.keys() < runs.keys()
    for person, seconds in walks.items():
        assert runs[person] == pytest.approx((seconds or 0.0) / 2)
    # What people really need is theirs: who is thought to be quicker arrives no sooner.
    results = _run((ours, quick), world, 24)
    assert np.isfinite(results.numbers).any()


def test_SIM_5_the_signs_of_the_base_case() -> None:
    ours = "expected-survival"
    for model in ("index_valenzuela1997", "index_waalewijn2001"):
        assert _points(ours, "three-and-replace", model) > 0
        assert _points("seven-and-replace", "three-and-replace", model) >= -0.05
    assert _points(ours, "three-and-replace") > 2.0
    assert _points(ours, "two-thirds-aed") > -0.5
    assert _points(ours, "unaware") > 0.0
    assert _mean(ours, "alerts") <= 0.15 * _mean("two-thirds-aed", "alerts")
    assert _mean(ours, "late") <= 0.3


def _body(seed: int = 7) -> dict[str, Any]:
    policies = tuple(matching.SHIPPED[name] for name in ("expected-survival", "radius-400"))
    world = World(densities=(Density(10.0, 4.0), Density(2.0, 1.0)))
    request = run.Request(policies, world, run.Fields(), seed, 20)
    return report.body(request, run.simulate(request), place="fields", load_per_alert=0.5)


def test_SIM_6_a_report_is_the_same_twice_and_complete() -> None:
    body = _body()
    assert orjson.dumps(body) == orjson.dumps(_body())
    ours, radius = body["policies"]
    assert ours["digest"] == matching.SHIPPED["expected-survival"].digest()
    assert ours["difference"]["index_valenzuela1997"] == {"value": 0.0, "se": 0.0}
    assert radius["difference"]["alerts"]["se"] > 0
    assert [part["incidents"] for part in ours["districts"]] == [10, 10]
    alerts = ours["figures"]["alerts"]["value"]
    assert ours["figures"]["alerts_per_volunteer_year"]["value"] == pytest.approx(0.5 * alerts)
    assert ours["arrival_curve"] == sorted(ours["arrival_curve"])
    assert body["world"]["densities"] == [[10.0, 4.0], [2.0, 1.0]]


def test_SIM_6_the_page_stands_alone_in_two_languages_and_claims_no_lives() -> None:
    body = _body()
    html = page.render(body)
    assert html == page.render(body)
    assert html.count("<svg") == 4
    for text in ("策略模拟报告", "Policy simulation report", *body["caveat"].values(), "seed 7"):
        assert text in html
    for foreign in ("<script", "src=", "<link", "@import"):
        assert foreign not in html
    assert "%2E" not in html


def test_SIM_6_a_quantile_that_was_never_reached_is_none() -> None:
    assert tally.quantile(np.array([1.0, math.inf, math.inf]), 0.5) == tally.Figure(None, None)
    found = tally.quantile(np.arange(101.0), 0.5)
    assert found.value == 50.0
    assert found.error == pytest.approx(5.0, abs=1.0)
