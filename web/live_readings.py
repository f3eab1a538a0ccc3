"""What sockets are brought up to date with: the events they missed, or a snapshot.

Read for many sockets at once, each with some topics, in one repeatable-read transaction: the clocks
of all, the events of all, and a snapshot of each topic for which there are no events to repeat.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import board, errors
from realtime import log, protocol
from realtime.protocol import Event, Mark
from realtime.stream import Stream
from web import dependencies


@dataclass(frozen=True, slots=True)
class Reading:
    """A topic as it was read: where it stood, and the frames that bring the client there."""

    clock: Mark
    frames: list[str]
    #: By the events that were missed; else by a snapshot.
    recovered: bool
    #: A snapshot that shows an alert or a mission.
    is_busy: bool = False


Readings = Mapping[str, Reading]
_Frames = Mapping[str, Sequence[tuple[Event, str]]]


async def read(
    conn: AsyncConnection, wanted: Sequence[Sequence[Stream]]
) -> list[Readings | Exception]:
    """Read the topics of each socket; a topic that has no snapshot fails its sockets alone."""
    streams = [stream for some in wanted for stream in some]
    if not streams:
        return [{} for _ in wanted]
    clocks = await log.position_of(conn, {stream.topic for stream in streams})
    missed = await _missed(conn, streams, clocks)
    replays = {id(stream): _replay(stream, clocks, missed) for stream in streams}
    rest = {stream.topic for stream in streams if replays[id(stream)] is None}
    shown = await _snapshots(conn, rest, clocks) if rest else {}
    found: list[Readings | Exception] = []
    for some in wanted:
        readings = {each.topic: replays[id(each)] or shown[each.topic] for each in some}
        refused = [one for one in readings.values() if isinstance(one, Exception)]
        good = {topic: one for topic, one in readings.items() if isinstance(one, Reading)}
        found.append(refused[0] if refused else good)
    return found


async def _missed(
    conn: AsyncConnection, streams: Sequence[Stream], clocks: Mapping[str, Mark]
) -> _Frames:
    """Read what follows the lowest cursor of each topic, and write each event once."""
    lowest: dict[str, Mark] = {}
    for stream in streams:
        cursor, clock = stream.cursor, clocks[stream.topic]
        if cursor is None or cursor.seq == clock.seq or not stream.may_replay(clock):
            continue
        if stream.topic not in lowest or cursor.seq < lowest[stream.topic].seq:
            lowest[stream.topic] = cursor
    if not lowest:
        return {}
    most = max(clocks[topic].seq - mark.seq for topic, mark in lowest.items())
    frames: dict[str, list[tuple[Event, str]]] = {}
    for event in await log.read_after_many(conn, lowest, limit=most):
        frames.setdefault(event.topic, []).append((event, protocol.event(event)))
    return frames


def _replay(stream: Stream, clocks: Mapping[str, Mark], missed: _Frames) -> Reading | None:
    """Bring a client to the clock by events; None if that cannot be done."""
    cursor, clock = stream.cursor, clocks[stream.topic]
    if cursor is None or not stream.may_replay(clock):
        return None
    after = [pair for pair in missed.get(stream.topic, ()) if pair[0].seq > cursor.seq]
    if not stream.is_whole([event for event, _ in after], clock):
        return None
    return Reading(clock, [frame for _, frame in after], recovered=True)


async def _snapshots(
    conn: AsyncConnection, topics: set[str], clocks: Mapping[str, Mark]
) -> dict[str, Reading | Exception]:
    bodies = await board.snapshots(conn, topics, now=dependencies.clock())
    found: dict[str, Reading | Exception] = {}
    for topic, body in bodies.items():
        if isinstance(body, errors.DispatchError):
            found[topic] = body
            continue
        clock, is_busy = clocks[topic], bool(body.get("alert") or body.get("mission"))
        frames = [protocol.snapshot(topic, clock, body)]
        found[topic] = Reading(clock, frames, recovered=False, is_busy=is_busy)
    return found
