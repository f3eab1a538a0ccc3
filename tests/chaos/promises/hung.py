"""P10: a process that hangs (SIGSTOP) is left, and does nothing twice when it wakes."""

from __future__ import annotations

import asyncio
import time

from tests.chaos.history import Row
from tests.chaos.promises import figures, measures
from tests.chaos.promises.stage import Options, Stage, say, staged
from tests.chaos.system import Child

LEAVE_S, LEASE_S = 13.0, 5.0
#: Idle phones are told that the next heartbeat comes in 30 s (contract.md): two and a half of them.
IDLE_LEAVE_S = 75.0
RUNNER_HUNG_S = 8.0


async def p10(options: Options) -> figures.Shown:
    """P10: an app hangs until the last phone has left it, then runners in turn."""
    shown = figures.Shown("P10", "a hung process is survived")
    async with staged(options) as stage:
        await asyncio.sleep(5)
        soon, idle = await _hang_app(stage)
        lags: list[float] = []
        looking = asyncio.create_task(_look_at_timers(stage, lags))
        for turn in range(6):
            await _hang(stage, stage.system.runners[turn % 2], RUNNER_HUNG_S)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        shown.load = stage.load()
        await stage.finish()
        shown.figures = [
            figures.seconds("who hears a heartbeat each 5 s has left it", soon, LEAVE_S),
            figures.seconds("idle phones have left it (contract)", idle, IDLE_LEAVE_S + 1),
            figures.seconds("oldest due timer while a runner hangs", lags, LEASE_S),
            *stage.sound(),
        ]
    shown.notes = ["an idle phone's heartbeat comes every 30 s by the contract, hence 75 s"]
    return shown


async def _hang_app(stage: Stage) -> tuple[list[float], list[float]]:
    """Stop one app for long enough; say when who left it: with a short heartbeat, and idle."""
    app = stage.system.apps[0]
    rows, at = stage.history.rows, time.monotonic()
    whose = measures.connected_to(rows, at)
    victims = [device for device, number in whose.items() if number == app.number]
    short = {device for device in victims if _heartbeat_s(rows, device, at) <= 5}
    say(f"SIGSTOP of {app.child.name}: {len(victims)} devices, {len(short)} of them not idle")
    with stage.history.window("N3", apps=[app.number], what=app.child.name):
        app.child.hang()
        await asyncio.sleep(IDLE_LEAVE_S + 3)
        app.child.wake()
    await asyncio.sleep(3)
    left = {device: measures.next_of(rows, device, "lost", at) for device in victims}
    took = {device: float("inf") if row is None else row.t - at for device, row in left.items()}
    return [took[d] for d in victims if d in short], [took[d] for d in victims if d not in short]


def _heartbeat_s(rows: list[Row], device: str, at: float) -> float:
    """Say when a device expects the next heartbeat, by the last word about it."""
    for row in reversed(rows):
        if row.t <= at and row.p == device and "heartbeat_s" in row.v:
            return float(row.v["heartbeat_s"])
    return 5.0


async def _hang(stage: Stage, child: Child, seconds: float) -> None:
    say(f"SIGSTOP of {child.name}")
    with stage.history.window("N3", apps=[], what=child.name):
        child.hang()
        await asyncio.sleep(seconds)
        child.wake()
    await asyncio.sleep(2)


async def _look_at_timers(stage: Stage, lags: list[float]) -> None:
    while True:
        rows = await stage.system.sql(
            "select coalesce(extract(epoch from max(now() - due_at)), 0)::float8 as late "
            "from timer where lane = 'dispatch' and due_at < now()"
        )
        lags.append(float(rows[0]["late"]))
        await asyncio.sleep(0.3)
