"""PURE. Who is asked, in which role, by way of which AED; and one reason for everyone else.

The one call is `plan(policy, kind, candidates, aeds, under=…, scene=…)`; the policy names the
chooser. It takes seconds from now and ids, and knows no maps, no names and no clock: the planner
and the simulator call the same function.

    candidates   everybody in reach, once each; `blocked` ones come back excluded with that reason
    aeds         those that may be fetched, with when each is open, in seconds from now
    under        what was asked before: room to the cap, live alerts, who is going with what
    scene        the patient's clock: collapse, ambulance, setup; and the lead before people move
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dispatch import joint, states
from dispatch.ladder import DEFAULT as LADDER
from dispatch.ladder import Channel, Rung
from dispatch.matching import expected, rerouted, rules
from dispatch.matching.people import (
    OPEN_FOR_S,
    AedOption,
    AedTimes,
    Candidate,
    Choice,
    Expected,
    Figures,
    Going,
    Plan,
    Reason,
    Scene,
    Under,
    seconds_to,
)
from dispatch.matching.policy import (
    JOINT,
    Chooser,
    Policy,
    RunCard,
    Target,
    Vertical,
)
from dispatch.matching.shipped import SHIPPED

__all__ = [
    "JOINT",
    "LADDER",
    "OPEN_FOR_S",
    "SHIPPED",
    "AedOption",
    "AedTimes",
    "Candidate",
    "Channel",
    "Choice",
    "Chooser",
    "Expected",
    "Figures",
    "Going",
    "Plan",
    "Policy",
    "Reason",
    "RunCard",
    "Rung",
    "Scene",
    "Target",
    "Under",
    "Vertical",
    "plan",
    "plan_last_resort",
    "plan_named",
    "reroute",
    "seconds_to",
    "warm_up",
]

_CHOOSERS: Mapping[Chooser, Callable[[Policy, rules.Case], Plan]] = {
    Chooser.EXPECTED: expected.plan,
    Chooser.LEXICOGRAPHIC: expected.plan,
    Chooser.RADIUS: rules.radius,
    Chooser.NEAREST: rules.nearest,
    Chooser.TWO_THIRDS: rules.two_thirds,
    Chooser.REPLACE: rules.replace,
}


def plan(
    policy: Policy,
    kind: states.Kind,
    candidates: Sequence[Candidate],
    aeds: Sequence[AedOption],
    *,
    under: Under | None = None,
    scene: Scene | None = None,
    budget_ms: float | None = None,
    steps: int | None = None,
) -> Plan:
    """Choose one wave by the policy's chooser.

    `budget_ms` ends the search of a joint chooser early; `steps` repeats one that took so many.
    """
    case = rules.Case(
        kind,
        candidates,
        aeds,
        under or Under(policy.alerts_cap),
        scene or Scene(),
        budget_ms,
        steps,
    )
    return _CHOOSERS[policy.chooser](policy, case)


def plan_named(
    policy: Policy,
    kind: states.Kind,
    candidates: Sequence[Candidate],
    aeds: Sequence[AedOption],
    *,
    under: Under | None = None,
    scene: Scene | None = None,
) -> Plan:
    """Give roles to the people whom an operator named, or to a team; all who can be asked are."""
    case = rules.Case(kind, candidates, aeds, under or Under(policy.alerts_cap), scene or Scene())
    return rules.named(policy, case)


def reroute(
    policy: Policy,
    kind: states.Kind,
    candidates: Sequence[Candidate],
    aeds: Sequence[AedOption],
    *,
    under: Under | None = None,
    scene: Scene | None = None,
) -> Plan:
    """Give those who cannot get their AED another one, or send them direct; nobody is left out."""
    case = rules.Case(kind, candidates, aeds, under or Under(policy.alerts_cap), scene or Scene())
    return rerouted.reroute(policy, case)


def plan_last_resort(
    policy: Policy,
    kind: states.Kind,
    candidates: Sequence[Candidate],
    aeds: Sequence[AedOption],
    *,
    under: Under | None = None,
    scene: Scene | None = None,
) -> Plan:
    """Choose the nearest by straight line, for when the policy's own chooser broke down."""
    case = rules.Case(kind, candidates, aeds, under or Under(policy.alerts_cap), scene or Scene())
    return rules.last_resort(policy, case)


def warm_up() -> None:
    """Load what takes a moment the first time: compiled loops, and the reader of documents."""
    joint.warm_up()
    Policy.from_document(Policy().document())
