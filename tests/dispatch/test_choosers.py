"""Choosing by any policy: what holds for all of them, and the rules of each."""

from __future__ import annotations

import dataclasses
import json
import math
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch import allocations, errors, matching, sentences, states
from dispatch.matching import rules

ARREST = states.Kind.CARDIAC_ARREST
OURS = matching.SHIPPED["expected-survival"]
AT_ONCE = matching.Scene(lead_s=0, vertical_s=0)


def _id(number: int) -> UUID:
    return UUID(int=number)


def _row(count: int, *, step_m: float = 100) -> list[matching.Candidate]:
    """Stand people in a row, a hundred metres and as many seconds apart."""
    return [
        matching.Candidate(_id(n), step_m * n, distance_m=step_m * n) for n in range(1, count + 1)
    ]


seconds = st.floats(0, 1_200)
aed_ids = [_id(1_000 + number) for number in range(4)]


@st.composite
def crowds(draw: st.DrawFn) -> list[matching.Candidate]:
    return [
        matching.Candidate(
            _id(number),
            draw(st.none() | seconds),
            draw(st.dictionaries(st.sampled_from(aed_ids), seconds, max_size=4)),
            draw(st.none() | st.sampled_from(list(matching.Reason))),
            draw(st.none() | seconds),
            draw(st.floats(0, 1)),
            draw(st.none() | st.just(0.98)),
        )
        for number in range(1, draw(st.integers(1, 16)))
    ]


options = st.lists(
    st.builds(
        matching.AedOption, st.sampled_from(aed_ids), seconds, seconds, seconds, st.floats(0, 1)
    ),
    unique_by=lambda aed: aed.id,
    max_size=4,
)
going = st.builds(
    matching.Going,
    st.sampled_from([states.Role.DIRECT, states.Role.VIA_AED]), seconds, st.floats(0, 1),
    st.floats(0, 1),
)  # fmt: skip
unders = st.builds(
    matching.Under, st.integers(0, 30), st.booleans(), st.frozensets(st.sampled_from(aed_ids)),
    st.integers(0, 9), st.integers(0, 9), st.tuples() | st.tuples(going),
)  # fmt: skip
scenes = st.builds(
    matching.Scene, collapsed_s=seconds, ambulance_s=st.floats(0, 1_500),
    ambulance_shock_s=st.just(1_600.0), lead_s=st.floats(0, 100), vertical_s=st.floats(0, 200),
    bystander_s=st.none() | st.floats(-300, 60), needs_direct=st.booleans(),
)  # fmt: skip
shipped = st.sampled_from(list(matching.SHIPPED.values()))


@settings(max_examples=300)
@given(shipped, st.sampled_from(list(states.Kind)), crowds(), options, st.tuples(unders, scenes))
def test_POL_6_everyone_once_nobody_ineligible_no_aed_that_is_shut(
    policy: matching.Policy,
    kind: states.Kind,
    people: list[matching.Candidate],
    aeds: list[matching.AedOption],
    standing: tuple[matching.Under, matching.Scene],
) -> None:
    under, scene = standing
    plan = matching.plan(policy, kind, people, aeds, under=under, scene=scene)
    chosen = [choice.id for choice in plan.chosen]
    assert sorted([*chosen, *plan.excluded]) == sorted(person.id for person in people)
    by_id = {person.id: person for person in people}
    assert all(by_id[person].blocked is None for person in chosen)
    assert all(plan.excluded[person.id] is person.blocked for person in people if person.blocked)
    assert len(chosen) <= max(0, min(policy.wave_size, under.room))
    if policy.chooser in matching.JOINT and kind in states.MEDICAL:
        assert len(chosen) + under.pending <= max(policy.live_most, under.pending)
    usable = {aed.id: aed for aed in aeds}
    fetched = [choice for choice in plan.chosen if choice.aed_id is not None]
    assert kind in states.WANTS_AED or not fetched
    for choice in fetched:
        assert choice.role is states.Role.VIA_AED
        assert choice.aed_id is not None
        arrival_s = scene.lead_s + by_id[choice.id].aed_s[choice.aed_id]
        aed = usable[choice.aed_id]
        assert aed.usable_from_s <= arrival_s
        assert arrival_s + 120 <= aed.usable_until_s
    if policy.chooser is not matching.Chooser.TWO_THIRDS:
        assert len({choice.aed_id for choice in fetched}) == len(fetched)
        assert not {choice.aed_id for choice in fetched} & under.aeds_taken


