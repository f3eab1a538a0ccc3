"""The live log: append in the caller's transaction, read after a position.

Taking the next number locks the topic's clock until the caller commits, so numbers follow the order
of commits and have no gaps: whoever has seen N and finds no N+1 has missed nothing.
"""

from __future__ import annotations

import asyncio
import secrets
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from redis.asyncio import Redis
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from realtime import away, bus, deadline
from realtime.protocol import Event, Mark

__all__ = ["Event", "Item", "Mark"]

#: Redis channel of the hints: lines of "topic seq", sent after the commit. May be lost.
MOVED_CHANNEL = "golden:moved"

#: Redis has so long to take a hint; no reply waits for that.
PUBLISH_TIMEOUT_S = 0.5

#: After a failed hint no other is tried for this long. Tailers look once a second without hints.
PUBLISH_PAUSE_S = 2.0

#: Not a topic: the clock row whose epoch is that of every topic. The epoch in a topic's own row is
#: that of its last event.
BIRTH = "*"

_MOVED_KEY = "golden_moved"
_HELD_KEY = "golden_held"


@dataclass(frozen=True, slots=True)
class Item:
    """One event to append; the body is anything that orjson can write."""

    topic: str
    kind: str
    body: Mapping[str, object]


#: What became of this process's hints; read for the metrics.
hints = deadline.Breaker(PUBLISH_PAUSE_S)
#: The same for each shard of a cluster.
_shard_hints = {shard: deadline.Breaker(PUBLISH_PAUSE_S) for shard in bus.SHARDS}


async def append(
    conn: AsyncConnection, topic: str, kind: str, body: Mapping[str, object], *, at: datetime
) -> int:
    """Append one event in the caller's transaction and return its number."""
    return (await append_many(conn, [Item(topic, kind, body)], at=at))[topic]


# One statement, one round trip. The clocks are taken in the order of their topics (bytes, not
# collation), so two writers of the same topics wait for each other and never deadlock. Several
# events of one topic take consecutive numbers in the order given.
_APPEND = text("""
    WITH item AS (
        SELECT topic, kind, body,
               row_number() OVER (PARTITION BY topic ORDER BY place) AS nth,
               count(*) OVER (PARTITION BY topic) AS many
        FROM ROWS FROM (
                 jsonb_to_recordset(CAST(:items AS jsonb)) AS (topic text, kind text, body jsonb)
             ) WITH ORDINALITY AS given(topic, kind, body, place)
    ), clock AS (
        INSERT INTO topic_clock AS mine (topic, epoch, seq)
        SELECT topic,
               coalesce((SELECT epoch FROM topic_clock WHERE topic = :birth), :fresh),
               count(*)
        FROM item GROUP BY topic ORDER BY topic COLLATE "C"
        ON CONFLICT (topic) DO UPDATE SET seq = mine.seq + excluded.seq, epoch = coalesce(
            (SELECT epoch FROM topic_clock WHERE topic = :birth), mine.epoch
        )
        RETURNING topic, epoch, seq
    )
    INSERT INTO event (topic, epoch, seq, kind, at, body)
    SELECT topic, clock.epoch, clock.seq - item.many + item.nth, item.kind, :at, item.body
    FROM item JOIN clock USING (topic)
    RETURNING topic, seq
""")


async def append_many(
    conn: AsyncConnection, items: Sequence[Item], *, at: datetime
) -> dict[str, int]:
    """Append events in the caller's transaction; return the last number of each topic.

    Locks the clocks of the topics until the commit, in sorted order: call it once and last.
    """
    if not items:
        return {}
    statement, values = _appending(items, at)
    told = await conn.execute(statement, values)
    return note(conn, ((topic, seq) for topic, seq in told))


def _appending(items: Sequence[Item], at: datetime) -> tuple[TextClause, dict[str, object]]:
    return _APPEND, {
        # One text: the quotes of a text array would each be escaped.
        "items": orjson.dumps(
            [{"topic": item.topic, "kind": item.kind, "body": item.body} for item in items],
            option=orjson.OPT_UTC_Z,
        ).decode(),
        "birth": BIRTH,
        "fresh": fresh_epoch(),
        "at": at,
    }


