"""P14 and P15: a rolling restart under load, and a start in any order."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import orjson

from tests.chaos import clients
from tests.chaos.history import OK, Row
from tests.chaos.promises import calm, figures, measures
from tests.chaos.promises.stage import Options, Plan, Stage, say, staged
from tests.chaos.run import Span
from tests.chaos.system import App, Child
from web.commands import process

STUCK, GONE_S, BACK_P95_S = 50, 10.0, 3.0
RETRIES = 1
#: Where a clone of the version before lies, with the packages of this one.
FORMER = "GOLDEN_CHAOS_FORMER"
READY_S = 2.0
#: It is waited for so many times as long as for a version that was started before.
COMPILES_MOST = 3
ALONE_S = 8.0


@dataclass(frozen=True, slots=True)
class Restart:
    """One process that was asked to end and was started again."""

    name: str
    app: int | None
    at: float
    gone: float


async def p14(options: Options) -> figures.Shown:
    """P14: every process in turn, apps with 50 sockets that never read; then the version before."""
    shown = figures.Shown("P14", "deploys are invisible")
    async with staged(options) as stage:
        await asyncio.sleep(5)
        restarts: list[Restart] = []
        began = time.monotonic()
        async with stage.probed(per_s=5):
            for child in stage.system.programs:
                restarts += [await _restart(stage, child)]
        span = (began, time.monotonic())
        shown.figures = _figures(stage, restarts, span)
        if os.environ.get(FORMER):
            shown.figures += await _side_by_side(stage)
        else:
            shown.not_measured = [f"old and new side by side: set {FORMER} to a clone of the old"]
        shown.load = stage.load()
        await stage.finish()
        shown.figures += stage.sound()
    return shown


async def _restart(stage: Stage, child: Child) -> Restart:
    app = next((one for one in stage.system.apps if one.child is child), None)
    stuck = [] if app is None else await _stick(stage, app)
    say(f"SIGTERM to {child.name}")
    at = time.monotonic()
    try:
        with stage.history.window("N17", apps=[] if app is None else [app.number], what=child.name):
            child.kill(signal.SIGTERM)
            await child.gone(within_s=60)
            gone = time.monotonic()
            await stage.field.restart(child, 0)
    finally:
        for raw in stuck:
            raw.close()
    await asyncio.sleep(3)
    return Restart(child.name, None if app is None else app.number, at, gone)


async def _stick(stage: Stage, app: App) -> list[socket.socket]:
    """Open sockets to the board that nobody reads."""
    hello = {
        "type": "hello", "token": stage.world.operators[0], "app": "stuck",
        "topics": {f"org:{stage.world.org}": None},
    }  # fmt: skip
    opened = []
    for _ in range(STUCK):
        raw = await clients._open(app, receive_bytes=2304)
        await asyncio.get_running_loop().sock_sendall(raw, clients.frame(orjson.dumps(hello)))
        opened.append(raw)
    return opened


def _figures(stage: Stage, restarts: list[Restart], span: Span) -> list[figures.Figure]:
    rows = stage.history.rows
    codes, back = _left(rows, restarts)
    sent = {key: n for f in ("create", "alert", "close") for key, n in _tries(rows, f, span)}
    refused = [
        row for f in ("create", "alert") for row in measures.requests(rows, f, span)
        if row.type not in {OK, "info"}
    ]  # fmt: skip
    found = measures.within(measures.deliveries(rows), span)
    return [
        figures.seconds("processes gone after SIGTERM", [r.gone - r.at for r in restarts], GONE_S),
        figures.count("requests that needed more than one retry", sum(
            n > 1 + RETRIES for n in sent.values()), of=len(sent)),
        figures.count("requests refused", len(refused)),
        figures.count("sockets not closed with 1012", sum(c != 1012 for c in codes), of=len(codes)),
        figures.seconds("devices are back, p95", back, BACK_P95_S, 0.95),
        figures.seconds("alerts meanwhile, p99", [d.took_s for d in found], 6.0, 0.99),
    ]  # fmt: skip


def _left(rows: list[Row], restarts: list[Restart]) -> tuple[list[int | None], list[float]]:
    """Say with which code each device of the process was closed, and how soon it was back."""
    codes: list[int | None] = []
    back: list[float] = []
    for one in restarts:
        whose = measures.connected_to(rows, one.at)
        for device in (device for device, app in whose.items() if app == one.app):
            lost = measures.next_of(rows, device, "lost", one.at)
            codes.append(None if lost is None else lost.v.get("code"))
            if lost is not None:
                back += measures.back_after(rows, [device], lost.t)
    return codes, back


def _tries(rows: list[Row], f: str, span: Span) -> list[tuple[str, int]]:
    inside = [row for row in rows if span[0] <= row.t < span[1]]
    return list(measures.tries(inside, f).items())


async def _side_by_side(stage: Stage) -> list[figures.Figure]:
    """Run the version before as one of the three processes, on today's schema, for a while."""
    app, former = stage.system.apps[0], Path(os.environ[FORMER])
    forked = app.child._program
    program = process.Program(
        name="former",
        argv=(sys.executable, "-c", "from web.commands import main; main()", "serve"),
        environment={**forked.environment, "PYTHONPATH": str(former)},
    )
    say(f"app-0 is now the version in {former}")
    app.child.kill(signal.SIGTERM)
    await app.child.gone(within_s=60)
    app.child._program = program
    await _start_slowly(stage, app)
    await asyncio.sleep(3)
    began = time.monotonic()
    async with stage.probed(per_s=5):
        await asyncio.sleep(stage.options.seconds)
    span = (began, time.monotonic())
    app.child.kill(signal.SIGTERM)
    await app.child.gone(within_s=60)
    app.child._program = forked
    await stage.field.restart(app.child, 0)
    rows = stage.history.rows
    answers = [r for f in ("create", "alert") for r in measures.requests(rows, f, span)]
    by_former = [row for row in answers if row.v["app"] == app.number]
    found = measures.within(measures.deliveries(rows), span)
    return [
        figures.least("requests answered by the version before", len(by_former), 5),
        figures.count("requests without 2xx, of both", sum(r.type != OK for r in answers)),
        *calm.fast(found, ", both versions"),
    ]