@pytest.mark.parametrize("name", ["expected-survival", "two-thirds-aed"])
@pytest.mark.parametrize(
    ("begins", "ends", "is_fetched"),
    [(0, 270, True), (0, 269.9, False), (150, 400, True), (150.1, 400, False)],
)
def test_POL_7_an_aed_is_open_when_the_fetcher_comes_and_for_two_minutes_more(
    name: str, begins: float, ends: float, *, is_fetched: bool
) -> None:
    # Seventy seconds to answer and get going, eighty to the cabinet.
    policy = dataclasses.replace(matching.SHIPPED[name], detour_most=None)
    aed = matching.AedOption(_id(9), 10, begins, ends, works=0.9, distance_m=8)
    people = [matching.Candidate(_id(n), 100, {aed.id: 80}, distance_m=80.0 + n) for n in (1, 2, 3)]
    plan = matching.plan(policy, ARREST, people, [aed])
    assert any(choice.aed_id == aed.id for choice in plan.chosen) is is_fetched


@settings(max_examples=100)
@given(shipped, crowds(), options, unders, scenes)
def test_POL_9_a_record_gives_the_same_choice_bit_for_bit(
    policy: matching.Policy,
    people: list[matching.Candidate],
    aeds: list[matching.AedOption],
    under: matching.Under,
    scene: matching.Scene,
) -> None:
    for call in allocations.Call:
        decision = allocations.Decision(call, policy, ARREST, people, aeds, under, scene)
        made = allocations.decide(decision)
        values = json.loads(json.dumps(allocations.write(decision)))
        kept = {"values": values, "digest": allocations.digest(values)}
        again = allocations.replay(kept)
        assert (again.chosen, again.excluded) == (made.chosen, made.excluded)
        assert dict(again.marginals) == dict(made.marginals)
        if made.figures is not None and again.figures is not None:
            unclocked = dataclasses.replace(again.figures, milliseconds=made.figures.milliseconds)
            assert unclocked == made.figures


def test_POL_9_a_search_that_ran_out_of_time_is_repeated_with_its_steps() -> None:
    people = [
        matching.Candidate(
            _id(n), 60.0 * n, {aed: 40.0 * (n * (k + 3) % 11) for k, aed in enumerate(aed_ids)}
        )
        for n in range(1, 13)
    ]  # fmt: skip
    aeds = [matching.AedOption(aed, 30.0 * (n + 2)) for n, aed in enumerate(aed_ids)]
    full = matching.plan(OURS, ARREST, people, aeds)
    short = matching.plan(OURS, ARREST, people, aeds, budget_ms=0.0)
    assert full.figures is not None
    assert full.figures.is_complete
    assert short.figures is not None
    assert not short.figures.is_complete
    again = matching.plan(OURS, ARREST, people, aeds, steps=short.figures.steps)
    assert again.chosen == short.chosen


def test_POL_9_the_times_of_all_in_one_table_make_the_same_choice_and_record() -> None:
    place = {aed: n for n, aed in enumerate(aed_ids)}
    aeds = [matching.AedOption(aed, 30.0 * (n + 2)) for n, aed in enumerate(aed_ids)]
    made = []
    for is_table in (False, True):
        people = []
        for n in range(1, 13):
            row = [math.inf if (n + k) % 3 == 0 else 10.0 * (n + k) for k in range(len(aed_ids))]
            times = matching.AedTimes(place, row)
            people.append(matching.Candidate(_id(n), 60.0 * n, times if is_table else dict(times)))
        decision = allocations.Decision(
            allocations.Call.PLAN, OURS, ARREST, people, aeds, matching.Under(30), AT_ONCE
        )
        made.append((allocations.decide(decision).chosen, allocations.write(decision)))
    assert made[0] == made[1]
    assert any(choice.aed_id is not None for choice in made[0][0])


