"""PURE. Our own chooser: people and AEDs weighed jointly by what they are expected to bring.

Seconds become the minutes of `dispatch.joint`; its answer becomes roles, and one reason for each
person who is not asked. People and AEDs are put in the order of their ids, so that the same case
gives the same plan whatever order it came in.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from dispatch import errors, joint, states
from dispatch.joint import survival
from dispatch.matching import rules
from dispatch.matching.people import (
    OPEN_FOR_S,
    AedOption,
    Candidate,
    Choice,
    Expected,
    Figures,
    Plan,
    Reason,
    Scene,
    Under,
    seconds_to,
)
from dispatch.matching.policy import Chooser, Policy

Floats = NDArray[np.float64]


def plan(policy: Policy, case: rules.Case) -> Plan:
    """Choose people, roles and AEDs that are worth more than the price of an alert.

    Where minutes to a patient are not what counts, the nearest are asked by rule.
    """
    if case.kind not in states.MEDICAL:
        return rules.replace(policy, case)
    excluded: dict[UUID, Reason] = {}
    free = []
    for candidate in case.candidates:
        reason = rules.unfit(policy, candidate)
        if reason is None:
            free.append(candidate)
        else:
            excluded[candidate.id] = reason
    table = _tabulate(policy, case, free)
    most = most_of(policy, case.under)
    solution = joint.choose(
        table.options,
        joint_scene(policy, case.scene),
        most=most,
        price=policy.price,
        going=_going(case),
        needs_direct=most > 0 and case.scene.needs_direct and not case.under.is_direct_going,
        budget_ms=case.budget_ms,
        steps=case.steps,
    )
    chosen = _chosen(case.scene, table, solution)
    args: dict[UUID, Mapping[str, object]] = {}
    marginals: dict[UUID, float] = {}
    for left in _left(case, table, solution, is_full=most == 0):
        excluded[left.id], args[left.id] = _reason(policy, left)
        if not math.isnan(left.gain):
            marginals[left.id] = left.gain
    return Plan(chosen, excluded, args, marginals, _figures(solution))


def most_of(policy: Policy, under: Under) -> int:
    """Return how many may be asked now: of one decision, live at once, of the incident."""
    return max(0, min(policy.wave_size, policy.live_most - under.pending, under.room))


def model_of(policy: Policy) -> survival.Model:
    """Return the survival model that a policy names. Raises BadPolicy for one that is not there."""
    name = "lexicographic" if policy.chooser is Chooser.LEXICOGRAPHIC else policy.model
    try:
        return survival.MODELS[name]
    except KeyError:
        known = ", ".join(survival.MODELS)
        raise errors.BadPolicy(
            f"model: {name} is not one of {known}", state={"field": "model"}
        ) from None


def joint_scene(policy: Policy, scene: Scene) -> joint.Scene:
    """Return the patient's clock in minutes."""
    begun = scene.bystander_s
    return joint.Scene(
        t0=scene.collapsed_s / 60,
        t_e=scene.ambulance_s / 60,
        t_ed=max(scene.ambulance_s, scene.ambulance_shock_s) / 60,
        setup=scene.setup_s / 60,
        t_by=None if begun is None else max(0.0, scene.collapsed_s + begun) / 60,
        theta=scene.theta,
        model=model_of(policy),
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """The people who can be asked, with their ways in seconds; the last columns are own AEDs."""

    people: Sequence[Candidate]
    aeds: Sequence[AedOption]
    options: joint.Options
    # Way of the role without answering and the way through the building; (n, m).
    travel_s: Floats
    # Somebody who would come in time by way of an AED that is shut then.
    finds_shut: NDArray[np.bool_]


def _tabulate(policy: Policy, case: rules.Case, free: Sequence[Candidate]) -> _Table:
    scene = case.scene
    people = sorted(free, key=lambda person: person.id)
    aeds = _fetchable(case)
    to_aed = np.array(seconds_to(people, aeds)).reshape(len(people), len(aeds))
    travel = to_aed + np.array([_from_aed(policy, aed) for aed in aeds])
    travel[travel > policy.reach_s] = math.inf
    is_open = _open(aeds, to_aed + scene.lead_s)
    arrives = travel + scene.lead_s + scene.vertical_s
    is_of_use = arrives + scene.setup_s < scene.ambulance_shock_s
    own = [row for row, person in enumerate(people) if person.carries is not None]
    direct = np.array([_walk(person) for person in people])
    direct_at = direct + scene.lead_s + scene.vertical_s
    fetch = np.where(is_open, arrives, math.inf)
    return _Table(
        people,
        aeds,
        joint.Options(
            direct=direct_at / 60,
            fetch=np.hstack([fetch, _own(direct_at, own)]) / 60,
            accept=np.array([person.accept for person in people]),
            works=np.array(
                [aed.works for aed in aeds] + [people[row].carries or 0.0 for row in own]
            ),
            # Who has one at hand goes straight with it.
            at_hand=np.array([False] * len(aeds) + [True] * len(own), np.bool_),
        ),
        np.hstack([travel, _own(direct, own)]),
        (is_of_use & ~is_open).any(axis=1),
    )


def _fetchable(case: rules.Case) -> list[AedOption]:
    """Return the AEDs that nobody is fetching yet, where the kind wants one."""
    if case.kind not in states.WANTS_AED:
        return []
    free = (aed for aed in case.aeds if aed.id not in case.under.aeds_taken)
    return sorted(free, key=lambda aed: aed.id)


def _walk(person: Candidate) -> float:
    return math.inf if person.direct_s is None else person.direct_s


def _from_aed(policy: Policy, aed: AedOption) -> float:
    return aed.to_patient_s + (policy.aed_pickup_s if aed.pickup_s is None else aed.pickup_s)


def _open(aeds: Sequence[AedOption], arrival_s: Floats) -> NDArray[np.bool_]:
    """Say who finds which AED open, and open for two minutes more."""
    begins = np.array([aed.usable_from_s for aed in aeds])
    ends = np.array([aed.usable_until_s for aed in aeds])
    is_open: NDArray[np.bool_] = (begins <= arrival_s) & (arrival_s + OPEN_FOR_S <= ends)
    return is_open


def _own(direct: Floats, own: Sequence[int]) -> Floats:
    """Return one column for each person who has an AED at hand: the direct way."""
    columns = np.full((len(direct), len(own)), math.inf)
    for column, row in enumerate(own):
        columns[row, column] = direct[row]
    return columns


def _going(case: rules.Case) -> list[joint.Going]:
    return [
        joint.Going(
            joint.FETCH if going.works > 0 else joint.DIRECT,
            going.arrives_s / 60,
            going.accept,
            going.works,
        )
        for going in case.under.going
    ]


def _chosen(scene: Scene, table: _Table, solution: joint.Solution) -> tuple[Choice, ...]:
    """Read the roles, in the order of arrival; somebody with an AED at hand goes direct."""
    choices = []
    for row in np.flatnonzero(np.asarray(solution.roles) != joint.NONE):
        person, column = table.people[int(row)], int(solution.aed[row])
        via = table.aeds[column] if 0 <= column < len(table.aeds) else None
        way = person.direct_s if column < 0 else float(table.travel_s[row, column])
        at = None if way is None else way + scene.lead_s + scene.vertical_s
        role = states.Role.DIRECT if via is None else states.Role.VIA_AED
        aed_id = None if via is None else via.id
        choices.append(Choice(person.id, role, aed_id, way, at, float(solution.marginal[row])))
    return tuple(sorted(choices, key=lambda choice: (choice.arrives_s or 0.0, choice.id)))


@dataclass(frozen=True, slots=True)
class _Left:
    """Somebody who could be asked and is not; `better` is who is as good, None without."""

    id: UUID
    is_late: bool
    finds_shut: bool
    is_full: bool
    gain: float
    better: UUID | None


def _left(
    case: rules.Case, table: _Table, solution: joint.Solution, *, is_full: bool
) -> Iterator[_Left]:
    """Go through those whom the search left out."""
    options, scene = table.options, case.scene
    brings = (options.fetch * 60 + scene.setup_s < scene.ambulance_shock_s).any(axis=1)
    is_late = (options.direct * 60 >= scene.ambulance_s) & ~brings
    rows = np.flatnonzero(np.asarray(solution.roles) == joint.NONE)
    columns = (is_late, table.finds_shut, solution.marginal, solution.dominated_by)
    listed = (np.asarray(column)[rows].tolist() for column in columns)
    for row, late, shut, gain, better in zip(rows.tolist(), *listed, strict=True):
        other = table.people[better].id if better >= 0 else None
        yield _Left(table.people[row].id, late, shut, is_full, gain, other)


def _reason(policy: Policy, left: _Left) -> tuple[Reason, Mapping[str, object]]:
    """Say why somebody who could be asked is not, when a wave has room for more and when not."""
    if left.is_late:
        return Reason.CLOSED_AED if left.finds_shut else Reason.CANNOT_BEAT_AMBULANCE, {}
    if left.is_full:
        return Reason.BEYOND_CAP, {}
    if left.better is not None and not left.gain >= policy.price:
        return Reason.DOMINATED, {"by": str(left.better)}
    if left.gain < policy.price:
        return Reason.LOW_GAIN, {"gain": left.gain}
    return Reason.BEYOND_CAP, {}


def _figures(solution: joint.Solution) -> Figures:
    nobody, all_direct, planned = solution.minutes
    return Figures(
        nobody=_expected(solution.value_nobody, nobody),
        all_direct=_expected(solution.value_all_direct, all_direct),
        plan=_expected(solution.value, planned),
        greedy=float(solution.greedy_value),
        starts=int(solution.starts),
        steps=int(solution.steps),
        is_complete=bool(solution.is_complete),
        milliseconds=float(solution.milliseconds),
    )


def _expected(value: float, outcome: joint.Outcome) -> Expected:
    return Expected(float(value), float(outcome.to_cpr) * 60, float(outcome.to_shock) * 60)
