"""Somebody who reports positions to this process: what is known, and whether it can be true."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from dispatch import gates, store, whereabouts
from geo import position
from realtime import presence, protocol
from web import live_position

#: Some apps cut their times to whole seconds.
WHOLE_SECOND = timedelta(seconds=1)
#: What is told to the phone: a stable code, and words for whoever writes the client.
Complain = Callable[[str, str], None]


def say_nothing(_code: str, _detail: str) -> None:
    """Tell nobody: trackers try again for ever what is refused, and cannot mend it."""


@dataclass(slots=True, eq=False)
class Person:
    """What this process knows of somebody who reports."""

    id: UUID
    name: str
    # What came last and was not judged yet, as it came or read, and when.
    said: protocol.Position | str | None = None
    said_at: float = 0.0
    complain: Complain = say_nothing
    standing: whereabouts.Standing | None = None
    # When the standing was asked for; who was found to be no responder has none.
    asked_at: float = float("-inf")
    track: gates.Track | None = None
    clock: gates.Clock | None = None
    stored: store.Fix | None = None
    # What was shown last; where, and in which span, it is searched for.
    shown: store.Fix | None = None
    searched: position.Position | None = None
    span: int = 0
    # Forgotten by the process; whoever reports again is known anew.
    is_gone: bool = False


@dataclass(slots=True)
class Counts:
    """What became of the reports of this process; for the metrics."""

    taken: int = 0
    shown: int = 0
    stored: int = 0
    refused: int = 0
    failures: int = 0


NOT_FOUND = "not_found"
BAD_POSITION = "bad_position"
DETAILS: dict[str, str] = {
    **{refusal.value: text for refusal, text in gates.DETAILS.items()},
    BAD_POSITION: "Send degrees, longitude first; crs is wgs84, gcj02 or bd09.",
    NOT_FOUND: "There is no such thing, or it is not yours to see.",
}  # fmt: skip
#: What a newer look into the database may decide in another way.
BY_STANDING = {
    NOT_FOUND, gates.Refusal.OFF_DUTY, gates.Refusal.TOO_FAST, gates.Refusal.JUMP,
}  # fmt: skip


def read(person: Person) -> protocol.Position | None:
    """Read what somebody said last; what is no position is complained of and forgotten."""
    if not isinstance(person.said, str):
        return person.said
    try:
        person.said = protocol.position(person.said)
    except protocol.BadMessage as bad:
        person.said = None
        person.complain(bad.code, bad.detail)
        return None
    return person.said


def weigh(
    person: Person, said: protocol.Position, now: datetime
) -> tuple[store.Fix | None, str | None]:
    """Give the fix as it counts, or the code of what speaks against it, or neither."""
    try:
        fix = live_position.read(said)
    except ValueError:
        return None, BAD_POSITION
    standing = person.standing
    if standing is None:
        return None, NOT_FOUND
    if not standing.is_followed:
        return None, gates.Refusal.OFF_DUTY
    return _weigh(person, fix, standing, now)


def _weigh(
    person: Person, fix: store.Fix, standing: whereabouts.Standing, now: datetime
) -> tuple[store.Fix | None, str | None]:
    untimely = gates.timely(fix, now)
    if untimely is not None:
        person.clock = gates.watch_clock(person.clock, fix, now)
        if not person.clock.is_known:
            return None, untimely
        at = fix.at - timedelta(seconds=person.clock.ahead_s)
        fix = store.Fix(fix.position, at, fix.accuracy_m)
    else:
        person.clock = None
    track = person.track
    if fix.at > now:
        fix = store.Fix(fix.position, now, fix.accuracy_m)
    if track is not None and fix.at < track.last.at:
        if fix.at < track.last.at - WHOLE_SECOND:
            return None, None  # a newer one was believed: it came late
        fix = store.Fix(fix.position, track.last.at, fix.accuracy_m)
    return fix, gates.plausible(track, fix, drill_speed=standing.drill_speed)


def place(name: str, fix: store.Fix) -> presence.Place:
    """Give a position as Redis keeps it."""
    return presence.Place(name, fix.position.lon, fix.position.lat, fix.accuracy_m, fix.at)


def topics(people: Iterable[Person]) -> dict[str, Sequence[str]]:
    """Name the boards that show each of the people, by the name in Redis."""
    return {
        person.name: person.standing.topics
        for person in people
        if person.standing is not None and person.standing.topics
    }


def still(batch: Mapping[Person, store.Fix], span: int) -> set[str]:
    """Name those who are searched for near enough already; note the others' new places."""
    found = set()
    for person, fix in batch.items():
        here, near = fix.position, person.searched
        is_put = person.span == span
        if near is not None and is_put and position.is_near(near, here, presence.STILL_M):
            found.add(person.name)
        else:
            person.searched, person.span = here, span
    return found
