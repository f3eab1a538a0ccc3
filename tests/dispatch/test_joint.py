"""The joint plan: survival models, the exact index, what is pruned, and the search."""

import itertools
import math
from dataclasses import replace

import numpy as np
import plans_kernel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live_processes import IS_LONG

from dispatch import joint
from dispatch.joint import DIRECT, FETCH, Going, Options, Scene, search, survival

SCENE = Scene(t0=3.0, t_e=9.0, t_ed=10.5, setup=1.25, t_by=None, theta=0.6)
CASES = 500 if IS_LONG else 150
MOST_PEOPLE = 12 if IS_LONG else 8  # with five AEDs, in a million plans and more
HARD = (20, 282, 66, 115_936, 117_059, 115_140, 1_407)
MODELS = list(survival.MODELS.values())


@pytest.mark.parametrize(
    ("model", "minutes", "index"),
    [
        *((survival.VALENZUELA, pair, value) for pair, value in (
            ((0, 0), 0.564636), ((1, 5), 0.367955), ((3, 7), 0.262890), ((5, 10), 0.159762),
            ((10, 12), 0.078132), ((12, 13.5), 0.052725),
        )),
        *((survival.DE_MAIO, (0, r), value) for r, value in (
            (0, 0.336485), (4, 0.150972), (5, 0.120363), (6, 0.095263), (8, 0.058690),
            (10, 0.035606),
        )),
        *((survival.LARSEN, triple, value) for triple, value in (
            ((0, 0, 0), 0.670), ((1, 5, 8), 0.424), ((4, 8, 10), 0.280), ((6, 8, 12), 0.192),
            ((12.2, 12.2, 12.2), 0.0),
        )),
        (survival.WAALEWIJN, (0, 0), 1 / (1 + math.exp(0.04))),
        (survival.WAALEWIJN, (4, 10), 1 / (1 + math.exp(0.04 + 0.30 * 4 + 0.14 * 6))),
        (survival.LEXICOGRAPHIC, (4, 10), -4.01),
    ],
)  # fmt: skip
def test_JNT_1_survival_models_give_the_published_values(model, minutes, index):
    assert survival.index(model, *minutes) == pytest.approx(index, abs=1e-6)
    assert model.source


@pytest.mark.parametrize(
    ("going", "index"),
    [
        ([], 0.052725),
        ([Going(DIRECT, 3.0, 0.5)], 0.073930),
        ([Going(FETCH, 5.0, 0.5, works=1.0)], 0.092917),
        ([Going(DIRECT, 3.0, 0.5), Going(FETCH, 5.0, 0.5, works=1.0)], 0.110124),
        ([Going(DIRECT, 3.0, 0.5), Going(FETCH, 5.0, 0.5, works=0.9)], 0.107146),
    ],
)
def test_JNT_2_plans_have_their_closed_form_values(going, index):
    assert search.expected(SCENE, going)[0] == pytest.approx(index, abs=1e-6)


def enumerated(scene: Scene, going: list[Going]) -> tuple[float, float, float]:
    """Sum over every outcome of who accepts and whose AED works, straight from the definition."""
    index = to_cpr = to_shock = 0.0
    for come in itertools.product((False, True), repeat=len(going)):
        for works in itertools.product((False, True), repeat=len(going)):
            chance, cpr, shock = 1.0, scene.t_e, scene.t_ed
            for one, comes, is_good in zip(going, come, works, strict=True):
                share = one.works if one.role == FETCH else 0.0
                chance *= one.accept if comes else 1.0 - one.accept
                chance *= share if is_good else 1.0 - share
                if comes:
                    cpr = min(cpr, one.minutes)
                    shock = min(shock, one.minutes + scene.setup) if is_good else shock
            if chance > 0.0:
                index += chance * outcome(scene, cpr, max(cpr, shock))
                to_cpr += chance * cpr
                to_shock += chance * max(cpr, shock)
    return index, to_cpr, to_shock


def outcome(scene: Scene, cpr: float, shock: float) -> float:
    d, a = scene.t0 + shock, scene.t0 + scene.t_ed
    alone = survival.index(scene.model, scene.t0 + cpr, d, a)
    if scene.t_by is None:
        return alone
    helped = survival.index(scene.model, min(scene.t_by, scene.t0 + cpr), d, a)
    return (1.0 - scene.theta) * alone + scene.theta * helped


SHARE = st.one_of(st.just(0.0), st.just(1.0), st.floats(0.01, 0.99))
SCENES = st.builds(
    lambda t0, t_e, gap, setup, t_by, theta, model: Scene(
        t0, t_e, t_e + gap, setup, t_by, theta, model
    ),
    st.floats(0, 6), st.floats(0, 14), st.floats(0, 3), st.floats(0, 3),
    st.one_of(st.none(), st.floats(0, 8)), SHARE, st.sampled_from(MODELS),
)  # fmt: skip
PEOPLE = st.lists(
    st.builds(Going, st.sampled_from([DIRECT, FETCH]), st.floats(0.5, 16), SHARE, SHARE),
    max_size=5,
)


