"""P20: clocks of an app, of PostgreSQL and of the phones that jump by hours, a day, a year."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from tests.chaos.history import OK
from tests.chaos.promises import figures, measures
from tests.chaos.promises.stage import Options, Plan, Stage, say, staged
from tests.chaos.system import Shape

#: Jumps of the servers' clocks, s; those of the phones.
JUMPS_S = (7_200, -7_200, -86_400)
YEAR = timedelta(days=365)
APART_S = 2.0
#: Asked of nobody who answers: such an alert lives for 12 s (people.EXPIRES_S).
LIFE_S = 12.0
WAIT_S = LIFE_S + 6


async def p20(options: Options) -> figures.Shown:
    """P20: alerts are left to run out while one clock after the other is wrong."""
    shown = figures.Shown("P20", "wrong clocks are harmless")
    plan = Plan(shape=Shape(has_clocks=True), alarms_per_s=0.3)
    async with staged(replace(options, scale=min(options.scale, 0.1)), plan) as stage:
        if stage.system.clocks is None:
            shown.not_measured = ["libfaketime is not installed"]
            return shown
        await asyncio.sleep(5)
        lives: list[float] = []
        for who in ("app-0", "runner-0", "postgres", "phones"):
            for jump in JUMPS_S if who != "phones" else (YEAR.total_seconds(),):
                lives += await _with_wrong(stage, who, jump)
        shown.load = stage.load()
        await stage.finish()
        rows = stage.history.rows
        out = [row for row in rows if row.f == "refused" or row.v.get("code") == 4001]
        shown.figures = [
            figures.least("alerts left to run out", len(lives), 10),
            figures.seconds(
                "an alert lives longer or shorter than it should by",
                [abs(life - LIFE_S) for life in lives], APART_S,
            ),
            figures.count("sessions that ended", len(out)),
            figures.count("answers 401", sum(row.v.get("status") == 401 for row in rows)),
            figures.least("requests answered 2xx", sum(
                row.type == OK for row in rows if row.f in {"create", "alert", "close"}), 10),
            *stage.sound(),
        ]  # fmt: skip
    shown.notes = ["libfaketime, jumps of +2 h, -2 h and -1 day; phones ±1 year"]
    shown.not_measured = ["that the audit carries both clocks: tests/dispatch of the timeline"]
    return shown


async def _with_wrong(stage: Stage, who: str, jump: float) -> list[float]:
    """Put one clock wrong, let an alert run out; give how long it stood on the phones' screens."""
    say(f"the clock of {who} jumps by {jump:.0f} s")
    usual = [phone.habits for phone in stage.phones]
    with stage.history.window("N10", apps=[], what=f"{who} {jump:.0f}"):
        if who == "phones":
            for number, phone in enumerate(stage.phones):
                off = YEAR if number % 2 else -YEAR
                phone.habits = replace(phone.habits, skew=off)
        elif stage.system.clocks is not None:
            stage.system.clocks.set(who, f"{jump:+.0f}")
        await asyncio.sleep(1)
        found = await _run_out(stage)
        for phone, habits in zip(stage.phones, usual, strict=True):
            phone.habits = habits
        if stage.system.clocks is not None and who != "phones":
            stage.system.clocks.set(who, "+0")
    await asyncio.sleep(2)
    return found


async def _run_out(stage: Stage) -> list[float]:
    """Ask a cell where nobody answers; say how long the alert could be seen and answered."""
    free = stage.operators._free
    cell = free.pop()
    phones = {f"phone-{person}" for person in cell.eligible}
    for phone in stage.phones:
        if phone.name in phones:
            phone.habits = replace(phone.habits, accepts=0, declines=0)
    number, incident = await stage.alarm(cell, severity=2)
    await asyncio.sleep(WAIT_S)
    await stage.close(number, incident)
    free.append(cell)
    lives = []
    for device in phones:
        shown = next((
            row for row in stage.history.rows
            if row.p == device and row.f == "shown" and row.v["incident"] == incident
        ), None)  # fmt: skip
        if shown is not None:
            cleared = measures.next_of(stage.history.rows, device, "cleared", shown.t)
            lives.append(float("inf") if cleared is None else cleared.t - shown.t)
    return lives
