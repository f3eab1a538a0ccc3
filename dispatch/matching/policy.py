"""PURE. An alert policy as a document: every number by which people are chosen, asked and told.

`Policy.from_document` reads what an administrator wrote, `document` writes it, `digest` names it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from dispatch import errors, states
from dispatch.joint import survival
from dispatch.ladder import DEFAULT as LADDER
from dispatch.ladder import Rung

_CONFIG = ConfigDict(extra="forbid", allow_inf_nan=False)

Word = Annotated[str, Field(min_length=1, max_length=60)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Metres = Annotated[float, Field(gt=0, le=50_000)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=500)]
Severity = Annotated[int, Field(ge=1, le=4)]


class Chooser(StrEnum):
    """How people are chosen."""

    EXPECTED = "expected_survival"
    LEXICOGRAPHIC = "lexicographic"
    RADIUS = "radius"
    NEAREST = "nearest"
    TWO_THIRDS = "two_thirds_aed"
    REPLACE = "replace"


#: Choosers that weigh people and AEDs jointly and look again at every change.
JOINT = frozenset({Chooser.EXPECTED, Chooser.LEXICOGRAPHIC})


@dataclass(frozen=True, slots=True)
class Target:
    """How many accepts are enough."""

    __pydantic_config__ = _CONFIG
    total: Count
    direct: Count
    via_aed: Count


@dataclass(frozen=True, slots=True)
class Vertical:
    """Seconds from the door to the patient, by what kind of building it is."""

    __pydantic_config__ = _CONFIG
    unknown_s: Seconds = 42.0
    outdoors_s: Seconds = 30.0
    house_s: Seconds = 78.0
    building_s: Seconds = 168.0
    # For each floor above the third.
    floor_s: Seconds = 5.0


@dataclass(frozen=True, slots=True)
class RunCard:
    """Which teams and skills go at an alarm level, for some kinds of incident (empty: all)."""

    __pydantic_config__ = _CONFIG
    level: Annotated[int, Field(ge=1, le=4)]
    kinds: tuple[states.Kind, ...] = ()
    # Codes of teams, of the organisation of the incident or above it.
    teams: tuple[Word, ...] = ()
    # Skills of which so many people are wanted.
    skills: Mapping[Word, Count] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of a policy; stored whole with every decision that it made."""

    __pydantic_config__ = _CONFIG
    name: Word = "expected-survival"
    version: Annotated[int, Field(ge=1)] = 1
    chooser: Chooser = Chooser.EXPECTED
    # The survival model by which the joint choosers weigh minutes.
    model: Word = "valenzuela1997"
    # What an alert has to add: survival index, or minutes for the lexicographic chooser.
    price: Annotated[float, Field(ge=0, le=60)] = 0.0005

    # How many: in one decision (for `replace`: kept live), live at once, of one incident.
    wave_size: Count = 8
    live_most: Count = 12
    alerts_cap: Count = 30
    # AEDs on their way at once, for the choosers by rule.
    aeds_most: Count = 3

    # How far. Nobody farther away on foot is asked; circles are straight lines around the patient.
    reach_s: Annotated[float, Field(gt=0, le=7_200)] = 900.0
    # How fast people hurry who were asked; None: as the installation has everybody walk.
    pace_mps: Annotated[float, Field(ge=0.3, le=7)] | None = None
    radius_m: Metres | None = None
    # The radius grows by these steps until the target is met.
    steps_m: tuple[Metres, ...] = ()
    aed_circle_m: Metres = 500.0
    # AEDs to which everyone is measured on foot.
    aeds_measured: Annotated[int, Field(ge=0, le=30)] = 10
    # Of `two_thirds_aed`: how many go by way of an AED, and by how much that way may be longer.
    aed_share: Share = 2 / 3
    detour_most: Annotated[float, Field(ge=0, le=10)] | None = 0.05

    # When to look again.
    replan_s: tuple[Seconds, ...] = (45.0, 75.0, 105.0, 135.0, 180.0)
    stop_after_s: Seconds = 240.0
    wave_wait_s: Annotated[float, Field(gt=0, le=3_600)] = 30.0
    alert_expires_s: Annotated[float, Field(gt=0, le=3_600)] = 60.0
    # A phone that has not confirmed by then counts as not reached.
    delivery_wait_s: Annotated[float, Field(gt=0, le=3_600)] = 8.0
    no_movement_after_s: Annotated[float, Field(gt=0, le=86_400)] = 180.0

    # When it is enough: to stop asking, and to tell the pending that they are covered.
    arrest: Target = Target(total=3, direct=1, via_aed=1)
    other: Target = Target(total=1, direct=1, via_aed=0)
    stop_total: Count = 3
    stop_aed: Count = 1
    # Whether no more may accept than are wanted: the next one is told kindly.
    is_limited: bool = False

    # The patient's clock.
    collapse_s: Seconds = 180.0
    ambulance_s: Seconds = 720.0
    shock_after_ambulance_s: Seconds = 90.0
    setup_s: Seconds = 75.0
    bystander_s: Seconds | None = None
    theta: Share = 0.6

    # People: will they come, and how soon do they move.
    accept_prior: Share = 0.287
    accept_weight: Annotated[float, Field(gt=0, le=1_000)] = 6.0
    silent_share: Share = 0.25
    reply_median_s: Annotated[float, Field(gt=0, le=3_600)] = 40.0
    reply_sigma: Annotated[float, Field(gt=0, le=3)] = 0.45
    mobilise_s: Seconds = 30.0
    vertical: Vertical = Vertical()

    # AEDs: time to take one, and how often people bring one that works.
    aed_pickup_s: Seconds = 45.0
    aed_people_factor: Share = 0.6
    carried_works: Share = 0.98

    # Who may be asked.
    youngest: Annotated[int, Field(ge=0, le=120)] = 18
    # A position is live, then the last one known, then worth nothing.
    live_for_s: Seconds = 300.0
    last_for_s: Seconds = 1_800.0
    # A position less certain than this says too little to send somebody by it.
    accuracy_most_m: Metres = 500.0
    alert_budget_day: Annotated[int, Field(ge=0, le=100)] = 2
    # So many of the nearest are asked even beyond their budget.
    budget_exempt: Count = 3
    rest_after_h: Annotated[float, Field(ge=0, le=720)] = 24.0
    # Kinds for which quiet hours do not hold.
    breakthrough: tuple[states.Kind, ...] = ()
    survey_after_s: Annotated[float, Field(ge=0, le=604_800)] = 5_400.0

    # How people are told, by severity, and which teams go.
    ladder: Mapping[Severity, tuple[Rung, ...]] = field(default_factory=lambda: dict(LADDER))
    run_cards: tuple[RunCard, ...] = ()

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a policy; what it leaves out has the shipped value.

        Raises BadPolicy, which names the field.
        """
        try:
            policy = _adapter().validate_json(json.dumps(document), strict=True)
        except ValidationError as wrong:
            first = wrong.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "document"
            raise errors.BadPolicy(
                f"{where}: {first['msg']}", state={"field": where, "why": first["msg"]}
            ) from None
        if policy.model not in survival.MODELS:
            why = f"not one of {', '.join(survival.MODELS)}"
            raise errors.BadPolicy(f"model: {why}", state={"field": "model", "why": why})
        return policy  # type: ignore[return-value]  # there is no subclass

    def document(self) -> dict[str, Any]:
        """Write it as plain JSON values, every field of it that says something."""
        written: dict[str, Any] = _adapter().dump_python(self, mode="json")
        if self.pace_mps is None:
            # Versions from before there was such a field keep their digest.
            del written["pace_mps"]
        return written

    def digest(self) -> str:
        """Return SHA-256 of the canonical document, in hexadecimal."""
        text = json.dumps(self.document(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def label(self) -> str:
        """Name the version in one word pair, as waves and records show it."""
        return f"{self.name} v{self.version}"

    @property
    def lead_s(self) -> float:
        """Return the seconds that pass before an asked person moves."""
        return self.reply_median_s + self.mobilise_s

    def target(self, kind: states.Kind) -> Target:
        """Return how many accepts are enough for a kind of incident."""
        return self.arrest if kind in states.WANTS_AED else self.other

    def rungs(self, severity: int) -> tuple[Rung, ...]:
        """Return the ladder of a severity; one that the policy leaves out has the shipped one."""
        return self.ladder.get(severity, LADDER[severity])

    def run_card(self, kind: states.Kind, level: int) -> RunCard | None:
        """Return the card of a kind at an alarm level: its own before one for all kinds."""
        cards = [card for card in self.run_cards if card.level == level]
        own = (card for card in cards if kind in card.kinds)
        return next(own, next((card for card in cards if not card.kinds), None))


@cache
def _adapter() -> TypeAdapter[Policy]:
    return TypeAdapter(Policy)