def test_POL_9_an_altered_record_is_refused() -> None:
    decision = allocations.Decision(
        allocations.Call.PLAN, OURS, ARREST, _row(3), [], matching.Under(30), AT_ONCE
    )
    values = allocations.write(decision)
    kept = {"values": values, "digest": allocations.digest(values)}
    values["candidates"][0]["accept"] = 0.9
    with pytest.raises(errors.Malformed):
        allocations.replay(kept)


@pytest.mark.parametrize(("percent", "is_by_aed"), [(4.9, True), (5.0, True), (5.1, False)])
def test_POL_10_by_way_of_an_aed_only_if_the_walk_is_hardly_longer(
    percent: float, *, is_by_aed: bool
) -> None:
    policy = matching.SHIPPED["two-thirds-aed"]
    aed = matching.AedOption(_id(9), 100, distance_m=80)
    by_aed = 400 * (1 + percent / 100) - 100
    people = [
        matching.Candidate(_id(n), 400, {aed.id: by_aed}, distance_m=float(n)) for n in (1, 2, 3)
    ]
    plan = matching.plan(policy, ARREST, people, [aed], scene=AT_ONCE)
    roles = [choice.role for choice in plan.chosen]
    assert roles[0] is states.Role.DIRECT
    assert (roles[1:] == [states.Role.VIA_AED] * 2) is is_by_aed
    assert rules.is_on_the_way(by_aed + 100, 400, 0.05) is is_by_aed


def test_POL_11_a_radius_grows_by_its_steps_until_a_wave_is_in_it() -> None:
    policy = dataclasses.replace(
        matching.SHIPPED["radius-400"], steps_m=(150, 300, 1_000), wave_size=3
    )
    plan = matching.plan(policy, ARREST, _row(8), [])
    assert [choice.id.int for choice in plan.chosen] == [1, 2, 3]
    assert plan.excluded[_id(4)] is matching.Reason.TOO_FAR
    few = matching.plan(dataclasses.replace(policy, wave_size=5), ARREST, _row(8), [])
    assert len(few.chosen) == 5
    assert set(few.excluded.values()) == {matching.Reason.BEYOND_CAP}
    plain = matching.plan(matching.SHIPPED["radius-400"], ARREST, _row(8), [])
    assert len(plain.chosen) == 4


@pytest.mark.parametrize(
    ("name", "live", "asked"),
    [("nearest-10", 0, 10), ("three-and-replace", 0, 3), ("three-and-replace", 2, 1),
     ("seven-and-replace", 0, 7), ("seven-and-replace", 7, 0)],
)  # fmt: skip
def test_POL_11_so_many_are_kept_live(name: str, live: int, asked: int) -> None:
    under = matching.Under(30, live=live, pending=live)
    plan = matching.plan(matching.SHIPPED[name], ARREST, _row(8, step_m=50) * 1, [], under=under)
    assert len(plan.chosen) == min(asked, 8)
    assert [choice.id.int for choice in plan.chosen] == list(range(1, len(plan.chosen) + 1))


def test_POL_12_whoever_would_come_after_the_ambulance_is_not_asked() -> None:
    scene = matching.Scene(ambulance_s=360, ambulance_shock_s=450)
    aed, shut = matching.AedOption(_id(9), 30), matching.AedOption(_id(8), 30, 0, 60)
    people = [
        matching.Candidate(_id(1), 100),
        matching.Candidate(_id(2), 500),
        # Too late in person, but not with the AED; and one whose AED closes before.
        matching.Candidate(_id(3), 300, {aed.id: 60}),
        matching.Candidate(_id(4), 300, {shut.id: 60}),
    ]
    plan = matching.plan(OURS, ARREST, people, [aed, shut], scene=scene)
    assert {choice.id.int: choice.aed_id for choice in plan.chosen} == {1: None, 3: aed.id}
    assert plan.excluded == {
        _id(2): matching.Reason.CANNOT_BEAT_AMBULANCE,
        _id(4): matching.Reason.CLOSED_AED,
    }
    there = matching.Scene(ambulance_s=0, ambulance_shock_s=0)
    assert matching.plan(OURS, ARREST, people, [aed], scene=there).chosen == ()


