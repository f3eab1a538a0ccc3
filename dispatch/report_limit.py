"""How many reports one client may send: anybody may say that an AED is gone, nobody in masses."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

MOST = 5
WINDOW = timedelta(minutes=1)

# One row per subject; a window that is over counts as none.
_COUNT = sa.text("""
insert into report_attempt as mine (subject_hash, tries, window_ends_at)
values (:subject, 1, :ends)
on conflict (subject_hash) do update set
    tries = case when mine.window_ends_at <= :now then 1 else mine.tries + 1 end,
    window_ends_at = case when mine.window_ends_at <= :now then :ends else mine.window_ends_at end
returning tries, window_ends_at
""")


async def count(conn: AsyncConnection, subject: str, *, now: datetime) -> int:
    """Count a report of this subject; return 0, or the seconds to wait when there are too many.

    Kept is a hash, and only until the next sweep.
    """
    hashed = hashlib.sha256(subject.encode()).digest()
    values = {"subject": hashed, "now": now, "ends": now + WINDOW}
    tries, ends_at = (await conn.execute(_COUNT, values)).one()
    return 0 if tries <= MOST else max(1, round((ends_at - now).total_seconds()))
