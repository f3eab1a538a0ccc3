"""One thing that `golden doctor` looked at, in two languages, with the way to mend it."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a check came out; a skipped one could not be made now."""

    OK = "ok"
    BAD = "bad"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Mend:
    """What to do about it."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; a bad one says how to mend it."""

    code: str
    state: State
    en: str
    zh: str
    mend: Mend | None = None


def ok(code: str, en: str, zh: str) -> Finding:
    """Say that all is well."""
    return Finding(code, State.OK, en, zh)


def bad(code: str, en: str, zh: str, *, mend: Mend) -> Finding:
    """Say what is wrong."""
    return Finding(code, State.BAD, en, zh, mend)


def skipped(code: str, en: str, zh: str) -> Finding:
    """Say why nothing can be said."""
    return Finding(code, State.SKIPPED, en, zh)
