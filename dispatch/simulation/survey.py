"""PURE. What a policy's chooser reads of a case: candidates once, AEDs and the clock each time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from dispatch import histories, matching, scenes, states
from dispatch.simulation.case import Case, Ground
from dispatch.simulation.world import World

Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Call:
    """An incident as `scenes.clock` reads it."""

    created_at: datetime
    ambulance: states.Ambulance
    ambulance_eta_at: datetime | None
    floor: str | None


@dataclass(slots=True)
class Survey:
    """The people and AEDs of one case, as one policy sees them."""

    policy: matching.Policy
    case: Case
    call: Call
    people: dict[UUID, matching.Candidate]
    # Where they stand in the case.
    places: Mapping[UUID, int]
    # Columns of the AEDs that people are measured to, and how surely each works.
    columns: Mapping[UUID, int]
    works: Mapping[UUID, float]
    lost: set[UUID | None] = field(default_factory=set)

    def candidates(self) -> list[matching.Candidate]:
        """Return everybody in reach; who was asked is blocked."""
        return list(self.people.values())

    def scene(self, *, now: datetime) -> matching.Scene:
        """Return the patient's clock by what is known."""
        return scenes.clock(self.policy, self.call, now=now)[0]

    def aeds(self, *, now: datetime) -> list[matching.AedOption]:
        """Return the AEDs with when they can be had, in seconds from now."""
        ground, since = self.case.ground, (now - self.call.created_at).total_seconds()
        return [
            matching.AedOption(
                aed,
                float(ground.aed_s[column]),
                float(ground.hours[column, 0]) - since,
                float(ground.hours[column, 1]) - since,
                self.works[aed],
                None,
                float(ground.aed_line_m[column]),
            )
            for aed, column in self.columns.items()
            if aed not in self.lost
        ]

    def block(self, person: UUID) -> None:
        """Ask nobody twice."""
        known = self.people[person]
        self.people[person] = replace(known, blocked=matching.Reason.ALREADY_ALERTED)

    def lose(self, aed: UUID | None) -> None:
        """Send nobody more by way of an AED that was reported."""
        self.lost.add(aed)


def of(policy: matching.Policy, case: Case, world: World) -> Survey:
    """Read a case through a policy, which may count on people to hurry."""
    if policy.pace_mps is not None and not world.pace_known:
        case = replace(case, ground=_hurried(case.ground, world.counted_mps / policy.pace_mps))
    ground = case.ground
    expected = timedelta(seconds=case.luck.ambulance_s)
    call = Call(
        ground.alert_at,
        states.Ambulance.DISPATCHED,
        ground.alert_at + expected if world.ambulance_known else None,
        ground.floor,
    )
    shock_s = scenes.clock(policy, call, now=ground.alert_at)[0].ambulance_shock_s
    columns = _measured(policy, case, shock_s)
    works = {
        aed: float(ground.trust[column]) * policy.aed_people_factor
        for aed, column in columns.items()
    }
    near = np.flatnonzero(ground.direct_s <= policy.reach_s)
    people = _candidates(policy, case, world, near, columns)
    places = {ground.people[place]: place for place in near.tolist()}
    return Survey(policy, case, call, people, places, columns, works)


def _hurried(ground: Ground, share: float) -> Ground:
    """Count ways at another pace; how long people really take stays as it is."""
    return replace(
        ground, direct_s=ground.direct_s * share, to_aed_s=ground.to_aed_s * share,
        aed_s=ground.aed_s * share,
    )  # fmt: skip


def _measured(policy: matching.Policy, case: Case, shock_s: float) -> dict[UUID, int]:
    """Pick the AEDs nearest to the patient on foot, as `ways.measure` does."""
    ground = case.ground
    is_joint = policy.chooser in matching.JOINT
    within_s = min(policy.reach_s, shock_s) if is_joint else policy.reach_s
    is_of_use = (ground.aed_s <= within_s) & (ground.hours[:, 1] > ground.hours[:, 0])
    found = np.flatnonzero(is_of_use)
    nearest = found[np.argsort(ground.aed_s[found], kind="stable")][: policy.aeds_measured]
    return {ground.aeds[column]: int(column) for column in nearest}


def _candidates(
    policy: matching.Policy, case: Case, world: World, near: Places, columns: Mapping[UUID, int]
) -> dict[UUID, matching.Candidate]:
    """Take in who can walk to the patient in time; the others are too far anyway."""
    ground = case.ground
    direct_s, to_aed_s = _counted(case, world, near, np.fromiter(columns.values(), np.intp))
    to_aed = np.where(to_aed_s <= policy.reach_s, to_aed_s, math.inf).tolist()
    found = {}
    for row, place in enumerate(near.tolist()):
        ways = zip(columns, to_aed[row], strict=True)
        accepted = int(case.luck.accepted_before[place])
        history = histories.History(world.answers_known, accepted)
        found[ground.people[place]] = matching.Candidate(
            ground.people[place],
            float(direct_s[row]),
            {aed: seconds for aed, seconds in ways if seconds < math.inf},
            None,
            float(ground.line_m[place]),
            histories.accept(policy, history),
            policy.carried_works if ground.carries[place] else None,
        )
    return found


def _counted(
    case: Case, world: World, near: Places, columns: Places
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ways to the patient and to the AEDs as they are counted, or as they are."""
    ground = case.ground
    direct_s, to_aed_s = ground.direct_s[near], ground.to_aed_s[np.ix_(near, columns)]
    if not world.pace_known:
        return direct_s, to_aed_s
    pace, aed_s = case.luck.pace[near], ground.aed_s[columns]
    # The way from the AED on is the same for everybody in a plan: the difference is taken here.
    return direct_s * pace, np.maximum(0.0, (to_aed_s + aed_s) * pace[:, None] - aed_s)
