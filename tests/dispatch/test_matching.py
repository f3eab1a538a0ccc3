"""Who is asked: tables for the plain cases, properties for all others."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch import matching, states

ARREST, TRAUMA = states.Kind.CARDIAC_ARREST, states.Kind.TRAUMA
POLICY = matching.Policy(
    name="first-policy", chooser=matching.Chooser.REPLACE, wave_size=7, aeds_most=3, aed_pickup_s=30
)
#: Everybody moves at once.
AT_ONCE = matching.Scene(lead_s=0, vertical_s=0)


def _id(number: int) -> UUID:
    return UUID(int=number)


def _person(number: int, direct_s: float | None, **aed_s: float) -> matching.Candidate:
    ways = {_id(int(name[1:])): seconds for name, seconds in aed_s.items()}
    return matching.Candidate(_id(number), direct_s, ways)


def test_ALR_1_the_nearest_goes_direct_and_the_next_best_fetches() -> None:
    people = [_person(1, 60, a9=5), _person(2, 90, a9=20), _person(3, 300, a9=10)]
    aed = matching.AedOption(_id(9), to_patient_s=80)
    plan = matching.plan(POLICY, ARREST, people, [aed])
    roles = {choice.id: (choice.role, choice.travel_s) for choice in plan.chosen}
    assert roles == {
        _id(1): (states.Role.DIRECT, 60),
        # The one who is nearest to the AED brings it soonest: 10 + 30 + 80.
        _id(2): (states.Role.DIRECT, 90),
        _id(3): (states.Role.VIA_AED, 120),
    }


def test_ALR_2_no_aed_is_fetched_for_a_kind_that_needs_none() -> None:
    people = [_person(1, 60, a9=5), _person(2, 90, a9=20)]
    plan = matching.plan(POLICY, TRAUMA, people, [matching.AedOption(_id(9), 10)])
    assert {choice.role for choice in plan.chosen} == {states.Role.DIRECT}


@pytest.mark.parametrize(
    ("begins", "ends", "is_fetched"), [(0, 140, True), (0, 139, False), (21, 300, False)]
)
def test_ALR_3_an_aed_is_fetched_only_if_it_is_usable_on_arrival_and_two_minutes_on(
    begins: float, ends: float, *, is_fetched: bool
) -> None:
    people = [_person(1, 60), _person(2, 90, a9=20)]
    aed = matching.AedOption(_id(9), 10, begins, ends)
    plan = matching.plan(POLICY, ARREST, people, [aed], scene=AT_ONCE)
    assert any(choice.aed_id for choice in plan.chosen) is is_fetched


def test_ALR_4_an_aed_on_its_way_is_not_fetched_twice() -> None:
    people = [_person(1, 60, a9=20), _person(2, 90, a9=20)]
    under = matching.Under(room=10, aeds_taken=frozenset({_id(9)}))
    plan = matching.plan(POLICY, ARREST, people, [matching.AedOption(_id(9), 10)], under=under)
    assert not any(choice.aed_id for choice in plan.chosen)


def test_ALR_5_named_people_are_asked_wherever_they_are() -> None:
    people = [
        _person(1, None),
        _person(2, 5_000),
        matching.Candidate(_id(3), 10, blocked=matching.Reason.OFF_DUTY),
    ]
    plan = matching.plan_named(POLICY, TRAUMA, people, [])
    assert {choice.id for choice in plan.chosen} == {_id(1), _id(2)}
    assert plan.excluded == {_id(3): matching.Reason.OFF_DUTY}


seconds = st.floats(0, 1_200)
aed_ids = [_id(1_000 + number) for number in range(5)]


@st.composite
def crowds(draw: st.DrawFn) -> list[matching.Candidate]:
    return [
        matching.Candidate(
            _id(number),
            draw(st.none() | seconds),
            draw(st.dictionaries(st.sampled_from(aed_ids), seconds, max_size=5)),
            draw(st.none() | st.sampled_from(list(matching.Reason))),
        )
        for number in range(draw(st.integers(0, 25)))
    ]


options = st.lists(
    st.builds(matching.AedOption, st.sampled_from(aed_ids), seconds, seconds, seconds),
    unique_by=lambda aed: aed.id,
    max_size=5,
)
unders = st.builds(
    matching.Under, st.integers(0, 30), st.booleans(), st.frozensets(st.sampled_from(aed_ids))
)


@given(crowds(), options, unders, st.sampled_from(list(states.Kind)))
def test_ALR_6_everyone_is_chosen_or_excluded_once(
    people: list[matching.Candidate],
    aeds: list[matching.AedOption],
    under: matching.Under,
    kind: states.Kind,
) -> None:
    plan = matching.plan(POLICY, kind, people, aeds, under=under)
    chosen = [choice.id for choice in plan.chosen]
    assert len(set(chosen)) == len(chosen)
    assert sorted([*chosen, *plan.excluded]) == sorted(person.id for person in people)
    assert len(chosen) <= min(POLICY.wave_size, under.room)
    by_id = {person.id: person for person in people}
    assert all(by_id[person].blocked is None for person in chosen)
    fetched = [choice.aed_id for choice in plan.chosen if choice.aed_id is not None]
    assert len(set(fetched)) == len(fetched) <= POLICY.aeds_most
    assert not set(fetched) & under.aeds_taken
    assert kind in states.WANTS_AED or not fetched


@given(crowds(), options)
def test_ALR_7_a_fetcher_arrives_while_the_aed_is_usable_and_within_reach(
    people: list[matching.Candidate], aeds: list[matching.AedOption]
) -> None:
    plan = matching.plan(POLICY, ARREST, people, aeds, scene=AT_ONCE)
    by_id = {person.id: person for person in people}
    usable = {aed.id: aed for aed in aeds}
    for choice in plan.chosen:
        if choice.aed_id is None:
            assert choice.role is states.Role.DIRECT
            assert choice.travel_s == by_id[choice.id].direct_s
        else:
            aed = usable[choice.aed_id]
            to_aed_s = by_id[choice.id].aed_s[choice.aed_id]
            assert aed.is_usable_at(to_aed_s)
            assert choice.travel_s == to_aed_s + POLICY.aed_pickup_s + aed.to_patient_s
            assert choice.travel_s <= POLICY.reach_s


@given(crowds(), options)
def test_ALR_8_the_nearest_who_can_goes_direct(
    people: list[matching.Candidate], aeds: list[matching.AedOption]
) -> None:
    plan = matching.plan(POLICY, ARREST, people, aeds)
    able = [
        (person.direct_s, person.id)
        for person in people
        if person.blocked is None
        and person.direct_s is not None
        and person.direct_s <= POLICY.reach_s
    ]
    if able:
        best = next(choice for choice in plan.chosen if choice.id == min(able)[1])
        assert best.role is states.Role.DIRECT
        order = [by_choice.id for by_choice in plan.chosen]
        assert order == [person for _, person in sorted(able) if person in order]
    else:
        assert plan.chosen == ()
