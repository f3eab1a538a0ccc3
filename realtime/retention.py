"""What the live log forgets: a day's events as a whole, once the newest of them is old enough.

The table lies in a few partitions by the day on which a row was written, used in turns; which day
that is says the database's clock, and nothing depends on it. To forget is to empty a partition:
no rows to delete, nothing to clean up afterwards (docs/decisions/0012). What is left of a topic
may have lost events in the middle, where clocks disagreed at midnight: whoever replays looks
whether it has every number, and gets a snapshot otherwise.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

# Served by the index on `at` of each partition.
_NEWEST = text("""
    SELECT 0 AS slot, max(at) AS newest FROM event_0
    UNION ALL SELECT 1, max(at) FROM event_1
    UNION ALL SELECT 2, max(at) FROM event_2
    UNION ALL SELECT 3, max(at) FROM event_3
    UNION ALL SELECT 4, max(at) FROM event_4
""")
_EMPTY = (
    text("TRUNCATE event_0"),
    text("TRUNCATE event_1"),
    text("TRUNCATE event_2"),
    text("TRUNCATE event_3"),
    text("TRUNCATE event_4"),
)
# Readers of the log wait behind us meanwhile, and a backup may read for hours.
_WAIT_SHORTLY = text("SET LOCAL lock_timeout = '200ms'")


_LOCK_NOT_AVAILABLE = "55P03"


class Busy(Exception):
    """Somebody reads the log for long; the transaction is over, and it is tried again later."""


async def trim(conn: AsyncConnection, *, before: datetime) -> int:
    """Forget a day whose events are all from before that time; return how many days, 0 or 1.

    In a transaction of its own: until its end nobody reads the log. Raises Busy.
    """
    rows = (await conn.execute(_NEWEST)).all()
    old = [slot for slot, newest in rows if newest is not None and newest < before]
    if not old:
        return 0
    await conn.execute(_WAIT_SHORTLY)
    try:
        await conn.execute(_EMPTY[old[0]])
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise Busy from error
        raise
    return 1