@settings(max_examples=150, deadline=None)
@given(scene=SCENES, going=PEOPLE)
def test_JNT_2_the_index_is_that_of_all_outcomes(scene, going):
    index, minutes = search.expected(scene, going)
    truth = enumerated(scene, going)
    assert index == pytest.approx(truth[0], rel=1e-12, abs=1e-12)
    assert (minutes.to_cpr, minutes.to_shock) == pytest.approx(truth[1:], rel=1e-12)


@settings(max_examples=150, deadline=None)
@given(scene=SCENES, going=PEOPLE, data=st.data())
def test_JNT_3_nothing_gets_worse_by_coming_sooner_or_surer(scene, going, data):
    before = search.expected(scene, going)[0]
    more = Going(data.draw(st.sampled_from([1, 2])), data.draw(st.floats(0.5, 16)), 0.4, 0.6)
    assert search.expected(scene, [*going, more])[0] >= before - 1e-12
    for number, one in enumerate(going):
        better = data.draw(
            st.sampled_from(
                [
                    replace(one, minutes=one.minutes * 0.7),
                    replace(one, accept=(1.0 + one.accept) / 2),
                    replace(one, works=(1.0 + one.works) / 2),
                ]
            )
        )
        others = [*going[:number], better, *going[number + 1 :]]
        assert search.expected(scene, others)[0] >= before - 1e-12


def drawn(seed: int, *, is_single: bool, people: int = MOST_PEOPLE) -> tuple[Options, Scene, int]:
    """Draw a small question: with an AED of everybody's own, or with up to five for all."""
    draw = np.random.default_rng(seed)
    people = int(draw.integers(1, people if is_single else 12))
    columns = int(draw.integers(1, 6)) if is_single else people
    direct = draw.uniform(1.0, 11.0, people)
    fetch = direct[:, None] + draw.uniform(0.0, 6.0, (people, columns))
    if not is_single:
        fetch[~np.eye(people, dtype=bool)] = np.inf
    ambulance = float(draw.uniform(5.0, 14.0))
    scene = Scene(
        t0=3.0, t_e=ambulance, t_ed=ambulance + 1.5, setup=1.25,
        t_by=float(draw.choice([0.0, 2.5])) if draw.random() < 0.5 else None, theta=0.6,
        model=survival.VALENZUELA if draw.random() < 0.7 else survival.WAALEWIJN,
    )  # fmt: skip
    accept = draw.beta(2.0, 5.0, people) if draw.random() < 0.8 else np.full(people, 0.287)
    works = draw.choice([0.95, 0.85, 0.7, 0.6, 0.36], columns)
    options = Options(direct, fetch, accept, works, is_single=is_single)
    return options, scene, int(draw.integers(1, 6))


def best_of_all(
    options: Options, scene: Scene, most: int, price: float = 0.0,
    going: tuple[Going, ...] = (), *, needs_direct: bool = False,
) -> float:  # fmt: skip
    """Look at every plan there is."""
    curve = search._curve(scene)
    fetch = options.fetch.copy()
    if options.is_single:
        fetch[:, [one.aed for one in going if one.aed >= 0]] = np.inf
    direct = np.where(options.direct < scene.t_e, options.direct, np.inf)
    at_hand = search._at_hand(options)
    fetch[:, at_hand] = np.where(
        fetch[:, at_hand] < max(scene.t_e, scene.t_ed - scene.setup), fetch[:, at_hand], np.inf
    )
    straight = np.column_stack([direct, fetch[:, at_hand]])[options.accept > 0]
    must = needs_direct and bool(np.isfinite(straight).any())
    return plans_kernel.best(
        plans_kernel.Question(
            curve, search._row(curve, going), direct, fetch, options.accept, options.works,
            most, price, options.is_single, must, at_hand,
        )
    )  # fmt: skip


def of_plan(options: Options, found: joint.Solution) -> list[Going]:
    """Turn a plan into the people who would be going."""
    return [
        Going(DIRECT, options.direct[i], options.accept[i]) if role == DIRECT
        else Going(FETCH, options.fetch[i, k], options.accept[i], options.works[k])
        for i, (role, k) in enumerate(zip(found.roles, found.aed, strict=True)) if role
    ]  # fmt: skip


