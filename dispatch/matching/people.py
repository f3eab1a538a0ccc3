"""PURE. What choosing reads and what it answers: seconds, metres and ids, no maps and no names."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from dispatch import states

#: An AED has to stay open for so long after somebody reaches it.
OPEN_FOR_S = 120.0


class Reason(StrEnum):
    """Why somebody is not asked; the screens hold the words."""

    OFF_DUTY = "off_duty"
    SUSPENDED = "suspended"
    RESTING = "resting"
    BUSY = "busy"
    ALREADY_ALERTED = "already_alerted"
    STOOD_DOWN_BEFORE = "stood_down_before"
    NO_CERTIFICATE = "no_certificate"
    CERTIFICATE_EXPIRED = "certificate_expired"
    UNDER_AGE = "under_age"
    QUIET_HOURS = "quiet_hours"
    ALERT_BUDGET_USED = "alert_budget_used"
    NO_POSITION = "no_position"
    POSITION_STALE = "position_stale"
    POSITION_VAGUE = "position_vague"
    TOO_FAR = "too_far"
    CANNOT_BEAT_AMBULANCE = "cannot_beat_ambulance"
    CLOSED_AED = "closed_aed"
    DOMINATED = "dominated"
    LOW_GAIN = "low_gain"
    BEYOND_CAP = "beyond_cap"
    # Of more people than a plan weighs; `dispatch/considered.py`.
    MANY_NEARER = "many_nearer"


@dataclass(frozen=True, slots=True, eq=False)
class AedTimes(Mapping[UUID, float]):
    """Seconds on foot to each AED that can be reached; infinite ones are not there.

    `place` says where in `seconds` an AED stands, and is the same for everybody: of thousands of
    people a dict each takes longer than all the choosing.
    """

    place: Mapping[UUID, int]
    seconds: Sequence[float]

    def __getitem__(self, aed_id: UUID) -> float:
        """Give the seconds to an AED."""
        seconds = self.seconds[self.place[aed_id]]
        if math.isinf(seconds):
            raise KeyError(aed_id)
        return seconds

    def __iter__(self) -> Iterator[UUID]:
        """Name the AEDs that can be reached."""
        return (aed for aed, at in self.place.items() if not math.isinf(self.seconds[at]))

    def __len__(self) -> int:
        """Count them."""
        return sum(not math.isinf(seconds) for seconds in self.seconds)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody considered: seconds on foot to the patient and to AEDs, or why not at all.

    `direct_s` is None where the way is unknown or longer than the reach; `distance_m` is the
    straight line. `accept` is the probability of a yes. `carries` is how surely an AED that the
    person has at hand works, None without one.
    """

    id: UUID
    direct_s: float | None
    aed_s: Mapping[UUID, float] = field(default_factory=dict)
    blocked: Reason | None = None
    distance_m: float | None = None
    accept: float = 0.287
    carries: float | None = None


@dataclass(frozen=True, slots=True)
class AedOption:
    """An AED: seconds on foot to the patient, and when it can be had, in seconds from now.

    `works` is the probability that it is found, reached and works; `pickup_s` overrides the
    policy's time to take it. An AED that is shut now and for the whole alarm has `usable_until_s`
    at or before `usable_from_s`.
    """

    id: UUID
    to_patient_s: float
    usable_from_s: float = 0.0
    usable_until_s: float = math.inf
    works: float = 0.57
    pickup_s: float | None = None
    # From the patient in a straight line; None where nobody measured it.
    distance_m: float | None = None

    def is_usable_at(self, arrival_s: float) -> bool:
        """Say whether somebody who arrives at that time gets it: open then and two minutes on."""
        return self.usable_from_s <= arrival_s and arrival_s + OPEN_FOR_S <= self.usable_until_s

    def is_usable_between(self, soonest_s: float, latest_s: float) -> bool:
        """Say whether somebody who arrives at some moment between these gets it."""
        first_s = max(soonest_s, self.usable_from_s)
        return first_s <= latest_s and self.is_usable_at(first_s)


def seconds_to(people: Sequence[Candidate], aeds: Sequence[AedOption]) -> list[list[float]]:
    """Return for each person the seconds to each AED; infinite where there is no way."""
    known: dict[int, list[int | None]] = {}
    found = []
    for person in people:
        times = person.aed_s
        if isinstance(times, AedTimes):
            order = known.get(id(times.place))
            if order is None:
                order = known[id(times.place)] = [times.place.get(aed.id) for aed in aeds]
            seconds = times.seconds
            found.append([math.inf if at is None else seconds[at] for at in order])
        else:
            found.append([times.get(aed.id, math.inf) for aed in aeds])
    return found


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody who is asked; `travel_s` is the way of the role, pick-up included.

    `arrives_s` is when the person is expected at the patient, in seconds from now: answering,
    getting going and the way through the building included. `marginal` is what the plan loses
    without the person; None where the chooser has no such value.
    """

    id: UUID
    role: states.Role
    aed_id: UUID | None
    travel_s: float | None
    arrives_s: float | None = None
    marginal: float | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """A plan in figures: modelled survival index, seconds from now to CPR and to the shock."""

    index: float
    cpr_s: float
    shock_s: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What a plan is expected to bring, and how the search went; the same `steps` give it again."""

    nobody: Expected
    all_direct: Expected
    plan: Expected
    greedy: float
    starts: int
    steps: int
    is_complete: bool
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Everyone considered, once: chosen, or excluded for one reason.

    `args` and `marginals` belong to excluded people: what the reason's sentence needs, and what the
    person would have added.
    """

    chosen: tuple[Choice, ...]
    excluded: Mapping[UUID, Reason]
    args: Mapping[UUID, Mapping[str, object]] = field(default_factory=dict)
    marginals: Mapping[UUID, float] = field(default_factory=dict)
    figures: Figures | None = None
    # The chooser that answered in place of the policy's own, None when it was its own.
    fell_back: str | None = None


@dataclass(frozen=True, slots=True)
class Going:
    """Somebody asked before who counts: has accepted, or may still answer.

    `arrives_s` is seconds from now to the patient; `accept` is 1 after a yes.
    """

    role: states.Role
    arrives_s: float
    accept: float = 1.0
    works: float = 0.0
    aed_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Under:
    """What goes on already: who is fetching what, whether somebody goes direct, room to the cap.

    `pending` counts those whose answer is awaited, `live` those who go or may well answer: who has
    been silent for long is replaced.
    """

    room: int
    is_direct_going: bool = False
    aeds_taken: frozenset[UUID] = frozenset()
    live: int = 0
    pending: int = 0
    going: tuple[Going, ...] = ()
    # The circle of this wave in metres, where a policy's circle grows; None: the policy's own.
    circle_m: float | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """The patient's clock, in seconds from now; what is past has a positive `collapsed_s`.

    `lead_s` passes before an asked person moves (answering and getting ready), `vertical_s` from
    the door to the patient. `bystander_s` is when a bystander's compressions begin or began.
    """

    collapsed_s: float = 180.0
    ambulance_s: float = 720.0
    ambulance_shock_s: float = 810.0
    setup_s: float = 75.0
    bystander_s: float | None = None
    theta: float = 0.6
    lead_s: float = 70.0
    vertical_s: float = 42.0
    needs_direct: bool = True
