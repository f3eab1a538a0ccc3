"""When the next wave goes; clocks are passed in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch import escalation, matching, states

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
POLICY = matching.Policy()
DIRECT, VIA = states.Role.DIRECT, states.Role.VIA_AED


def _asked(
    role: states.Role, status: states.Alert, assignment: states.Assignment | None = None
) -> escalation.Asked:
    return escalation.Asked(1, role, status, assignment)


PENDING = _asked(DIRECT, states.Alert.NOTIFIED)
DECLINED = _asked(DIRECT, states.Alert.DECLINED)
SILENT_VIA = _asked(VIA, states.Alert.TIMED_OUT)
GOING = _asked(DIRECT, states.Alert.ACCEPTED, states.Assignment.EN_ROUTE)
FETCHING = _asked(VIA, states.Alert.ACCEPTED, states.Assignment.ACCEPTED)
GAVE_UP = _asked(DIRECT, states.Alert.ACCEPTED, states.Assignment.UNABLE)


def _next(
    *asked: escalation.Asked,
    waited_s: float = 5,
    kind: states.Kind = states.Kind.CARDIAC_ARREST,
    status: states.Incident = states.Incident.ALERTING,
    is_stood_down: bool = False,
    policy: matching.Policy = POLICY,
) -> escalation.Step:
    facts = escalation.Facts(kind, status, is_stood_down, asked, NOW - timedelta(seconds=waited_s))
    return escalation.next_step(policy, facts, now=NOW)


def test_ESC_1_nothing_goes_before_the_operator_asked() -> None:
    facts = escalation.Facts(
        states.Kind.CARDIAC_ARREST,
        states.Incident.RECEIVED,
        is_stood_down=False,
        asked=[],
        last_wave_at=None,
    )
    assert escalation.next_step(POLICY, facts, now=NOW) == escalation.Done()


def test_ESC_2_it_waits_while_an_answer_may_come() -> None:
    until = NOW + timedelta(seconds=POLICY.wave_wait_s - 5)
    assert _next(PENDING, DECLINED) == escalation.Wait(until)


def test_ESC_3_second_wave_goes_when_nobody_accepts() -> None:
    assert _next(PENDING, waited_s=30) == escalation.Send(POLICY.wave_size)


def test_ESC_4_next_wave_goes_at_once_when_nobody_is_left_to_answer() -> None:
    assert _next(DECLINED, SILENT_VIA, waited_s=1) == escalation.Send(POLICY.wave_size)
    assert _next(GAVE_UP, waited_s=1) == escalation.Send(POLICY.wave_size)


@pytest.mark.parametrize(
    ("asked", "is_enough"),
    [
        ([GOING, FETCHING, GOING], True),
        ([GOING, GOING, GOING], True),  # no AED was in reach
        ([GOING, GOING, GOING, SILENT_VIA], False),  # an AED was, and nobody brings it
        ([FETCHING, FETCHING, FETCHING], False),  # nobody goes direct
        ([GOING, FETCHING], False),
        ([GOING, FETCHING, GAVE_UP], False),
    ],
)
def test_ESC_5_an_arrest_wants_three_one_direct_and_one_with_an_aed(
    asked: list[escalation.Asked], *, is_enough: bool
) -> None:
    step = _next(*asked, waited_s=31)
    assert isinstance(step, escalation.Done) is is_enough


def test_ESC_6_one_is_enough_for_other_kinds() -> None:
    assert _next(GOING, kind=states.Kind.TRAUMA, waited_s=31) == escalation.Done()


def test_ESC_7_the_cap_ends_it() -> None:
    policy = matching.Policy(alerts_cap=3)
    assert _next(DECLINED, DECLINED, policy=policy) == escalation.Send(1)
    assert _next(DECLINED, DECLINED, DECLINED, policy=policy) == escalation.Exhausted()


@pytest.mark.parametrize("status", [states.Incident.HANDED_OVER, states.Incident.CLOSED])
def test_ESC_8_nobody_is_asked_after_hand_over_stand_down_or_close(
    status: states.Incident,
) -> None:
    assert _next(DECLINED, status=status) == escalation.Done()
    assert _next(DECLINED, is_stood_down=True) == escalation.Done()


asked = st.builds(
    escalation.Asked,
    st.integers(1, 4),
    st.sampled_from(list(states.Role)),
    st.sampled_from(list(states.Alert)),
    st.none() | st.sampled_from(list(states.Assignment)),
)


@given(
    st.lists(asked, max_size=35),
    st.floats(0, 120),
    st.sampled_from(list(states.Kind)),
    st.sampled_from(list(states.Incident)),
)
def test_ESC_9_a_wave_is_never_larger_than_the_room_and_a_wait_never_in_the_past(
    asked: list[escalation.Asked],
    waited_s: float,
    kind: states.Kind,
    status: states.Incident,
) -> None:
    step = _next(*asked, waited_s=waited_s, kind=kind, status=status)
    if isinstance(step, escalation.Send):
        assert 0 < step.most <= min(POLICY.wave_size, POLICY.alerts_cap - len(asked))
    if isinstance(step, escalation.Wait):
        assert step.until > NOW