@pytest.mark.parametrize("is_single", [False, True])
def test_JNT_4_small_questions_get_the_best_plan_of_all(is_single):
    gaps = []
    for seed in range(CASES // 2):
        options, scene, most = drawn(seed, is_single=is_single)
        found = joint.choose(options, scene, most=most, price=0.0)
        assert found.value == pytest.approx(
            search.expected(scene, of_plan(options, found))[0], abs=1e-12
        )
        gaps.append(1.0 - found.value / best_of_all(options, scene, most))
    assert np.mean(np.array(gaps) <= 1e-9) >= 0.99
    assert max(gaps) <= 0.007


@pytest.mark.parametrize("is_single", [False, True])
def test_JNT_4_with_a_price_somebody_going_and_somebody_straight(is_single):
    gaps = []
    for seed in range(CASES // 5):
        options, scene, most = drawn(10_000 + seed, is_single=is_single)
        going = (Going(FETCH, 5.0, 0.2, 0.6, aed=0), Going(DIRECT, 6.0, 1.0))[: seed % 3]
        needs = seed % 2 == 0
        found = joint.choose(
            options, scene, most=most, price=0.001, going=going, needs_direct=needs
        )
        reached = found.value - 0.001 * np.count_nonzero(found.roles)
        top = best_of_all(options, scene, most, 0.001, going, needs_direct=needs)
        gaps.append(1.0 - reached / top)
    assert np.mean(np.array(gaps) <= 1e-9) >= 0.99
    assert max(gaps) <= 0.007


def test_JNT_4_small_questions_beyond_every_choice_get_the_best_plan_too():
    """Hard ones: with many choices of fetchers, and where exchanges alone end in another plan."""
    for seed in HARD if IS_LONG else HARD[:2]:
        options, scene, most = drawn(seed, is_single=True, people=12)
        found = joint.choose(options, scene, most=most, price=0.0)
        assert found.value == pytest.approx(best_of_all(options, scene, most), rel=1e-9)


def carried(seed: int) -> tuple[Options, Scene, int]:
    """Give some of the people of a small question an AED of their own, at hand."""
    options, scene, most = drawn(seed, is_single=True)
    own = np.flatnonzero(np.arange(len(options.direct)) % 3 == 0)[:3]
    column = np.full((len(options.direct), len(own)), np.inf)
    column[own, np.arange(len(own))] = options.direct[own]
    fetch = np.column_stack([options.fetch[:, :2], column])
    works = np.concatenate([options.works[:2], np.full(len(own), 0.98)])
    at_hand = np.arange(fetch.shape[1]) >= fetch.shape[1] - len(own)
    helped = replace(scene, t_by=0.0, theta=1.0) if seed % 2 else scene
    return replace(options, fetch=fetch, works=works, at_hand=at_hand), helped, most


def test_JNT_9_who_goes_with_an_aed_at_hand_goes_straight():
    gaps, kinds = [], set()
    for seed in range(CASES // 3):
        options, scene, most = carried(30_000 + seed)
        found = joint.choose(options, scene, most=most, price=0.001, needs_direct=True)
        top = best_of_all(options, scene, most, 0.001, needs_direct=True)
        gaps.append(1.0 - (found.value - 0.001 * np.count_nonzero(found.roles)) / top)
        if found.roles.any():
            has_own = bool(options.at_hand[found.aed[found.roles == FETCH]].any())
            assert has_own or DIRECT in found.roles
            kinds.add((has_own, DIRECT in found.roles))
    assert max(gaps) <= 1e-9
    assert kinds >= {(True, False), (False, True)}


@pytest.mark.parametrize("is_single", [False, True])
def test_JNT_5_who_is_pruned_is_not_missed(is_single):
    """Among the pruned none makes the best plan of the others better: all plans are tried."""
    pruned = 0
    for seed in range(60):
        options, scene, most = drawn(20_000 + seed, is_single=is_single)
        most = min(most, 2)
        found = joint.choose(options, scene, most=most, price=0.0)
        out = found.dominated_by >= 0
        pruned += int(out.sum())
        without = replace(options, direct=np.where(out, np.inf, options.direct),
                          fetch=np.where(out[:, None], np.inf, options.fetch))  # fmt: skip
        assert best_of_all(without, scene, most) == best_of_all(options, scene, most)
        assert np.isnan(found.marginal[out]).all()
        assert not out[found.roles > 0].any()
    assert pruned > 20


def city(people: int = 60, aeds: int = 20) -> Options:
    draw = np.random.default_rng(7)
    direct = draw.uniform(1.5, 12.0, people)
    fetch = direct[:, None] + draw.uniform(0.2, 9.0, (people, aeds))
    return Options(direct, fetch, draw.beta(2, 5, people), draw.uniform(0.3, 0.6, aeds))


def test_JNT_6_an_aed_is_fetched_by_one_and_not_by_somebody_who_is_on_the_way():
    options = city()
    going = [Going(FETCH, 4.0, 0.2, 0.5, aed=k) for k in (0, 1, 2)]
    found = joint.choose(options, SCENE, most=8, price=0.0, going=going)
    fetched = found.aed[found.roles == FETCH].tolist()
    assert fetched
    assert len(set(fetched)) == len(fetched)
    assert not {0, 1, 2} & set(fetched)
    assert found.value > found.value_going > found.value_nobody


def test_JNT_7_the_same_question_gets_the_same_plan_also_when_it_was_cut_short():
    options = city()
    whole = joint.choose(options, SCENE, most=8, price=0.0005)
    again = joint.choose(options, SCENE, most=8, price=0.0005)
    cut = joint.choose(options, SCENE, most=8, price=0.0005, budget_ms=0.0)
    replayed = joint.choose(options, SCENE, most=8, price=0.0005, steps=cut.steps)
    assert whole.is_complete
    assert whole.roles.tobytes() == again.roles.tobytes()
    assert whole.value == again.value
    assert not cut.is_complete
    assert cut.steps == 1
    assert cut.value == cut.greedy_value <= whole.value
    assert (cut.roles.tobytes(), cut.aed.tobytes()) == (
        replayed.roles.tobytes(), replayed.aed.tobytes()
    )  # fmt: skip


def test_JNT_8_everybody_has_a_marginal_value_or_a_better_one():
    options, price = city(), 0.006
    found = joint.choose(options, SCENE, most=8, price=price)
    going = of_plan(options, found)
    chosen = np.flatnonzero(found.roles)
    assert len(chosen) < 8, "the price bounds this plan, not the number"
    for place, person in enumerate(chosen):
        less = search.expected(SCENE, going[:place] + going[place + 1 :])[0]
        assert found.marginal[person] == pytest.approx(found.value - less, abs=1e-12)
        assert found.marginal[person] >= price
    for person in np.flatnonzero(found.roles == 0):
        better = found.dominated_by[person]
        if better >= 0:
            assert options.accept[better] >= options.accept[person]
            assert options.direct[better] <= min(options.direct[person], SCENE.t_e)
        else:
            assert 0.0 <= found.marginal[person] <= price + 1e-12
            assert found.marginal[person] == pytest.approx(gain_of(person, found), abs=1e-12)


def gain_of(person: int, found: joint.Solution) -> float:
    """Add somebody in every way that is left and take the best."""
    options, going = city(), of_plan(city(), found)
    ways = [Going(DIRECT, options.direct[person], options.accept[person])]
    ways += [
        Going(FETCH, options.fetch[person, k], options.accept[person], options.works[k])
        for k in range(20) if k not in found.aed
    ]  # fmt: skip
    return max(search.expected(SCENE, [*going, way])[0] for way in ways) - found.value


def test_JNT_8_expected_minutes_are_told_of_nobody_of_all_straight_and_of_the_plan():
    found = joint.choose(city(), SCENE, most=8, price=0.0005)
    nobody, straight, plan = found.minutes
    assert (nobody.to_cpr, nobody.to_shock) == (9.0, 10.5)
    assert straight.to_cpr < plan.to_cpr < nobody.to_cpr
    assert plan.to_shock < straight.to_shock == pytest.approx(10.5)
    assert found.value_nobody < found.value_all_direct < found.value


def test_JNT_9_somebody_goes_straight_where_somebody_has_to():
    helped = replace(SCENE, t_by=0.0, theta=1.0)
    free = joint.choose(city(), helped, most=4, price=0.0005)
    assert free.roles.any()
    assert DIRECT not in free.roles, "with full CPR by a bystander nobody is worth it"
    bound = joint.choose(city(), helped, most=4, price=0.0005, needs_direct=True)
    assert DIRECT in bound.roles
    assert FETCH in bound.roles


def test_JNT_9_nobody_is_asked_who_can_only_come_too_late():
    late = replace(city(5, 3), direct=np.full(5, 9.0), fetch=np.full((5, 3), 9.25))
    found = joint.choose(late, SCENE, most=4, price=0.0, needs_direct=True)
    assert not found.roles.any()
    assert (found.marginal == 0.0).all()
    assert found.value == found.value_nobody


@pytest.mark.parametrize(
    "wrong",
    [
        {"accept": np.full(5, 1.5)},
        {"works": np.full(2, 0.5)},
        {"direct": np.full(5, math.nan)},
    ],
)
def test_JNT_10_wrong_questions_are_refused(wrong):
    with pytest.raises(ValueError, match=r".+"):
        joint.choose(replace(city(5, 3), **wrong), SCENE, most=2, price=0.0)
    with pytest.raises(ValueError, match="ambulance"):
        joint.choose(city(5, 3), replace(SCENE, t_ed=8.0), most=2, price=0.0)
