"""How the alert path does as the database tells it: what waits too long, and who is alive.

Read by every app process with its canary, on the same connection; a few index look-ups.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import refusals
from dispatch.timers import Lane
from realtime import clocks, watch
from realtime import tables as realtime_tables
from realtime.watch import Beat, Fault, Kind

#: The role of a process that fires timers and carries messages.
RUNNER = "runner"
#: What may wait is late after this.
PLANNING_LAG_MOST_S = 60.0
#: A process that stopped saying that it is alive is named for so long, then forgotten.
REMEMBER = timedelta(minutes=10)


async def beat(
    conn: AsyncConnection, process: str, *, role: str, body: Mapping[str, object], now: datetime
) -> None:
    """Write that a process is alive."""
    beats = realtime_tables.process_beat
    values = {"role": role, "at": now, "database_at": sa.func.clock_timestamp(), "body": body}
    await conn.execute(
        pg.insert(beats)
        .values(process=process, **values)
        .on_conflict_do_update(index_elements=["process"], set_=values)
    )


async def end(conn: AsyncConnection, process: str) -> None:
    """Take away a process that stops by itself; nobody need miss it."""
    beats = realtime_tables.process_beat
    await conn.execute(sa.delete(beats).where(beats.c.process == process))


@dataclass(frozen=True, slots=True)
class Health:
    """How the alert path does at one look."""

    #: Since when the oldest due message waits, and the oldest due timer of each lane.
    unsent_since: datetime | None
    unfired_since: Mapping[Lane, datetime]
    beats: tuple[Beat, ...]

    @property
    def gateways(self) -> dict[str, tuple[int, int]]:
        """Sum what the gateways of all living runners took and refused."""
        taken, refused = Counter[str](), Counter[str]()
        for one in self.beats:
            for channel, (took, refuses) in (one.gateways or {}).items() if one.is_alive else ():
                taken[channel] += took
                refused[channel] += refuses
        return {name: (taken[name], refused[name]) for name in sorted({*taken, *refused})}


# Served by ix_delivery_due. What a runner has in hand is leased; what would come too late is given
# up by itself; channels that are off are nobody's to carry.
_UNSENT = sa.text("""
select min(greatest(due_at, leased_until)) from delivery
where status = 'queued' and due_at <= :now and expires_at > :now
  and (leased_until is null or leased_until <= :now)
  and channel in (select name from channel where is_on)
""")
# Served by ix_timer_due.
_UNFIRED = sa.text("""
select lane, (select min(due_at) from timer where timer.lane = lanes.lane and due_at <= :now)
from unnest(cast(:lanes as text[])) as lanes (lane)
""")
_BEATS = sa.text("""
select role, at, body,
       least(abs(extract(epoch from cast(:now as timestamptz) - at)),
             abs(extract(epoch from clock_timestamp() - database_at)))
from process_beat order by at
""")


async def look(conn: AsyncConnection, *, now: datetime) -> Health:
    """Read what waits and who is alive."""
    unsent = await conn.scalar(_UNSENT, {"now": now})
    lanes = await conn.execute(_UNFIRED, {"now": now, "lanes": [lane.value for lane in Lane]})
    unfired = {Lane(lane): since for lane, since in lanes if since is not None}
    beats = await conn.execute(_BEATS, {"now": now})
    return Health(unsent, unfired, tuple(_beat(*row) for row in beats))


def _beat(role: str, at: datetime, body: Mapping[str, object], ago_s: float) -> Beat:
    lanes, gateways = body.get("lanes"), body.get("gateways")
    return Beat(
        role, at, float(ago_s),
        lanes=tuple(lanes) if isinstance(lanes, list) else (),
        gateways={name: (both[0], both[1]) for name, both in gateways.items()}
        if isinstance(gateways, dict) else None,
    )  # fmt: skip


def lag_s(since: datetime | None, *, now: datetime) -> float:
    """Say for how many seconds something waits; 0 where nothing does."""
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


def judge(health: Health, *, now: datetime) -> list[Fault]:
    """Say what is broken."""
    faults = [*_dead(health.beats)]
    if lag_s(health.unsent_since, now=now) > watch.LAG_MOST_S:
        faults.append(Fault(Kind.OUTBOX, since=health.unsent_since))
    for lane, since in health.unfired_since.items():
        most_s = watch.LAG_MOST_S if lane is Lane.DISPATCH else PLANNING_LAG_MOST_S
        if lag_s(since, now=now) > most_s:
            faults.append(Fault(Kind.TIMERS, subject=lane.value, since=since))
    for channel, (taken, refused) in health.gateways.items():
        if refusals.is_refusing(taken, refused):
            faults.append(Fault(Kind.CHANNEL, subject=channel))
    return faults


def _dead(beats: Sequence[Beat], lanes: Collection[Lane] = tuple(Lane)) -> list[Fault]:
    """Find the lanes that no living runner serves."""
    runners = [one for one in beats if one.role == RUNNER]
    served = {lane for one in runners if one.is_alive for lane in one.lanes}
    gone = [lane for lane in lanes if lane.value not in served]
    if not gone:
        return []
    last = max((one.at for one in runners), default=None)
    if len(gone) == len(lanes):
        return [Fault(Kind.WORKER, since=last)]
    return [Fault(Kind.WORKER, subject=lane.value) for lane in gone]


# How far the others' time is from the database's clock; only what was written just now, by that
# clock, says anything of it as it goes today.
_AGREED = sa.text("""
select percentile_cont(0.5) within group (order by extract(epoch from at - database_at))
from process_beat
where database_at between clock_timestamp() - interval '30 seconds'
                      and clock_timestamp() + interval '1 second'
""")


_CLOCK = sa.text("select clock_timestamp()")


async def set_clock(conn: AsyncConnection, clock: clocks.Clock) -> None:
    """Set a process's clock by the database's; one that starts joins the others' time."""
    agreed_s = None if clock.is_set else await conn.scalar(_AGREED)
    asked = clock.monotonic()
    at = (await conn.execute(_CLOCK)).scalar_one()
    reading = clocks.Reading(at, asked, clock.monotonic())
    clock.learn(reading, agreed_s=None if agreed_s is None else float(agreed_s))
