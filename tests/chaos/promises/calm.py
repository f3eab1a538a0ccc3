"""P3: how fast an alert is where nothing is wrong."""

from __future__ import annotations

import asyncio
import time

from tests.chaos.promises import figures, measures
from tests.chaos.promises.stage import Options, Stage, say, staged
from tests.chaos.run import Span

#: Of the way from the answer to the phone, quantile: seconds.
LIMITS = {0.5: 0.15, 0.95: 0.4, 0.99: 1.0, 1.0: 3.0}
POST_P99_S = 0.3


def fast(found: list[measures.Delivery], whose: str = "") -> list[figures.Figure]:
    """Hold deliveries against P3."""
    names = {0.5: "p50", 0.95: "p95", 0.99: "p99", 1.0: "max"}
    took = [one.took_s for one in found]
    return [
        figures.seconds(f"2xx to the phone{whose}, {names[q]}", took, limit, q)
        for q, limit in LIMITS.items()
    ]


def posts(stage: Stage, span: Span, limit_s: float = POST_P99_S) -> list[figures.Figure]:
    """Hold the requests that open an incident against their limit."""
    answers = measures.requests(stage.history.rows, "create", span)
    return [
        figures.seconds("POST /incidents, p99", measures.times_s(answers), limit_s, 0.99),
        figures.count("POST /incidents without answer", len(measures.unanswered(answers))),
    ]


async def p3(options: Options) -> figures.Shown:
    """P3: 2xx to frame at a connected device."""
    shown = figures.Shown("P3", "fast: from the 2xx of the alert to the frame on the phone, calm")
    async with staged(options) as stage:
        await asyncio.sleep(5)  # the first requests load what is loaded once
        began = time.monotonic()
        say("measuring")
        await asyncio.sleep(options.seconds)
        span = (began, time.monotonic())
        shown.load = stage.load()
        await stage.finish()
        found = measures.within(measures.deliveries(stage.history.rows), span)
        shown.figures = [*fast(found), *posts(stage, span), *stage.sound()]
    shown.not_measured = ["L2 (5,000 devices): bench/alert_latency.py, row 32 of acceptance.md"]
    return shown
