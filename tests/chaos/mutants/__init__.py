"""The program with one thing broken, to see whether the checker notices. Never shipped."""

from __future__ import annotations

from tests.chaos.mutants.patches import MUTANTS


def apply(name: str) -> None:
    """Break the program of this process in the way of a mutant."""
    MUTANTS[name]()
