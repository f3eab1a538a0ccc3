"""P18, P19: sockets that read nothing, and everybody coming back at once (`bench/storm.py`)."""

from __future__ import annotations

import asyncio
import math
import sys
import time
from pathlib import Path
from typing import Any

import orjson

from tests.chaos.promises import figures, measures
from tests.chaos.promises.stage import Options, Stage, say, staged

ROOT = Path(__file__).parents[3]
RATIO, CLOSED_S, MB_EACH = 1.2, 15.0, 1.0
CAUGHT_UP_S, ALERT_P99_S = 30.0, 3.0
NOTICED_S = 10.0
OTHERS, STORM = 2_000, 5_000
STUCK = 100


async def p18(options: Options) -> figures.Shown:
    """P18: a hundred sockets that read nothing, beside many that do."""
    shown = figures.Shown("P18", "slow consumers harm only themselves")
    sockets = round(OTHERS * options.scale)
    said = await _bench("stuck", "--sockets", str(sockets), "--stuck", str(STUCK))
    one = said["stuck"]
    shown.load = {"scale": options.scale, "others": sockets, "stuck": STUCK}
    shown.figures = [
        figures.Figure("others' p99, over calm", one.get("ratio"), RATIO, ""),
        figures.seconds(
            "each stuck one closed (4008)", _known(one, "all_closed_after_s"), CLOSED_S
        ),
        figures.least("closed with 4008", min(one.get("told_4008", [0])), STUCK),
        figures.Figure("memory of a stuck one", max(one.get("mb_each", [math.inf])), MB_EACH, "MB"),
    ]
    shown.notes = [f"bench/storm.py stuck: {orjson.dumps(one).decode()}"]
    return shown


async def p19(options: Options) -> figures.Shown:
    """P19: raw sockets by the bench; then the reference clients of the stage, all cut at once."""
    shown = figures.Shown("P19", "a reconnect storm")
    sockets = round(STORM * options.scale)
    one = (await _bench("storm", "--sockets", str(sockets)))["storm"]
    shown.figures = [
        figures.seconds(f"{sockets} caught up", _known(one, "caught_up_s"), CAUGHT_UP_S),
        figures.count("of them never", int(one.get("missing", sockets)), of=sockets),
        figures.seconds(
            "alerts to others meanwhile, p99",
            [ms / 1e3 for ms in _known(one, "alert_p99_ms")], ALERT_P99_S,
        ),
        figures.count("of them lost", int(one.get("alerts_lost", 1)), of=int(one.get("alerts", 0))),
    ]  # fmt: skip
    async with staged(options) as stage:
        await asyncio.sleep(3)
        shown.figures += await _cut_all(stage)
        shown.load = stage.load()
        await stage.finish()
        shown.figures += stage.sound()
    shown.notes = [f"bench/storm.py storm: {orjson.dumps(one).decode()}"]
    return shown


async def _cut_all(stage: Stage) -> list[figures.Figure]:
    """Reset every socket at the same moment, three times."""
    most, took, early = [0], list[float](), 0
    names = [screen.name for screen in (*stage.phones, *stage.consoles)]
    looking = asyncio.create_task(_look_at_sessions(stage, most))
    for _ in range(3):
        say("every socket is reset")
        at = time.monotonic()
        with stage.history.window("N13", all=True):
            for app in stage.system.apps:
                app.edge.reset_peers()
            await _all_noticed(stage, names, at)
            await stage.all_connected(CAUGHT_UP_S)
        back = list(measures.back_after(stage.history.rows, names, at))
        took += back
        early += sum(t < 0.5 for t in back)
        await asyncio.sleep(4)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    allowed = 10 * len(stage.system.apps) + 18 * len(stage.system.runners)
    return [
        figures.seconds("reference clients are back, the last", took, CAUGHT_UP_S),
        figures.count("of them sooner than the back-off allows", early, of=len(took)),
        figures.count("connections of PostgreSQL, most", most[0], allowed),
    ]


async def _all_noticed(stage: Stage, names: list[str], at: float) -> None:
    """Wait until each has noticed that it was cut."""
    while time.monotonic() < at + NOTICED_S:
        gone = {row.p for row in stage.history.rows if row.f == "lost" and row.t >= at}
        if gone.issuperset(names):
            return
        await asyncio.sleep(0.05)


async def _look_at_sessions(stage: Stage, most: list[int]) -> None:
    while True:
        rows = await stage.system.sql(
            "select count(*) as n from pg_stat_activity "
            "where backend_type = 'client backend' and pid <> pg_backend_pid()"
        )
        most[0] = max(most[0], int(rows[0]["n"]))
        await asyncio.sleep(0.1)


async def _bench(what: str, *words: str) -> dict[str, dict[str, Any]]:
    """Run the bench; give its lines by their `way`."""
    say(f"bench/storm.py {what} {' '.join(words)}")
    running = await asyncio.create_subprocess_exec(
        sys.executable, "bench/storm.py", what, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await running.communicate()
    lines = [orjson.loads(line) for line in output.splitlines() if line.startswith(b"{")]
    return {what: {}} | {line["way"]: line for line in lines if "way" in line}


def _known(said: dict[str, Any], name: str) -> list[float]:
    found = said.get(name)
    several = found if isinstance(found, list) else [found]
    return [float(one) for one in several if one is not None]
