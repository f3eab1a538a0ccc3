"""PURE. The invariants: each reads a finished run and returns its counter-examples, if any."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.chaos import delivery, ledger, operation
from tests.chaos.run import Found, Run

Invariant = Callable[[Run], list[Found]]

INVARIANTS: Mapping[str, Invariant] = {
    "INV-1": ledger.durable,
    "INV-2": ledger.no_phantoms,
    "INV-3": ledger.unique,
    "INV-4": ledger.all_or_nothing,
    "INV-5": delivery.delivered,
    "INV-6": delivery.addressed,
    "INV-7": delivery.nothing_stale,
    "INV-8": ledger.terminal,
    "INV-9": delivery.stream,
    "INV-10": delivery.convergence,
    "INV-11": ledger.few_winners,
    "INV-12": ledger.legal_moves,
    "INV-13": delivery.latency,
    "INV-14": operation.honest_answers,
    "INV-15": operation.bounded,
    "INV-16": operation.no_surprises,
    "INV-17": delivery.confidential,
    "INV-19": ledger.recorded,
    "INV-20": operation.available,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checker says of a run: True, False, or None where it cannot know."""

    valid: bool | None
    found: tuple[Found, ...]
    #: Why it cannot know.
    doubts: tuple[str, ...] = ()


def judge(run: Run, *, only: frozenset[str] | None = None) -> Verdict:
    """Check every invariant. A run in which next to nothing happened proves nothing."""
    found: list[Found] = []
    for name, check in INVARIANTS.items():
        if only is None or name in only:
            found += check(run)
    if found:
        return Verdict(valid=False, found=tuple(found))
    doubts = tuple(operation.doubts(run))
    return Verdict(valid=None if doubts else True, found=(), doubts=doubts)