async def _start_slowly(stage: Stage, app: App) -> None:
    """Start a version whose kernels may have to be compiled first."""
    await app.child.start()
    for attempt in range(COMPILES_MOST):
        try:
            await stage.system.app_ready(app, path="/readyz")
        except TimeoutError:
            if attempt == COMPILES_MOST - 1:
                raise
        else:
            return


# ---- P15


async def p15(options: Options) -> figures.Shown:
    """P15: apps and runners start while PostgreSQL and Redis are down."""
    shown = figures.Shown("P15", "starts in any order")
    async with staged(replace(options, scale=min(options.scale, 0.05)), Plan()) as stage:
        await _all_down(stage)
        say("starting apps and runners without servers")
        began = time.monotonic()
        await stage.system.begin()
        await stage.system.begun()
        alive_s = time.monotonic() - began
        await asyncio.sleep(ALONE_S)
        statuses = [await _status(app, "/readyz") for app in stage.system.apps]
        lively = [await _status(app, "/livez") for app in stage.system.apps]
        ended = sum(child.pid is None for child in stage.system.programs)
        ready = await _servers_up(stage)
        others = await _kill_one(stage)
        shown.load = stage.load()
        await stage.finish()
        shown.figures = [
            figures.seconds("/livez of all, after the start", [alive_s], 30.0),
            figures.count("/livez not 200 without servers", sum(s != 200 for s in lively)),
            figures.count("/readyz not 503 without servers", sum(s != 503 for s in statuses)),
            figures.count("processes that ended", ended, of=len(stage.system.programs)),
            figures.seconds("/readyz 200 after PostgreSQL takes connections", ready, READY_S),
            figures.count("others that ended with a killed one", others),
            *stage.sound(),
        ]
    return shown


async def _all_down(stage: Stage) -> None:
    system = stage.system
    for child in system.programs:
        child.kill()
    system.redis.kill()
    system.postgres.kill(signal.SIGINT)
    everyone = (*system.programs, system.redis, system.postgres)
    await asyncio.gather(*(child.gone(within_s=60) for child in everyone))


async def _servers_up(stage: Stage) -> list[float]:
    """Start both; say how long after PostgreSQL takes connections each app is ready."""
    system = stage.system
    await system.redis.start()
    await system.start_postgres()
    up = time.monotonic()

    async def ready(app: App) -> float:
        while await _status(app, "/readyz") != 200:
            if time.monotonic() > up + 30:
                return float("inf")
            await asyncio.sleep(0.05)
        return time.monotonic() - up

    return list(await asyncio.gather(*(ready(app) for app in system.apps)))


async def _kill_one(stage: Stage) -> int:
    """Kill one app, and count the others that end within some seconds."""
    app = stage.system.apps[0]
    with stage.history.window("N1", apps=[app.number]):
        app.child.kill()
        await asyncio.sleep(6)
        ended = sum(c.pid is None for c in stage.system.programs if c is not app.child)
        await stage.field.restart(app.child, 0)
    return ended


async def _status(app: App, path: str) -> int:
    with suppress(httpx.HTTPError):
        async with httpx.AsyncClient(timeout=5) as client:
            return (await client.get(f"http://127.0.0.1:{app.port}{path}")).status_code
    return 0
