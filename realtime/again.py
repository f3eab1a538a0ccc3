"""What was told last, to be told again: the newest event of a kind in each of some topics."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from realtime import log
from realtime.protocol import Event

# A few steps back along the primary key for each topic. Events of an older epoch are of another
# past, which no client may be shown any more.
_LATEST = text("""
    SELECT found.topic, found.epoch, found.seq, found.kind, found.at, found.body
    FROM topic_clock AS clock
    CROSS JOIN LATERAL (
        SELECT event.topic, event.epoch, event.seq, event.kind, event.at,
               CAST(event.body AS text) AS body
        FROM event
        WHERE event.topic = clock.topic AND event.kind = :kind
          AND event.epoch = coalesce(
              (SELECT epoch FROM topic_clock WHERE topic = :birth), clock.epoch
          )
        ORDER BY event.seq DESC
        LIMIT 1
    ) AS found
    WHERE clock.topic = ANY(CAST(:topics AS text[]))
""")


async def latest(conn: AsyncConnection, topics: Sequence[str], kind: str) -> list[Event]:
    """Return the newest event of the kind in each topic that has one in its present epoch."""
    if not topics:
        return []
    values = {"topics": list(topics), "kind": kind, "birth": log.BIRTH}
    rows = await conn.execute(_LATEST, values)
    return [Event(*row) for row in rows]
