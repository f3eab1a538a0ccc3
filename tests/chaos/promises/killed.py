"""P9: SIGKILL of any process loses nothing."""

from __future__ import annotations

import asyncio
import time

from tests.chaos.history import Row
from tests.chaos.promises import calm, figures, measures
from tests.chaos.promises.stage import Options, Stage, say, staged
from tests.chaos.run import Span
from tests.chaos.system import Child

BACK_P99_S, CRASH_WINDOW_P99_S = 5.0, 6.0
#: From just before the kill until its devices must be back.
BEFORE_S, AFTER_S = 1.0, 5.0


async def p9(options: Options) -> figures.Shown:
    """P9: each app and each runner killed in turn, while alerts go on."""
    shown = figures.Shown("P9", "SIGKILL of any process loses nothing")
    async with staged(options) as stage:
        await asyncio.sleep(5)
        kills = [await _kill(stage, child) for child in (*stage.system.programs,) * 2]
        shown.load = stage.load()
        await stage.finish()
        shown.figures = [
            figures.least("kills", len(kills), 10),
            *_figures(stage.history.rows, kills),
            *stage.sound(),
        ]
    return shown


async def _kill(stage: Stage, child: Child) -> tuple[Span, int | None]:
    """Kill one process; give when, and which app it was."""
    app = next((a.number for a in stage.system.apps if a.child is child), None)
    at = time.monotonic()
    say(f"SIGKILL of {child.name}")
    with stage.history.window("N1", apps=[] if app is None else [app], what=child.name):
        child.kill()
        await asyncio.sleep(AFTER_S)
        await stage.field.restart(child, 0)
    await asyncio.sleep(2)
    return (at, at + AFTER_S), app


def _figures(rows: list[Row], kills: list[tuple[Span, int | None]]) -> list[figures.Figure]:
    back: list[float] = []
    hit: list[measures.Delivery] = []
    others: list[measures.Delivery] = []
    found = measures.deliveries(rows)
    for (at, until), app in kills:
        whose = measures.connected_to(rows, at)
        victims = {device for device, number in whose.items() if number == app}
        back += measures.back_after(rows, victims, at)
        crash = measures.within(found, (at - BEFORE_S, until))
        hit += [one for one in crash if one.device in victims]
        others += [one for one in crash if one.device in whose and one.device not in victims]
    return [
        figures.seconds("devices are connected again, p99", back, BACK_P99_S, 0.99),
        figures.seconds(
            "alerts of the crash window to its devices, p99",
            [one.took_s for one in hit], CRASH_WINDOW_P99_S, 0.99,
        ),
        *calm.fast(others, " of another process"),
    ]  # fmt: skip
