"""P8 and P11: Redis gone, emptied, hung or deaf costs a second at most, and nothing is lost."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import replace

from tests.chaos import clients, nemeses
from tests.chaos.history import OK
from tests.chaos.promises import calm, figures, measures
from tests.chaos.promises.stage import Options, Stage, say, staged
from tests.chaos.run import Span
from tests.chaos.system import App

REPAIRED_S = 5.0
POST_P99_S, ALERT_P99_S, BACK_TO_NORMAL_S = 0.5, 2.0, 3.0
DEAF_S = 12.0


async def p8(options: Options) -> figures.Shown:
    """P8: the link of the hints stays up and says nothing; phones come and go."""
    shown = figures.Shown("P8", "a gap is never silent")
    async with staged(options) as stage:
        await asyncio.sleep(5)
        await clients.be_away(replace(stage.field, seconds=6.0))
        await asyncio.sleep(2)
        span, found_after = await _deafen(stage)
        shown.load = stage.load()
        await stage.finish()
        rows = stage.history.rows
        recovered, missing = await _against_the_log(stage)
        took = [d.took_s for d in measures.within(measures.deliveries(rows), span)]
        shown.figures = [
            figures.seconds("a deaf link is made anew", found_after, REPAIRED_S),
            figures.seconds("alerts while it is deaf", took, REPAIRED_S),
            figures.count("sockets lost meanwhile", len(measures.lost(rows, span))),
            figures.least("welcomes with recovered: true", recovered, 1),
            figures.count("events of the log that such a phone has not had", missing),
            *stage.sound(),
        ]
    return shown


async def _deafen(stage: Stage) -> tuple[Span, list[float]]:
    """Let no hint and no probe through; say how soon each app connects anew."""
    say("hints are dropped, links stay up")
    began = time.monotonic()
    with stage.history.window("N21", redis=True):
        before = {app.number: app.to_redis.accepted for app in stage.system.apps}
        for app in stage.system.apps:
            app.to_redis.poison(deaf_to=b"golden:")
        found = await asyncio.gather(
            *(_connects_anew(app, before[app.number]) for app in stage.system.apps)
        )
        await asyncio.sleep(max(0.0, began + DEAF_S - time.monotonic()))
        for app in stage.system.apps:
            app.to_redis.heal()
    return (began, began + DEAF_S), [at - began for at in found]


async def _connects_anew(app: App, before: int) -> float:
    until = time.monotonic() + DEAF_S
    while app.to_redis.accepted == before and time.monotonic() < until:  # noqa: ASYNC110 - a proxy's
        await asyncio.sleep(0.02)
    return time.monotonic() if app.to_redis.accepted > before else float("inf")


async def _against_the_log(stage: Stage) -> tuple[int, int]:
    """Count the resumes, and what stands in the log and never reached a phone."""
    logged: dict[str, set[int]] = defaultdict(set)
    for one in await stage.system.sql("select topic, seq from event where topic like 'person:%%'"):
        logged[one["topic"]].add(int(one["seq"]))
    heard: dict[str, set[int]] = defaultdict(set)
    whole: dict[str, int] = defaultdict(int)
    recovered = 0
    for row in stage.history.rows:
        if row.f == "frame" and row.v["type"] == "event":
            heard[row.v["topic"]].add(int(row.v["seq"]))
        elif row.f == "frame" and row.v["type"] == "snapshot":
            whole[row.v["topic"]] = max(whole[row.v["topic"]], int(row.v["seq"]))
        elif row.f == "frame" and row.v["type"] == "welcome":
            recovered += sum(at["recovered"] for at in row.v["topics"].values())
    missing = sum(
        len({seq for seq in seqs if seq > whole[topic]} - heard[topic])
        for topic, seqs in logged.items()
        if topic in heard or topic in whole
    )
    return recovered, missing


# ---- P11


async def p11(options: Options) -> figures.Shown:
    """P11: Redis killed for 3 s, emptied again and again, hung for 10 s."""
    shown = figures.Shown("P11", "Redis killed, emptied, hung: nothing lost, hardly late")
    async with staged(options) as stage:
        await asyncio.sleep(5)
        spans = []
        for name, fault in _FAULTS.items():
            spans.append(await _play(stage, name, fault))
            await asyncio.sleep(BACK_TO_NORMAL_S + options.seconds / 2)
        shown.load = stage.load()
        await stage.finish()
        shown.figures = [*_late(stage, spans), *stage.sound()]
    return shown


async def _kill(stage: Stage) -> None:
    stage.system.redis.kill()
    await stage.system.redis.gone()
    await asyncio.sleep(3)
    await stage.system.redis.start()


async def _empty(stage: Stage) -> None:
    for _ in range(8):
        await nemeses._redis_say(stage.field, ("FLUSHALL",))
        await asyncio.sleep(0.5)


async def _hang(stage: Stage) -> None:
    stage.system.redis.hang()
    await asyncio.sleep(10)
    stage.system.redis.wake()


_FAULTS: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "kill": _kill, "flush": _empty, "hang": _hang,
}  # fmt: skip


async def _play(stage: Stage, name: str, fault: Callable[[Stage], Awaitable[None]]) -> Span:
    say(f"Redis: {name}")
    began = time.monotonic()
    with stage.history.window("N5", redis=True, what=name):
        async with stage.probed(per_s=5):
            await fault(stage)
    return began, time.monotonic()


def _late(stage: Stage, spans: list[Span]) -> list[figures.Figure]:
    rows = stage.history.rows
    found = measures.deliveries(rows)
    hit = [d for begin, end in spans for d in measures.within(found, (begin, end + 3))]
    after = [
        d
        for _, end in spans
        for d in measures.within(
            found, (end + BACK_TO_NORMAL_S, end + BACK_TO_NORMAL_S + stage.options.seconds / 2)
        )
    ]
    sent = [r for f in ("create", "alert") for s in spans for r in measures.requests(rows, f, s)]
    lost = [r for b, e in spans for r in measures.lost(rows, (b, e + BACK_TO_NORMAL_S))]
    took = measures.times_s(sent)
    return [
        figures.count("POSTs without 2xx", sum(r.type != OK for r in sent), of=len(sent)),
        figures.seconds("POSTs, p99", took, POST_P99_S, 0.99),
        figures.seconds("alerts during and after, p99", [d.took_s for d in hit], ALERT_P99_S, 0.99),
        figures.count("sockets lost (sessions end, processes exit)", len(lost)),
        *calm.fast(after, " 3 s after it is back"),
    ]
