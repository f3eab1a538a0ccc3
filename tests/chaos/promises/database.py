"""P12 and P13: PostgreSQL stopped, hung or cut off costs seconds, and no request hangs."""

from __future__ import annotations

import asyncio
import math
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from tests.chaos import reads
from tests.chaos.history import INFO, OK, Row
from tests.chaos.promises import figures, measures
from tests.chaos.promises.stage import Options, Stage, say, staged

ANSWER_S, BANNER_S, FIRST_SUCCESS_S, QUEUED_S = 3.0, 5.0, 2.0, 3.0
USABLE_S, LOOP_S = 3.0, 0.2
#: Outages of P12, s; the hang and the black hole of P13.
OUTAGES_S = (1.0, 10.0, 45.0, 180.0)
HUNG_S = 60.0
#: No banner is due where the database is back sooner than it could be shown.
BANNER_FROM_S = 6.0
#: So long after it is back alerts count as those that it held up.
BACKLOG_S = 10.0
#: Requests that were under way when it went may still have been stored.
UNDER_WAY_S = 0.2
LONGEST_S = 8.0


@dataclass(frozen=True, slots=True)
class Outage:
    """One time without the database."""

    name: str
    down: float
    up: float


async def p12(options: Options) -> figures.Shown:
    """P12: stopped with `immediate`, for 1, 10, 45 and 180 seconds."""
    shown = figures.Shown("P12", "a restart of PostgreSQL costs seconds")
    async with staged(options) as stage:
        await asyncio.sleep(5)
        outages = [await _stop(stage, seconds) for seconds in OUTAGES_S]
        shown.load = stage.load()
        await stage.finish()
        shown.figures = [*_figures(stage, outages, FIRST_SUCCESS_S), *stage.sound()]
    return shown


async def p13(options: Options) -> figures.Shown:
    """P13: all of PostgreSQL under SIGSTOP, then every way to it swallowing what is sent."""
    shown = figures.Shown("P13", "PostgreSQL hung or swallowed by the network")
    async with staged(options) as stage:
        await asyncio.sleep(5)
        before = await reads.resources(stage.system)
        pulses: list[list[float]] = []
        async with _pulse(stage, pulses):
            outages = [await _hang(stage), await _swallow(stage)]
        shown.load = stage.load()
        run = await stage.finish()
        after = run.final["resources"]["after"]
        beats = [ms / 1e3 for one in pulses for ms in one]
        shown.figures = [
            *_figures(stage, outages, USABLE_S),
            figures.seconds("/livez beside, longest (the loop is not blocked)", beats, LOOP_S),
            figures.seconds("/livez beside, p99.9", beats, LOOP_S, 0.999),
            figures.count("connections of the database more than allowed", max(
                0, after["connections"] - max(before["connections"], run.final["connections_most"])
            )),
            figures.count("transactions left open", after["idle_in_transaction"]),
            *stage.sound(),
        ]  # fmt: skip
    return shown


async def _stop(stage: Stage, seconds: float) -> Outage:
    async def play() -> None:
        stage.system.postgres.kill(signal.SIGQUIT)
        await stage.system.postgres.gone()
        await asyncio.sleep(seconds)
        await stage.system.start_postgres()

    return await _without(stage, f"stopped for {seconds:.0f} s", play)


async def _hang(stage: Stage) -> Outage:
    async def play() -> None:
        stage.system.postgres.hang()
        await asyncio.sleep(HUNG_S)
        stage.system.postgres.wake()
        await stage.system.postgres_ready()

    return await _without(stage, "hung", play)


async def _swallow(stage: Stage) -> Outage:
    links = [proxy for proxy in stage.system._proxies if proxy.name.endswith("/postgres")]

    async def play() -> None:
        for link in links:
            link.poison(black_hole=True)
        await asyncio.sleep(HUNG_S)
        for link in links:
            link.heal()

    return await _without(stage, "black hole", play)


async def _without(stage: Stage, name: str, play: Callable[[], Awaitable[None]]) -> Outage:
    say(f"PostgreSQL {name}")
    async with stage.probed():
        await asyncio.sleep(1)
        down = time.monotonic()
        with stage.history.window("N6", postgres=True, what=name):
            await play()
        up = time.monotonic()
        await asyncio.sleep(BACKLOG_S)
    await asyncio.sleep(3)
    return Outage(name, down, up)


