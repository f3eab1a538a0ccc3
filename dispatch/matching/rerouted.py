"""PURE. Another way for those whose AED is missing, locked or dead."""

from __future__ import annotations

from uuid import UUID

from dispatch import states
from dispatch.matching.people import AedOption, Candidate, Choice, Plan
from dispatch.matching.policy import Policy
from dispatch.matching.rules import Case


def reroute(policy: Policy, case: Case) -> Plan:
    """Give each the AED that comes soonest by them, one person each; the others go direct.

    Whoever has accepted (`accept` is 1) is on the way already; the others have yet to answer. An
    AED that would come after the ambulance's own is of no use.
    """
    free = [aed for aed in case.aeds if aed.id not in case.under.aeds_taken]
    ways = [
        way
        for person in case.candidates
        for aed in free
        if (way := _by(policy, case, person, aed)) is not None
    ]
    chosen: dict[UUID, Choice] = {}
    given: set[UUID | None] = set()
    for way in sorted(ways, key=lambda way: (way.arrives_s or 0.0, way.id, str(way.aed_id))):
        if way.id not in chosen and way.aed_id not in given:
            chosen[way.id] = way
            given.add(way.aed_id)
    everyone = (chosen.get(person.id) or _direct(case, person) for person in case.candidates)
    return Plan(tuple(everyone), {})


def _lead_s(case: Case, person: Candidate) -> float:
    return 0.0 if person.accept >= 1 else case.scene.lead_s


def _by(policy: Policy, case: Case, person: Candidate, aed: AedOption) -> Choice | None:
    """Return the way by an AED; None where it is shut then, too far, or too late."""
    to_aed_s, lead_s = person.aed_s.get(aed.id), _lead_s(case, person)
    if to_aed_s is None or not aed.is_usable_at(lead_s + to_aed_s):
        return None
    pickup_s = policy.aed_pickup_s if aed.pickup_s is None else aed.pickup_s
    travel_s = to_aed_s + pickup_s + aed.to_patient_s
    arrives_s = lead_s + travel_s + case.scene.vertical_s
    is_late = arrives_s + case.scene.setup_s >= case.scene.ambulance_shock_s
    if is_late or travel_s > policy.reach_s:
        return None
    return Choice(person.id, states.Role.VIA_AED, aed.id, travel_s, arrives_s)


def _direct(case: Case, person: Candidate) -> Choice:
    walk_s = person.direct_s
    if walk_s is None:
        return Choice(person.id, states.Role.DIRECT, None, None)
    arrives_s = _lead_s(case, person) + walk_s + case.scene.vertical_s
    return Choice(person.id, states.Role.DIRECT, None, walk_s, arrives_s)
