"""What comes next in asking, by the style of the policy; clocks are passed in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch import escalation, matching, states

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
OURS = matching.Policy(wave_size=7)
SEVEN = matching.SHIPPED["seven-and-replace"]
THREE = matching.SHIPPED["three-and-replace"]
RADIUS = matching.SHIPPED["radius-400"]
GROWING = replace(RADIUS, steps_m=(500.0, 1_000.0, 2_000.0))
DIRECT, VIA, GUIDE = states.Role.DIRECT, states.Role.VIA_AED, states.Role.GUIDE
ARREST, FLOOD = states.Kind.CARDIAC_ARREST, states.Kind.FLOOD


def _asked(
    role: states.Role,
    status: states.Alert,
    assignment: states.Assignment | None = None,
    *,
    arrives_s: float | None = 900,
    is_team: bool = False,
) -> escalation.Asked:
    return escalation.Asked(role, status, assignment, arrives_s, is_team)


PENDING = _asked(DIRECT, states.Alert.NOTIFIED)
TEAM = _asked(DIRECT, states.Alert.NOTIFIED, is_team=True)
DECLINED = _asked(DIRECT, states.Alert.DECLINED)
SILENT_VIA = _asked(VIA, states.Alert.TIMED_OUT)
GOING = _asked(DIRECT, states.Alert.ACCEPTED, states.Assignment.EN_ROUTE)
FETCHING = _asked(VIA, states.Alert.ACCEPTED, states.Assignment.ACCEPTED)
SOON, SOON_VIA = replace(GOING, arrives_s=300), replace(FETCHING, arrives_s=400)
GAVE_UP = _asked(DIRECT, states.Alert.ACCEPTED, states.Assignment.UNABLE)
GUIDING = _asked(GUIDE, states.Alert.ACCEPTED, states.Assignment.EN_ROUTE)


def _facts(
    *asked: escalation.Asked,
    waited_s: float = 5,
    kind: states.Kind = ARREST,
    status: states.Incident = states.Incident.ALERTING,
    is_stood_down: bool = False,
    ambulance: states.Ambulance = states.Ambulance.DISPATCHED,
    waves: int = 1,
    began_s: float | None = None,
) -> escalation.Facts:
    began_at = None if began_s is None else NOW - timedelta(seconds=began_s)
    return escalation.Facts(
        kind, status, is_stood_down, asked, NOW - timedelta(seconds=waited_s), began_at, waves,
        ambulance, 600.0,
    )  # fmt: skip


def _next(policy: matching.Policy, facts: escalation.Facts) -> escalation.Step:
    return escalation.next_step(policy, facts, now=NOW)


def _at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("policy", matching.SHIPPED.values(), ids=lambda policy: policy.name)
def test_ESC_1_nothing_goes_before_the_operator_asked(policy: matching.Policy) -> None:
    facts = escalation.Facts(
        ARREST, states.Incident.RECEIVED, is_stood_down=False, asked=[], last_wave_at=None
    )
    assert _next(policy, facts) == escalation.Done()


def test_ESC_2_who_weighs_plans_at_every_change_and_looks_again_at_its_times() -> None:
    facts = _facts(PENDING, DECLINED, waited_s=5)
    assert _next(OURS, facts) == escalation.Send(7)
    assert escalation.next_look(OURS, facts, now=NOW) == _at(40)
    late = _facts(PENDING, waited_s=1, began_s=100)
    assert escalation.next_look(OURS, late, now=NOW) == _at(5)
    last = _facts(PENDING, waited_s=1, began_s=180)
    assert escalation.next_look(OURS, last, now=NOW) == _at(60)
    full = _facts(*[PENDING] * 12, waited_s=5)
    assert _next(OURS, full) == escalation.Wait(_at(40))


def test_ESC_3_who_replaces_keeps_so_many_live() -> None:
    assert isinstance(_next(SEVEN, _facts(*[PENDING] * 7)), escalation.Wait)
    assert _next(SEVEN, _facts(*[PENDING] * 5, GOING, DECLINED)) == escalation.Send(1)
    assert _next(SEVEN, _facts(*[PENDING] * 4, SILENT_VIA, GAVE_UP)) == escalation.Send(3)
    # Where minutes to a patient do not count, our own policy replaces too.
    flood = _facts(*[PENDING] * 5, DECLINED, kind=FLOOD)
    assert _next(OURS, flood) == escalation.Send(2)


def test_ESC_4_a_broadcast_goes_once() -> None:
    assert _next(RADIUS, _facts(PENDING, DECLINED, waited_s=31)) == escalation.Done()
    assert _next(RADIUS, _facts(DECLINED)) == escalation.Exhausted(escalation.Why.ONCE)
    assert _next(RADIUS, _facts(DECLINED, GOING)) == escalation.Done()
    assert escalation.circle(RADIUS, 0) is None


def test_ESC_4_a_circle_grows_at_once_when_nobody_is_in_it_else_when_its_time_is_over() -> None:
    assert [escalation.circle(GROWING, waves) for waves in range(4)] == [500, 1_000, 2_000, 2_000]
    assert _next(GROWING, _facts()) == escalation.Send(100)
    assert escalation.next_look(GROWING, _facts(), now=NOW) == NOW
    assert _next(GROWING, _facts(PENDING)) == escalation.Wait(_at(25))
    assert _next(GROWING, _facts(PENDING, waited_s=30)) == escalation.Send(99)
    assert _next(GROWING, _facts(GOING, GOING, GOING, waited_s=30)) == escalation.Done()
    assert _next(GROWING, _facts(waves=3)) == escalation.Exhausted(escalation.Why.ONCE)


@pytest.mark.parametrize(
    ("asked", "is_enough"),
    [
        ([GOING, FETCHING, GOING], True),
        ([GOING, GOING, GOING], True),  # no AED was in reach
        ([GOING, GOING, GOING, SILENT_VIA], False),  # an AED was, and nobody brings it
        ([FETCHING, FETCHING, FETCHING], False),  # nobody goes direct
        ([GOING, FETCHING], False),
        ([GOING, FETCHING, GAVE_UP], False),
        ([GOING, FETCHING, GUIDING], False),  # who meets the ambulance does not help the patient
    ],
)
def test_ESC_5_an_arrest_wants_three_one_direct_and_one_with_an_aed(
    asked: list[escalation.Asked], *, is_enough: bool
) -> None:
    assert escalation.is_enough(SEVEN, _facts(*asked)) is is_enough
    step = _next(SEVEN, _facts(*asked, waited_s=31))
    assert isinstance(step, escalation.Done) is is_enough


def test_ESC_6_one_is_enough_for_other_kinds() -> None:
    assert _next(SEVEN, _facts(GOING, kind=FLOOD)) == escalation.Done()
    assert _next(OURS, _facts(SOON, kind=states.Kind.TRAUMA)) == escalation.Done()


def test_ESC_7_the_cap_ends_it() -> None:
    for chooser in (OURS, SEVEN):
        policy = replace(chooser, alerts_cap=3)
        assert _next(policy, _facts(DECLINED, DECLINED)) == escalation.Send(1)
        assert _next(policy, _facts(*[DECLINED] * 3)) == escalation.Exhausted()


@pytest.mark.parametrize("policy", matching.SHIPPED.values(), ids=lambda policy: policy.name)
def test_ESC_8_nobody_is_asked_after_the_end_or_with_the_ambulance_there(
    policy: matching.Policy,
) -> None:
    for status in (states.Incident.HANDED_OVER, states.Incident.CLOSED):
        assert _next(policy, _facts(DECLINED, status=status)) == escalation.Done()
    assert _next(policy, _facts(DECLINED, is_stood_down=True)) == escalation.Done()
    there = _facts(DECLINED, ambulance=states.Ambulance.ON_SCENE)
    assert _next(policy, there) == escalation.Done()


def test_ESC_14_asking_by_itself_ends_after_its_time_and_begins_anew_with_an_operator() -> None:
    for policy in (OURS, SEVEN, RADIUS):
        assert escalation.next_look(policy, _facts(PENDING, began_s=240), now=NOW) is None
        over = _facts(DECLINED, began_s=240)
        assert _next(policy, over) == escalation.Exhausted(escalation.Why.TIME)
        assert _next(policy, _facts(PENDING, began_s=240)) == escalation.Done()
    assert isinstance(_next(OURS, _facts(DECLINED, began_s=0)), escalation.Send)


@pytest.mark.parametrize(
    ("asked", "is_covered"),
    [
        ([SOON, SOON, SOON_VIA], True),
        ([SOON, SOON, SOON], True),  # no AED was in reach
        ([SOON, SOON, SOON, SILENT_VIA], False),  # an AED was, and nobody brings it in time
        ([SOON, SOON, SOON, FETCHING], False),
        ([SOON, SOON, replace(SOON, carries=True), SILENT_VIA], True),  # one has an AED at hand
        ([SOON, SOON, SOON, replace(GOING, carries=True), SILENT_VIA], False),  # too late
        ([SOON, SOON_VIA, GOING], False),  # one comes after the ambulance
        ([SOON, SOON_VIA, replace(GUIDING, arrives_s=60)], False),
    ],
)
def test_WAV_1_covered_are_the_pending_when_enough_arrive_before_the_ambulance(
    asked: list[escalation.Asked], *, is_covered: bool
) -> None:
    for policy in (OURS, SEVEN, RADIUS):
        assert escalation.is_covered(policy, _facts(*asked)) is is_covered
        step = _next(policy, _facts(*asked, PENDING))
        assert isinstance(step, escalation.Cover) is is_covered
    if is_covered:
        assert _next(OURS, _facts(*asked, TEAM)) == escalation.Done()
        assert _next(OURS, _facts(*asked)) == escalation.Done()


def test_WAV_1_only_a_patient_can_be_covered() -> None:
    assert not escalation.is_covered(OURS, _facts(SOON, SOON, SOON, kind=FLOOD))


def test_WAV_3_limited_accepts_cover_the_rest_whenever_they_arrive() -> None:
    assert _next(THREE, _facts(GOING, GOING, PENDING)) != escalation.Cover()
    assert _next(THREE, _facts(GOING, GOING, GOING, PENDING)) == escalation.Cover()
    assert escalation.is_full(THREE, _facts(GOING, GOING, GOING))
    assert not escalation.is_full(SEVEN, _facts(GOING, GOING, GOING))
    assert not escalation.is_full(THREE, _facts(GOING, GOING, GOING, kind=FLOOD))


def test_WAV_4_a_guide_is_wanted_once_after_enough_while_the_ambulance_comes() -> None:
    enough = (GOING, FETCHING, GOING)
    assert escalation.wants_guide(OURS, _facts(*enough))
    assert not escalation.wants_guide(OURS, _facts(*enough, GUIDING))
    assert not escalation.wants_guide(OURS, _facts(GOING, FETCHING))
    assert not escalation.wants_guide(OURS, _facts(*enough, kind=FLOOD))
    there = _facts(*enough, ambulance=states.Ambulance.ON_SCENE)
    assert not escalation.wants_guide(OURS, there)


asked = st.builds(
    escalation.Asked,
    st.sampled_from(list(states.Role)),
    st.sampled_from(list(states.Alert)),
    st.none() | st.sampled_from(list(states.Assignment)),
    st.none() | st.floats(0, 1_500),
    st.booleans(),
)


@given(
    st.sampled_from([*matching.SHIPPED.values(), GROWING]),
    st.lists(asked, max_size=35),
    st.floats(0, 300),
    st.sampled_from(list(states.Kind)),
    st.sampled_from(list(states.Incident)),
)
def test_ESC_9_never_more_live_than_allowed_and_a_wait_never_in_the_past(
    policy: matching.Policy,
    asked: list[escalation.Asked],
    waited_s: float,
    kind: states.Kind,
    status: states.Incident,
) -> None:
    facts = _facts(*asked, waited_s=waited_s, kind=kind, status=status)
    step = _next(policy, facts)
    if isinstance(step, escalation.Send):
        assert 0 < step.most <= policy.alerts_cap - len(asked)
        assert facts.pending + step.most <= max(policy.live_most, policy.wave_size)
    if isinstance(step, escalation.Wait):
        assert step.until > NOW
    look_at = escalation.next_look(policy, facts, now=NOW)
    assert look_at is None or look_at >= NOW
