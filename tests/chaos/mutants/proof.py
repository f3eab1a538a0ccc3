"""Whether a mutant took effect: the place that it breaks was there, and its code was run.

A patch that meets no code would leave the sound program, and a checker that accepts that is right.
"""

from __future__ import annotations

from typing import Any

_WORDS = "chaos: the broken part of {} was run"
_told: set[str] = set()


def put(place: Any, name: str, new: Any) -> Any:
    """Put `new` in the place of what has this name, and return that; raises LookupError."""
    if not hasattr(place, name):
        where = getattr(place, "__name__", place)
        raise LookupError(f"{where}.{name} is gone: aim the mutant at what does its work now")
    old = getattr(place, name)
    setattr(place, name, new)
    return old


def ran(mutant: str) -> None:
    """Say, once for each process, in its log, that the broken part was run to its end."""
    if mutant not in _told:
        _told.add(mutant)
        print(_WORDS.format(mutant), flush=True)


def was_run(mutant: str, log: str) -> bool:
    """Say whether the log of a process tells so."""
    return _WORDS.format(mutant) in log
