"""PURE. The patient's clock of an incident, as far as anybody knows, and what is guessed."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from dispatch import matching, states

#: An ambulance that is late by no more than this may come any moment; later it is unknown again.
_LATE_FOR_S = 120.0
_ANY_MOMENT_S = 60.0
_HIGH_FLOOR = 3
_ROOMS, _ROOM_DIGITS = 100, 4


class Mode(StrEnum):
    """In what way a plan had to do without something."""

    NO_ROUTING = "no_routing"
    NO_AMBULANCE_ETA = "no_ambulance_eta"
    HOURS_UNKNOWN = "hours_unknown"
    DEADLINE = "deadline"
    FALLBACK = "fallback"


class Case(Protocol):
    """What the clock is read from; an incident is one."""

    @property
    def created_at(self) -> datetime:
        """Say when it was reported."""

    @property
    def ambulance(self) -> states.Ambulance:
        """Say what is known of the ambulance."""

    @property
    def ambulance_eta_at(self) -> datetime | None:
        """Say when the ambulance is expected."""

    @property
    def floor(self) -> str | None:
        """Say on which floor."""


def clock(
    policy: matching.Policy, incident: Case, *, now: datetime
) -> tuple[matching.Scene, tuple[Mode, ...]]:
    """Return the patient's clock, with the ambulance at the patient, and what of it is a guess."""
    since_s = max(0.0, (now - incident.created_at).total_seconds())
    ambulance_s = _ambulance_s(incident, now)
    modes = () if ambulance_s is not None else (Mode.NO_AMBULANCE_ETA,)
    if ambulance_s is None:
        # Long after the call nobody knows more than at first: it is half as far away at least.
        ambulance_s = max(policy.ambulance_s / 2, policy.ambulance_s - since_s)
    # The crew comes to the door and goes the same way through the building as everybody.
    inside_s = vertical_s(policy, incident.floor)
    if incident.ambulance is not states.Ambulance.ON_SCENE:
        ambulance_s += inside_s
    collapsed_s = policy.collapse_s + since_s
    begun = policy.bystander_s
    scene = matching.Scene(
        collapsed_s=round(collapsed_s, 1),
        ambulance_s=round(ambulance_s, 1),
        ambulance_shock_s=round(ambulance_s + policy.shock_after_ambulance_s, 1),
        setup_s=policy.setup_s,
        bystander_s=None if begun is None else _tenths(begun - collapsed_s),
        theta=policy.theta,
        lead_s=policy.lead_s,
        vertical_s=inside_s,
    )
    return scene, modes


def _tenths(seconds: float) -> float:
    """Round; a negative zero, which no database keeps, would change the record's digest."""
    return round(seconds, 1) + 0.0


def _ambulance_s(incident: Case, now: datetime) -> float | None:
    if incident.ambulance is states.Ambulance.ON_SCENE:
        return 0.0
    if incident.ambulance_eta_at is None:
        return None
    away_s = (incident.ambulance_eta_at - now).total_seconds()
    if away_s < -_LATE_FOR_S:
        return None
    return max(_ANY_MOMENT_S, away_s)


def vertical_s(policy: matching.Policy, floor: str | None) -> float:
    """Return the seconds from the door to the patient; a floor says that it is in a building."""
    times = policy.vertical
    number = floor_number(floor)
    if number is None:
        return times.unknown_s
    return times.building_s + times.floor_s * max(0, number - _HIGH_FLOOR)


def floor_number(floor: str | None) -> int | None:
    """Read the first number of a floor as people write it ("12", "12层", "12F", "B2" is 2 down).

    Three or four digits are a room ("1203" is on the twelfth floor), more are something else.
    """
    found = None if floor is None else re.search(r"\d+", floor)
    if found is None or len(found.group()) > _ROOM_DIGITS:
        return None
    number = int(found.group())
    return number if number < _ROOMS else number // _ROOMS
