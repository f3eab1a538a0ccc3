"""P4: an alert that nobody confirms is sent again, by whichever process is alive."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Any

from tests.chaos import devices
from tests.chaos.history import Row
from tests.chaos.promises import figures, measures
from tests.chaos.promises.stage import Options, Plan, Stage, say, staged

AGAIN_S = (3.0, 6.0, 12.0, 24.0)
AFTER_KILL_S = 5.0
QUIET = devices.Habits(accepts=0, declines=0)


class Mute(devices.Phone):
    """A phone that shows what comes and never says so."""

    def _client(self) -> devices.Client:
        client = super()._client()
        send = client._send

        def without_acks(via: Any, frame: dict[str, Any]) -> None:
            if frame["type"] != "ack":
                send(via, frame)

        client._send = without_acks  # type: ignore[method-assign]  # one instance, not the class
        return client


async def p4(options: Options) -> figures.Shown:
    """P4: phones that never confirm; then the process that holds them is killed."""
    shown = figures.Shown("P4", "sent again until confirmed, by whichever process is alive")
    async with staged(options, Plan(is_busy=False, habits=QUIET, phone=Mute)) as stage:
        cells = stage.world.cells
        say("waiting for repeats")
        began = await _ask(stage, cells[: len(cells) // 2])
        await asyncio.sleep(AGAIN_S[-1] + 2)
        repeats = _repeats(stage.history.rows, began)
        shown.figures = [
            figures.least("phones that were asked", len(repeats), 1),
            *(_again(number, limit, repeats) for number, limit in enumerate(AGAIN_S)),
        ]
        took = [t for n in range(3) for t in await _kill_owner(stage, cells[-1 - n], n)]
        shown.figures += [
            figures.seconds("after SIGKILL of its process, the next repeat", took, AFTER_KILL_S)
        ]
        shown.load = stage.load()
        await stage.finish()
        shown.figures += stage.sound()
    return shown


async def _ask(stage: Stage, cells: Iterable[Any]) -> float:
    began = time.monotonic()
    for cell in cells:
        await stage.alarm(cell)
    return began


def _repeats(rows: Sequence[Row], began: float) -> dict[str, list[float]]:
    """Say for each phone that was alerted how long after the first frame each repeat came."""
    first: dict[str, float] = {}
    found: dict[str, list[float]] = {}
    for row in rows:
        if row.t < began or row.f != "frame" or row.v.get("kind") != "alert_sent":
            continue
        if row.p not in first:
            first[row.p], found[row.p] = row.t, []
        elif row.v.get("redelivered"):
            found[row.p].append(row.t - first[row.p])
    return found


def _again(number: int, limit: float, repeats: dict[str, list[float]]) -> figures.Figure:
    took = [at[number] if len(at) > number else float("inf") for at in repeats.values()]
    return figures.seconds(f"repeat {number + 1}, the latest", took, limit)


async def _kill_owner(stage: Stage, cell: Any, number: int) -> list[float]:
    """Alert a cell, kill one process, and say when its phones heard of the alert again."""
    await _ask(stage, [cell])
    await asyncio.sleep(1)
    app = stage.system.apps[number % len(stage.system.apps)]
    rows, at = stage.history.rows, time.monotonic()
    asked = {f"phone-{person}" for person in cell.eligible}
    whose = measures.connected_to(rows, at)
    victims = {device for device in asked if whose.get(device) == app.number}
    with stage.history.window("N1", apps=[app.number]):
        app.child.kill()
        await asyncio.sleep(AFTER_KILL_S + 3)
        await stage.field.restart(app.child, 0)
    took = {device: float("inf") for device in victims}
    for row in rows:
        if row.t > at and row.p in took and row.f == "frame" and row.v.get("redelivered"):
            took[row.p] = min(took[row.p], row.t - at)
    return list(took.values())