# ---- figures


def _figures(stage: Stage, outages: Sequence[Outage], first_s: float) -> list[figures.Figure]:
    rows = stage.history.rows
    meanwhile = [row for one in outages for row in _asked_while(rows, one)]
    refused = [row for row in meanwhile if row.v.get("status") == 503]
    told = [t for one in outages for t in _banners(stage, one)]
    waits = [_waited_s(row, one) for one in outages for row in _asked_while(rows, one)]
    under_way = [_waited_s(row, one) for one in outages for row in _under_way(rows, one)]
    return [
        figures.least("requests while it was away", len(meanwhile), 20),
        figures.count("answered 2xx meanwhile", sum(
            row.type == OK and row.t < one.up for one in outages for row in _asked_while(rows, one)
        )),
        figures.count("neither 2xx nor 503", sum(
            row.type == INFO and row.v.get("status") != 503
            for one in outages for row in _asked_while(rows, one) if row.t < one.up
        )),
        figures.count("503 without Retry-After", sum(not row.v.get("retry") for row in refused)),
        figures.seconds("answered, the slowest", waits, ANSWER_S),
        figures.seconds("answered, p99", waits, ANSWER_S, 0.99),
        figures.seconds("of those under way when it went, the slowest", under_way, ANSWER_S),
        figures.count("sockets lost", sum(
            len(measures.lost(rows, (one.down, one.up + first_s))) for one in outages)),
        figures.seconds("banner on every console", told, BANNER_S),
        *(
            figures.seconds(
                f"first 2xx after it takes connections ({one.name})",
                [_first(rows, one)], first_s,
            )
            for one in outages
        ),
        figures.seconds("alerts held up until then", _held_up(rows, outages), QUEUED_S),
    ]  # fmt: skip


def _asked_while(rows: Sequence[Row], one: Outage) -> list[Row]:
    """List how requests ended that were sent while it was away."""
    return [
        row
        for f in ("create", "alert")
        for row in measures.requests(rows, f, (one.down + UNDER_WAY_S, one.up))
    ]


def _under_way(rows: Sequence[Row], one: Outage) -> list[Row]:
    """List how requests ended that were sent before it went, and not answered by then."""
    before = (one.down - LONGEST_S, one.down + UNDER_WAY_S)
    found = [row for f in ("create", "alert") for row in measures.requests(rows, f, before)]
    return [row for row in found if row.t > one.down]


def _waited_s(row: Row, one: Outage) -> float:
    """Say how long a request had waited when it was answered, or the database was back."""
    began = row.t - float(row.v["ms"]) / 1e3
    return min(row.t, one.up) - max(began, one.down)


def _first(rows: Sequence[Row], one: Outage) -> float:
    return next(
        (max(0.0, row.t - one.up) for row in rows
         if row.f == "create" and row.type == OK and row.t > one.down + UNDER_WAY_S), math.inf,
    )  # fmt: skip


def _banners(stage: Stage, one: Outage) -> list[float]:
    """Say how long it took until each console was told that the database is away."""
    if one.up - one.down < BANNER_FROM_S:
        return []
    found = dict.fromkeys((board.name for board in stage.consoles), math.inf)
    for row in stage.history.rows:
        if row.f == "troubles" and row.t > one.down and "database" in row.v["kinds"]:
            found[row.p] = min(found[row.p], row.t - one.down)
    return list(found.values())


def _held_up(rows: Sequence[Row], outages: Sequence[Outage]) -> list[float]:
    found = measures.deliveries(rows)
    return [
        d.took_s for one in outages for d in measures.within(found, (one.up, one.up + BACKLOG_S))
    ]


@asynccontextmanager
async def _pulse(stage: Stage, found: list[list[float]]) -> AsyncIterator[None]:
    """Ask `/livez` of each process from a process beside."""
    ports = [str(app.port) for app in stage.system.apps]
    asking = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.chaos.promises.pulse", *ports,
        cwd=Path(__file__).parents[3],
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield
    finally:
        said, _ = await asking.communicate(b"")
        found += orjson.loads(said).values()