def note(conn: AsyncConnection, told: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Remember what was appended, topics and numbers; return the last number of each topic."""
    last: dict[str, int] = {}
    for topic, seq in told:
        last[topic] = max(seq, last.get(topic, 0))
    conn.info.setdefault(_MOVED_KEY, {}).update(last)
    return last


def fresh_epoch() -> str:
    """Make a word that no epoch ever was."""
    return secrets.token_hex(8)


def hold(conn: AsyncConnection) -> None:
    """Hold what is told from now on until `release`; the start of a transaction.

    So the clocks, one of which a whole organisation shares, are locked just before the commit.
    """
    info = conn.info
    info.pop(_MOVED_KEY, None)
    info[_HELD_KEY] = []


async def tell(conn: AsyncConnection, items: Sequence[Item], *, at: datetime) -> None:
    """Append events at the end of a transaction that holds them, else now."""
    held = conn.info.get(_HELD_KEY)
    if held is None:
        await append_many(conn, items, at=at)
    else:
        held.append((at, items))


async def release(conn: AsyncConnection) -> None:
    """Append what is held; hold nothing any more."""
    for statement, values in take_held(conn):
        told = await conn.execute(statement, values)
        note(conn, ((topic, seq) for topic, seq in told))


def take_held(conn: AsyncConnection) -> list[tuple[TextClause, dict[str, object]]]:
    """Give what is held as statements that append it, one an instant; hold nothing any more.

    Each gives rows of topic and number, which `note` wants.
    """
    by_time: dict[datetime, list[Item]] = {}
    for at, items in conn.info.pop(_HELD_KEY, ()):
        by_time.setdefault(at, []).extend(items)
    return [_appending(items, at) for at, items in by_time.items() if items]


def forget_moved(conn: AsyncConnection) -> None:
    """Forget which topics moved: connections are used again."""
    conn.info.pop(_MOVED_KEY, None)


def moved(conn: AsyncConnection) -> Mapping[str, int]:
    """Return the topics that this connection's transaction moved, each with its last number."""
    found: dict[str, int] = conn.info.get(_MOVED_KEY, {})
    return dict(found)


async def publish_moved(
    redis: Redis, moved: Mapping[str, int], *, shard: str | None = None
) -> bool:
    """Tell every process, after the commit, where to look; say whether Redis took it.

    Never raises, never waits long. In a cluster it goes by a shard of its first topic's, and by
    the next where that one's node fails: all processes hear all shards. A given `shard` alone is
    tried.
    """
    if not moved:
        return False
    lines = "\n".join(f"{topic} {seq}" for topic, seq in moved.items())
    among = bus.shards(redis) if shard is None else (shard,)
    first = zlib.crc32(next(iter(moved)).encode()) % len(among)
    for one in (*among[first:], *among[:first])[:2]:
        breaker = _shard_hints.get(one, hints)
        if breaker.lets_through() and await _publish(redis, lines, one, breaker):
            return True
    return False


async def _publish(redis: Redis, lines: str, shard: str, breaker: deadline.Breaker) -> bool:
    try:
        async with asyncio.timeout(PUBLISH_TIMEOUT_S):
            await bus.publish(redis, MOVED_CHANNEL, lines, shard=shard)
    except away.REDIS_FAILS:
        for one in {breaker, hints}:
            one.note(success=False)
        return False
    for one in {breaker, hints}:
        one.note(success=True)
    return True


def read_hint(lines: str) -> dict[str, int]:
    """Read what `publish_moved` sent; lines of any other kind are left out."""
    found = (line.rpartition(" ") for line in lines.splitlines())
    return {topic: int(seq) for topic, _, seq in found if topic and seq.isdecimal()}


# Served by the primary key of topic_clock.
_POSITION_OF = text("""
    SELECT topic, epoch, seq FROM topic_clock
    WHERE topic = ANY(CAST(:topics AS text[])) OR topic = :birth
""")


async def position_of(conn: AsyncConnection, topics: Iterable[str]) -> dict[str, Mark]:
    """Return where each topic stands: its epoch and last number.

    A topic that never moved stands at 0 of the epoch that it will be born with. Read in one
    repeatable-read transaction with the state, the pair is exact.
    """
    asked = list(topics)
    rows = await conn.execute(_POSITION_OF, {"topics": asked, "birth": BIRTH})
    clocks = {topic: Mark(epoch, seq) for topic, epoch, seq in rows}
    now = clocks.get(BIRTH, Mark("", 0)).epoch
    found = {topic: clocks.get(topic, Mark(now, 0)) for topic in asked}
    return {topic: Mark(now or mark.epoch, mark.seq) for topic, mark in found.items()}


# One text goes over and only what differs comes back: a process may follow ten thousand topics.
_AWAY_FROM = text("""
    SELECT want.topic, coalesce(born.epoch, clock.epoch, ''), coalesce(clock.seq, 0)
    FROM json_each(CAST(:marks AS json)) AS past(epoch, topics)
    CROSS JOIN json_each_text(past.topics) AS want(topic, seq)
    LEFT JOIN topic_clock AS clock ON clock.topic = want.topic
    LEFT JOIN topic_clock AS born ON born.topic = :birth
    WHERE coalesce(clock.seq, 0) <> CAST(want.seq AS bigint)
       OR coalesce(born.epoch, clock.epoch, '') <> past.epoch
""")


async def away_from(conn: AsyncConnection, marks: Mapping[str, Mark]) -> dict[str, Mark]:
    """Return where those topics stand, as `position_of` does, that are not at these marks."""
    past: dict[str, dict[str, int]] = {}
    for topic, mark in marks.items():
        past.setdefault(mark.epoch, {})[topic] = mark.seq
    values = {"marks": orjson.dumps(past).decode(), "birth": BIRTH}
    return {topic: Mark(epoch, seq) for topic, epoch, seq in await conn.execute(_AWAY_FROM, values)}


# One index range of the primary key per topic.
_READ_AFTER = text("""
    SELECT found.topic, found.epoch, found.seq, found.kind, found.at, found.body
    FROM unnest(CAST(:topics AS text[]), CAST(:epochs AS text[]), CAST(:seqs AS bigint[]))
         AS want(topic, epoch, seq)
    CROSS JOIN LATERAL (
        SELECT event.topic, event.epoch, event.seq, event.kind, event.at,
               CAST(event.body AS text) AS body
        FROM event
        WHERE event.topic = want.topic AND event.epoch = want.epoch AND event.seq > want.seq
        ORDER BY event.seq
        LIMIT :most
    ) AS found
    ORDER BY found.topic, found.seq
""")


async def read_after(
    conn: AsyncConnection, topic: str, epoch: str, seq: int, *, limit: int
) -> list[Event]:
    """Return up to `limit` events of one topic and epoch that come after `seq`, in order."""
    return await read_after_many(conn, {topic: Mark(epoch, seq)}, limit=limit)


async def read_after_many(
    conn: AsyncConnection, marks: Mapping[str, Mark], *, limit: int
) -> list[Event]:
    """Return, in one query, up to `limit` events of each topic after its mark, in order."""
    values = {
        "topics": list(marks),
        "epochs": [mark.epoch for mark in marks.values()],
        "seqs": [mark.seq for mark in marks.values()],
        "most": limit,
    }
    return [Event(*row) for row in await conn.execute(_READ_AFTER, values)]


# One row, however many topics there are: what it says is every topic's epoch.
_NEW_EPOCH = text("""
    INSERT INTO topic_clock (topic, epoch, seq) VALUES (:birth, :epoch, 0)
    ON CONFLICT (topic) DO UPDATE SET epoch = excluded.epoch
""")


async def new_epoch(conn: AsyncConnection) -> str:
    """Give every topic a new epoch, so that no client resumes into another past; return it.

    Called once by the first migration, and after each restore from a backup.
    """
    epoch = fresh_epoch()
    await conn.execute(_NEW_EPOCH, {"epoch": epoch, "birth": BIRTH})
    return epoch
