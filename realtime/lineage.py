"""Which past the live log goes on from: another one, and so a new epoch, after each promotion.

PostgreSQL counts the promotions of a cluster (its timeline). A replica that took over may lack what
the old server had told: with an asynchronous one the last commits, with a synchronous one what was
written but never confirmed. So numbers of before and after must not be compared. A session that may
write belongs to one timeline for as long as it lives; every session of ours settles this first of
all, so that no event is ever written under the epoch of another timeline.

The number stands in the row of `log.BIRTH`, whose seq is no event's; 0: not known yet.
"""

from __future__ import annotations

from realtime.log import BIRTH, fresh_epoch

#: The timeline of a server that takes writes; null of one that only follows.
TIMELINE = """
    SELECT CASE WHEN pg_is_in_recovery() THEN NULL ELSE
               ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint
           END
"""

# In the driver's own words, as it runs while a connection is being made. Mostly it finds one row
# and writes nothing.
SETTLE = """
    WITH server AS (
        SELECT CASE WHEN pg_is_in_recovery() THEN NULL ELSE
                   ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint
               END AS timeline
    ), turned AS (
        UPDATE topic_clock
        SET epoch = CASE seq WHEN 0 THEN epoch ELSE %(fresh)s END, seq = server.timeline
        FROM server WHERE topic = %(birth)s AND seq <> server.timeline
    )
    SELECT timeline FROM server
"""


def values() -> dict[str, str]:
    """Give the values of `SETTLE`."""
    return {"birth": BIRTH, "fresh": fresh_epoch()}
