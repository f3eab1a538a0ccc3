"""The whole matrix of steps: what may follow what, per role."""

from __future__ import annotations

import pytest

from dispatch import errors, states

A = states.Assignment
DIRECT, VIA, GUIDE = states.Role.DIRECT, states.Role.VIA_AED, states.Role.GUIDE
ON_THE_WAY = {A.EN_ROUTE, A.ON_SCENE, A.WITH_PATIENT}
MAY_FOLLOW: dict[tuple[A, states.Role], set[A]] = {
    (A.ACCEPTED, DIRECT): ON_THE_WAY,
    (A.ACCEPTED, VIA): ON_THE_WAY | {A.AED_COLLECTED},
    (A.EN_ROUTE, DIRECT): {A.ON_SCENE, A.WITH_PATIENT},
    (A.EN_ROUTE, VIA): {A.AED_COLLECTED, A.ON_SCENE, A.WITH_PATIENT},
    (A.AED_COLLECTED, VIA): {A.ON_SCENE, A.WITH_PATIENT},
    # Who found that it is dead goes on without it.
    (A.AED_COLLECTED, DIRECT): {A.ON_SCENE, A.WITH_PATIENT},
    (A.ACCEPTED, GUIDE): {A.EN_ROUTE, A.ON_SCENE},
    (A.EN_ROUTE, GUIDE): {A.ON_SCENE},
    (A.ON_SCENE, GUIDE): {A.CLEARED},
    (A.ON_SCENE, DIRECT): {A.WITH_PATIENT, A.HANDED_OVER, A.CLEARED},
    (A.ON_SCENE, VIA): {A.WITH_PATIENT, A.HANDED_OVER, A.CLEARED},
    (A.WITH_PATIENT, DIRECT): {A.HANDED_OVER, A.CLEARED},
    (A.WITH_PATIENT, VIA): {A.HANDED_OVER, A.CLEARED},
    (A.HANDED_OVER, DIRECT): {A.CLEARED},
    (A.HANDED_OVER, VIA): {A.CLEARED},
}

#: Everything that can be; a guide has no patient.
STANDINGS = [
    (status, role)
    for status in A
    for role in states.Role
    if role is not GUIDE or status in {A.ACCEPTED, *states.steps_of(GUIDE), *states.ASSIGNMENT_OVER}
]


@pytest.mark.parametrize(("status", "role"), STANDINGS)
@pytest.mark.parametrize("step", list(A))
def test_ASG_1_steps_go_forward_and_nobody_clears_who_has_not_arrived(
    status: A, step: A, role: states.Role
) -> None:
    allowed = MAY_FOLLOW.get((status, role), set())
    if status not in states.ASSIGNMENT_OVER:
        allowed = allowed | {A.UNABLE}
    if step in allowed:
        states.check_step(status, role, step)
    else:
        with pytest.raises(errors.StepOutOfOrder) as refused:
            states.check_step(status, role, step)
        assert refused.value.state is not None
        assert refused.value.state["status"] == status.value
        assert set(refused.value.state["next"]) == {s.value for s in allowed - {A.UNABLE}}


@pytest.mark.parametrize(("status", "role"), STANDINGS)
def test_ASG_1_the_next_step_is_the_first_that_may_follow(status: A, role: states.Role) -> None:
    following = states.following_steps(status, role)
    assert states.next_step(status, role) is (following[0] if following else None)


@pytest.mark.parametrize("status", list(states.Incident))
@pytest.mark.parametrize("step", list(A))
def test_INC_1_an_incident_never_goes_back(status: states.Incident, step: A) -> None:
    rank = list(states.Incident).index
    for role in states.Role:
        assert rank(states.incident_after_step(status, step, role)) >= rank(status)


def test_INC_2_a_medical_incident_does_not_close_as_completed_with_the_ambulance_unknown() -> None:
    for kind in states.Kind:
        for disposition in states.Disposition:
            is_refused = kind in states.MEDICAL and disposition is states.Disposition.COMPLETED
            if is_refused:
                with pytest.raises(errors.AmbulanceUnknown):
                    states.check_closable(kind, states.Ambulance.UNKNOWN, disposition)
            else:
                states.check_closable(kind, states.Ambulance.UNKNOWN, disposition)
            states.check_closable(kind, states.Ambulance.NOTIFIED, disposition)