def test_POL_12_the_price_of_an_alert_decides_who_is_worth_asking() -> None:
    dear = dataclasses.replace(OURS, price=0.005)
    cheap = matching.plan(OURS, ARREST, _row(6), [])
    some = matching.plan(dear, ARREST, _row(6), [])
    assert 0 < len(some.chosen) < len(cheap.chosen)
    left = [
        person for person, reason in some.excluded.items() if reason is matching.Reason.LOW_GAIN
    ]
    assert left
    assert all(some.marginals[person] < dear.price for person in left)
    assert all(choice.marginal is not None for choice in cheap.chosen)


def test_POL_12_somebody_with_an_aed_at_hand_counts_as_bringing_one() -> None:
    without = matching.plan(OURS, ARREST, [matching.Candidate(_id(1), 100)], [])
    carrying = matching.plan(OURS, ARREST, [matching.Candidate(_id(1), 100, carries=0.98)], [])
    assert carrying.chosen[0].role is states.Role.DIRECT
    assert carrying.figures is not None
    assert without.figures is not None
    assert carrying.figures.plan.shock_s < without.figures.plan.shock_s


def test_POL_17_at_last_three_go_direct_and_others_by_the_nearest_open_aed() -> None:
    aed = matching.AedOption(_id(9), 30, distance_m=25)
    people = [
        matching.Candidate(_id(n), 60.0 * n, {aed.id: 20.0 * n}, distance_m=50.0 * n)
        for n in range(1, 13)
    ]
    plan = matching.plan_last_resort(OURS, ARREST, people, [aed])
    assert [choice.role for choice in plan.chosen] == [states.Role.DIRECT] * 3 + [
        states.Role.VIA_AED
    ] * 7
    assert set(plan.excluded) == {_id(11), _id(12)}


def test_POL_18_a_policy_is_the_same_after_writing_and_reading() -> None:
    for policy in matching.SHIPPED.values():
        written = json.loads(json.dumps(policy.document()))
        again = matching.Policy.from_document(written)
        assert again == policy
        assert again.digest() == policy.digest()
    digests = {policy.digest() for policy in matching.SHIPPED.values()}
    assert len(digests) == len(matching.SHIPPED)


def test_POL_18_run_cards_answer_for_their_kind_before_those_for_all() -> None:
    every = matching.RunCard(2, skills={"cpr": 4})
    flood = matching.RunCard(2, (states.Kind.FLOOD,), teams=("boats",))
    policy = matching.Policy(run_cards=(every, flood))
    assert policy.run_card(states.Kind.FLOOD, 2) == flood
    assert policy.run_card(states.Kind.FIRE, 2) == every
    assert policy.run_card(states.Kind.FIRE, 3) is None


def test_POL_19_every_reason_and_every_role_has_a_sentence_in_both_languages() -> None:
    for reason in matching.Reason:
        said = sentences.say(sentences.Facts("王芳", "Wang Fang", reason=reason, distance_m=1_900))
        assert said["zh"].startswith("王芳 未通知：距离1.9公里，")
        assert said["en"].startswith("Wang Fang: not asked: 1.9 km away, ")
    fetch = sentences.Facts(
        "王芳", None, role=states.Role.VIA_AED, aed="星河商场", aed_until="22:00", arrives_s=360,
        ambulance_s=540,
    )  # fmt: skip
    assert sentences.say(fetch) == {
        "zh": "王芳 先去星河商场取AED（开放至22:00），预计6分钟到达，比救护车早3分钟",
        "en": "王芳: fetches the AED at 星河商场 (open until 22:00), there in about 6 min, "
        "3 min before the ambulance",
    }
    unnamed = dataclasses.replace(fetch, aed="AED", aed_address="港口路1号", aed_until="")
    assert sentences.say(unnamed)["zh"].startswith("王芳 先去港口路1号取AED，")
    assert "the AED at 港口路1号," in sentences.say(unnamed)["en"]
    nowhere = sentences.say(dataclasses.replace(unnamed, aed_address=None))
    assert nowhere["zh"].startswith("王芳 先去AED 点取AED，")
    nobody = sentences.say(dataclasses.replace(fetch, name=None))
    assert nobody["en"].startswith("Fetches the AED")
