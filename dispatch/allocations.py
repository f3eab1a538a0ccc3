"""PURE. The record of a decision: what it was made from, its digest, and making it again.

A record holds every number that the choice was made from, so that `replay` needs nothing else: no
registry, no streets, no clock. JSON keeps floats exactly; infinity is written as null.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from dispatch import errors, matching, states


class Call(StrEnum):
    """Which way of choosing was used."""

    PLAN = "plan"
    NAMED = "named"
    LAST_RESORT = "last_resort"
    REROUTE = "reroute"


@dataclass(frozen=True, slots=True)
class Decision:
    """Everything that a choice depends on; `steps` is how far the search went, None: to its end."""

    call: Call
    policy: matching.Policy
    kind: states.Kind
    candidates: Sequence[matching.Candidate]
    aeds: Sequence[matching.AedOption]
    under: matching.Under
    scene: matching.Scene
    steps: int | None = None
    # Within reach too, but not weighed; each excluded for this reason.
    aside: Mapping[UUID, matching.Reason] = field(default_factory=dict)


def decide(decision: Decision, *, budget_ms: float | None = None) -> matching.Plan:
    """Make the choice."""
    plan = _choose(decision, budget_ms=budget_ms)
    if not decision.aside:
        return plan
    return replace(plan, excluded={**plan.excluded, **decision.aside})


def _choose(decision: Decision, *, budget_ms: float | None) -> matching.Plan:
    given = (decision.policy, decision.kind, decision.candidates, decision.aeds)
    match decision.call:
        case Call.PLAN:
            return matching.plan(
                *given, under=decision.under, scene=decision.scene, budget_ms=budget_ms,
                steps=decision.steps,
            )  # fmt: skip
        case Call.NAMED:
            return matching.plan_named(*given, under=decision.under, scene=decision.scene)
        case Call.LAST_RESORT:
            return matching.plan_last_resort(*given, under=decision.under, scene=decision.scene)
        case Call.REROUTE:
            return matching.reroute(*given, under=decision.under, scene=decision.scene)


def replay(inputs: Mapping[str, Any]) -> matching.Plan:
    """Make the choice of a stored record again, from what it holds and nothing else.

    Raises Malformed for a record from before there were values, or one that was altered.
    """
    values = inputs.get("values")
    if values is None or digest(values) != inputs.get("digest"):
        raise errors.Malformed("the record holds no values, or not those of its digest")
    return decide(read(values))


def digest(values: Mapping[str, Any]) -> str:
    """Return SHA-256 of the canonical values, in hexadecimal."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def write(decision: Decision) -> dict[str, Any]:
    """Write a decision as plain JSON values."""
    values = {
        "call": decision.call.value,
        "policy": decision.policy.document(),
        "kind": decision.kind.value,
        "scene": asdict(decision.scene),
        "candidates": [
            _blocked_out(person, person.blocked)
            if person.blocked is not None and decision.call is not Call.REROUTE
            else _candidate_out(person, seconds)
            for person, seconds in zip(
                decision.candidates,
                matching.seconds_to(decision.candidates, decision.aeds),
                strict=True,
            )
        ],
        "aeds": [_aed_out(aed) for aed in decision.aeds],
        "under": _under_out(decision.under),
        "steps": decision.steps,
    }
    # Most have nobody aside; theirs read like those from before there was such a thing.
    return {**values, "aside": _aside_out(decision.aside)} if decision.aside else values


def read(values: Mapping[str, Any]) -> Decision:
    """Read what `write` wrote."""
    aeds = [_aed(item) for item in values["aeds"]]
    return Decision(
        Call(values["call"]),
        matching.Policy.from_document(values["policy"]),
        states.Kind(values["kind"]),
        [_candidate(item, aeds) for item in values["candidates"]],
        aeds,
        _under(values["under"]),
        matching.Scene(**values["scene"]),
        values["steps"],
        {
            UUID(person): matching.Reason(reason)
            for reason, people in values.get("aside", {}).items()
            for person in people
        },
    )


def _aside_out(aside: Mapping[UUID, matching.Reason]) -> dict[str, list[str]]:
    """Write the ids under each reason, in their order."""
    found: dict[str, list[str]] = {}
    for person, reason in aside.items():
        found.setdefault(reason.value, []).append(str(person))
    return {reason: sorted(people) for reason, people in sorted(found.items())}


def _candidate_out(person: matching.Candidate, aed_s: Sequence[float]) -> dict[str, Any]:
    """Write one person; `aed_s` stands in the order of the AEDs, which keeps the record short."""
    return {
        "id": str(person.id),
        "blocked": None if person.blocked is None else person.blocked.value,
        "direct_s": person.direct_s,
        "aed_s": [None if math.isinf(seconds) else seconds for seconds in aed_s],
        "distance_m": person.distance_m,
        "accept": person.accept,
        "carries": person.carries,
    }


def _blocked_out(person: matching.Candidate, reason: matching.Reason) -> dict[str, Any]:
    """Write one who is not weighed: only the reason counts, and nobody needs their times."""
    return {"id": str(person.id), "blocked": reason.value}


def _candidate(item: Mapping[str, Any], aeds: Sequence[matching.AedOption]) -> matching.Candidate:
    blocked = None if item["blocked"] is None else matching.Reason(item["blocked"])
    if "direct_s" not in item:
        return matching.Candidate(UUID(item["id"]), None, blocked=blocked)
    return matching.Candidate(
        UUID(item["id"]),
        item["direct_s"],
        {
            aed.id: seconds
            for aed, seconds in zip(aeds, item["aed_s"], strict=True)
            if seconds is not None
        },
        blocked,
        item["distance_m"],
        item["accept"],
        item["carries"],
    )


def _aed_out(aed: matching.AedOption) -> dict[str, Any]:
    ends = None if math.isinf(aed.usable_until_s) else aed.usable_until_s
    return {**asdict(aed), "id": str(aed.id), "usable_until_s": ends}


def _aed(item: Mapping[str, Any]) -> matching.AedOption:
    ends = math.inf if item["usable_until_s"] is None else item["usable_until_s"]
    return matching.AedOption(**{**item, "id": UUID(item["id"]), "usable_until_s": ends})


def _under_out(under: matching.Under) -> dict[str, Any]:
    return {
        "room": under.room,
        "is_direct_going": under.is_direct_going,
        "aeds_taken": sorted(str(aed) for aed in under.aeds_taken),
        "live": under.live,
        "pending": under.pending,
        "going": [
            {
                "role": going.role.value,
                "arrives_s": going.arrives_s,
                "accept": going.accept,
                "works": going.works,
                "aed_id": None if going.aed_id is None else str(going.aed_id),
            }
            for going in under.going
        ],
        "circle_m": under.circle_m,
    }


def _under(item: Mapping[str, Any]) -> matching.Under:
    return matching.Under(
        item["room"],
        item["is_direct_going"],
        frozenset(UUID(aed) for aed in item["aeds_taken"]),
        item["live"],
        item["pending"],
        tuple(
            matching.Going(
                states.Role(going["role"]), going["arrives_s"], going["accept"], going["works"],
                None if going["aed_id"] is None else UUID(going["aed_id"]),
            )
            for going in item["going"]
        ),
        item.get("circle_m"),
    )  # fmt: skip
