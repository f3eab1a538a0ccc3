"""How people have answered before: how likely a yes is, and how often they were asked of late."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, matching

#: Older answers say nothing about today.
LOOK_BACK = timedelta(days=365)
#: The alert budget counts this long back.
BUDGET_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class History:
    """Alerts that somebody answered or let pass, the accepted among them, and those of a day."""

    settled: int = 0
    accepted: int = 0
    last_day: int = 0


# ix_alert_responder_id. Exercises and real alarms do not mix.
_HISTORIES = sa.text("""
select alert.responder_id,
       count(*) filter (where answered_at is not null or alert.status = 'timed_out') as settled,
       count(*) filter (where answered_at is not null and alert.status <> 'declined') as accepted,
       count(*) filter (where notified_at > :day_ago) as last_day
from alert join incident on incident.id = alert.incident_id
where alert.responder_id = any(cast(:ids as uuid[]))
  and notified_at > :since and incident.exercise = :exercise
  and incident.practice_of is null
group by alert.responder_id
""")


async def read(
    conn: AsyncConnection, ids: Collection[UUID], *, exercise: bool, now: datetime
) -> Mapping[UUID, History]:
    """Read how these people answered; whoever was never asked is left out."""
    values = {
        "ids": list(ids), "exercise": exercise, "since": now - LOOK_BACK,
        "day_ago": now - BUDGET_FOR,
    }  # fmt: skip
    [rows] = await db.together(conn, (_HISTORIES, values))
    return {
        row["responder_id"]: History(row["settled"], row["accepted"], row["last_day"])
        for row in rows
    }


def accept(policy: matching.Policy, history: History | None) -> float:
    """Return how likely a yes is: the person's own share, drawn towards the common one."""
    known = history or History()
    wanted = known.accepted + policy.accept_prior * policy.accept_weight
    return wanted / (known.settled + policy.accept_weight)


def accept_after_silence(policy: matching.Policy, accept: float, silent_s: float) -> float:
    """Return how likely a yes still is after so many seconds without an answer.

    Answers come lognormally in time; a share of people never answers.
    """
    waiting = 1.0 - _answered_by(policy, silent_s)
    silent = policy.silent_share
    rest = (1.0 - silent) * waiting + silent
    return accept * waiting / rest if rest > 0 else 0.0


def _answered_by(policy: matching.Policy, after_s: float) -> float:
    if after_s <= 0:
        return 0.0
    distance = math.log(after_s / policy.reply_median_s) / policy.reply_sigma
    return 0.5 * (1.0 + math.erf(distance / math.sqrt(2.0)))
