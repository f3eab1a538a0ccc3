"""P7: a phone that was away gets all that still holds and nothing that is over.

Hours are made by ageing the rows of the log by SQL, which is the same thing: nothing else asks how
old an event is. The alerts that it missed do end while it is away.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos import people
from tests.chaos.devices import Phone
from tests.chaos.history import Row
from tests.chaos.promises import figures, measures
from tests.chaos.promises.resend import QUIET
from tests.chaos.promises.stage import Options, Plan, Stage, say, staged

HOUR_S = 3600.0
#: How long it was away, s; the last is longer than the log is kept.
ABSENCES_S = (10.0, 120.0, HOUR_S, 24 * HOUR_S, 72 * HOUR_S - 300, 97 * HOUR_S)
#: At least; the log forgets whole days, so that up to a day more is still there.
KEPT_S = 72 * HOUR_S
MISSED, APPLIED_S = 1_000, 3.0
#: Of each cell: all phones live in one Python process, which has to read what they missed.
AWAY_AT_ONCE = 2
#: The phones of the policy for severity 2 are asked for 12 s.
RUNS_OUT_S = 16.0
#: So much is written after the copies: what ends the alerts, and the one that is live.
ROOM = 100

_COPY = """
with clock as (
    update topic_clock set seq = seq + %s where topic = any(%s) returning topic, epoch, seq
), last as (
    select distinct on (event.topic) event.* from event
    join clock on clock.topic = event.topic and clock.epoch = event.epoch
    order by event.topic, event.seq desc
)
insert into event (topic, epoch, seq, kind, at, body)
select last.topic, last.epoch, clock.seq - n, last.kind, now(), last.body
from last join clock using (topic, epoch), generate_series(0, %s - 1) as n
"""
_AGE = "update event set at = at - %s * interval '1 second' where topic = any(%s)"
#: As if they had been written on another day: whole days are forgotten.
_MOVE = "update event set slot = (slot + 2) %% 5 where topic = any(%s)"
_TRIM_NOW = "update timer set due_at = now() where kind = 'housekeeping'"


@dataclass(frozen=True, slots=True)
class Group:
    """The phones of one cell, which are away for the same time."""

    away_s: float
    cell: people.Cell
    phones: Sequence[Phone]

    @property
    def name(self) -> str:
        """Say how long."""
        return f"{self.away_s / HOUR_S:.2g} h" if self.away_s >= HOUR_S else f"{self.away_s:.0f} s"

    @property
    def topics(self) -> list[str]:
        """List their topics."""
        return [phone.topic for phone in self.phones]


async def p7(options: Options) -> figures.Shown:
    """P7: two phones of each of six cells, each pair away for another time."""
    shown = figures.Shown("P7", "catch-up after 10 s … 72 h, and beyond")
    async with staged(options, Plan(is_busy=False, habits=QUIET)) as stage:
        groups = [
            Group(
                away_s, cell, [p for p in stage.phones if p.who.cell == cell.number][:AWAY_AT_ONCE]
            )
            for away_s, cell in zip(ABSENCES_S, stage.world.cells, strict=False)
        ]
        await _leave_and_miss(stage, groups)
        back, live = await _come_back(stage, groups)
        await asyncio.sleep(2)
        shown.load = stage.load()
        shown.figures = [one for group in groups for one in _figures(stage, group, back, live)]
        for number, incident in live.values():
            await stage.close(number, incident)
        await stage.finish()
        shown.figures += stage.sound()
    shown.notes = [
        "hours: rows of the log aged by SQL, then the runner's own housekeeping; 10 s is real time",
        f"{MISSED - ROOM} to {MISSED} events missed by each phone",
    ]
    return shown


async def _leave_and_miss(stage: Stage, groups: Sequence[Group]) -> None:
    """Lose the network; be alerted twice, of which one is closed and one runs out; grow old."""
    for group in groups:
        for phone in group.phones:
            phone.client.go_offline()
    await asyncio.sleep(0.5)
    say("alerts that end while the phones are away")
    for group in groups:
        await stage.close(*await stage.alarm(group.cell))
    opened = [await stage.alarm(group.cell, severity=2) for group in groups]
    await asyncio.sleep(RUNS_OUT_S)
    for number, incident in opened:
        await stage.close(number, incident)
    say("events that they miss")
    for group in groups:
        await stage.system.sql(_COPY, MISSED - ROOM, group.topics, MISSED - ROOM)
        if group.away_s > 2 * RUNS_OUT_S:
            await stage.system.sql(_AGE, group.away_s, group.topics)
        if group.away_s > KEPT_S:
            await stage.system.sql(_MOVE, group.topics)
    await stage.system.sql(_TRIM_NOW)
    await asyncio.sleep(4)


async def _come_back(
    stage: Stage, groups: Sequence[Group]
) -> tuple[dict[str, float], dict[str, tuple[int, str]]]:
    """Alert each cell, then let its phones back; give when, and the incidents."""
    live, back = {}, {}
    for group in groups:
        live[group.name] = await stage.alarm(group.cell)
        say(f"back after {group.name}")
        back[group.name] = time.monotonic()
        for phone in group.phones:
            phone.client.go_online()
        await _connected(group)
        await asyncio.sleep(3)
    return back, live


async def _connected(group: Group) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if all(phone.client.is_connected for phone in group.phones):
            return
        await asyncio.sleep(0.02)


def _figures(
    stage: Stage, group: Group, backs: dict[str, float], live: dict[str, tuple[int, str]]
) -> list[figures.Figure]:
    back = backs[group.name]
    rows = [row for row in stage.history.rows if row.t >= back]
    names = {phone.name for phone in group.phones}
    seen = [row for row in rows if row.f == "shown" and row.p in names]
    right = {row.p for row in seen if row.v["incident"] == live[group.name][1]}
    welcomes = {name: measures.next_of(rows, name, "frame", back) for name in names}
    resumed = [
        one.v["topics"][f"person:{name.removeprefix('phone-')}"]["recovered"]
        for name, one in welcomes.items()
        if one is not None and one.v["type"] == "welcome"
    ]
    is_kept = group.away_s < KEPT_S
    took = [_caught_up_s(rows, name, welcome) for name, welcome in welcomes.items()]
    return [
        figures.least(f"{group.name}: live alert shown", len(right), len(names)),
        figures.count(f"{group.name}: anything else shown", len(seen) - len(right)),
        figures.least(
            f"{group.name}: recovered is {str(is_kept).lower()}",
            sum(said is is_kept for said in resumed), len(names),
        ),
        figures.seconds(f"{group.name}: caught up after the welcome", took, APPLIED_S),
    ]  # fmt: skip


def _caught_up_s(rows: Sequence[Row], device: str, welcome: Row | None) -> float:
    """Say how long after its welcome a phone stood where the welcome said."""
    if welcome is None or welcome.v["type"] != "welcome":
        return math.inf
    topic, at = next(iter(welcome.v["topics"].items()))
    for row in rows:
        is_of_topic = row.p == device and row.f == "frame" and row.v.get("topic") == topic
        if is_of_topic and int(row.v.get("seq", 0)) >= int(at["seq"]):
            return row.t - welcome.t
    return math.inf
