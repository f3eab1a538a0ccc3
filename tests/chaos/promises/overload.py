"""P17: five times as much as can be done: what can wait is turned away, alarms and acks are not."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from tests.chaos.history import INFO, OK
from tests.chaos.promises import calm, figures, measures
from tests.chaos.promises.stage import Options, Stage, say, staged
from tests.chaos.run import Span

TIMES, SUCCESS, P99_S, REFUSED_S, BACK_S = 5, 0.999, 2.0, 0.1, 10.0
CLIENTS, CAPACITY_S = 8, 5.0
ROOT = Path(__file__).parents[3]
TURNED_AWAY = frozenset({429, 503})


async def p17(options: Options) -> figures.Shown:
    """P17: the flood is of statistics, four in five, and positions; alarms go on beside."""
    shown = figures.Shown("P17", "overload sheds the right things")
    async with staged(options) as stage:
        await asyncio.sleep(5)
        requests = _requests(stage)
        say("how many are answered when 8 clients ask one after the other")
        most = await _flood(stage, requests, clients=CLIENTS, seconds=CAPACITY_S)
        capacity = sum(status == 200 for _, status, _ in most) / CAPACITY_S
        rate = TIMES * max(1.0, capacity)
        say(f"{capacity:.0f} a second; now {rate:.0f}")
        began = time.monotonic()
        found = await _flood(stage, requests, rate=rate, seconds=options.seconds)
        span = (began, began + options.seconds)
        await asyncio.sleep(BACK_S + options.seconds / 2)
        shown.load = stage.load() | {
            "capacity_per_s": round(capacity),
            "offered_per_s": round(rate),
        }
        await stage.finish()
        shown.figures = [
            *_urgent(stage, span),
            *_turned_away(found, requests),
            *calm.fast(_later(stage, span[1]), " 10 s after"),
            *stage.sound(),
        ]
    return shown


def _requests(stage: Stage) -> list[dict[str, Any]]:
    """Give what is asked by turns: four that make statistics, one position."""
    operator = stage.world.operators[0]
    paths = (
        "/api/v1/responders?limit=200", "/api/v1/board/figures", "/api/v1/aeds?limit=200",
        "/ogc/collections",
    )  # fmt: skip
    asked: list[dict[str, Any]] = [
        {"method": "GET", "path": path, "token": operator, "body": None} for path in paths
    ]
    who = stage.world.volunteers[-1]
    where = {"lon": who.lon, "lat": who.lat, "accuracy_m": 10, "at": _now()}
    position = {"method": "PUT", "path": "/api/v1/me/position", "token": who.token, "body": where}
    return [*asked, position]


def _now() -> str:
    return datetime.now(UTC).isoformat()


async def _flood(
    stage: Stage, requests: list[dict[str, Any]], **more: float
) -> list[tuple[int, int, float]]:
    order = {"ports": [app.port for app in stage.system.apps], "requests": requests, **more}
    asking = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.chaos.promises.flood", cwd=ROOT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await asking.communicate(orjson.dumps(order))
    return [tuple(one) for one in orjson.loads(said)]


def _urgent(stage: Stage, span: Span) -> list[figures.Figure]:
    """Hold incidents and acks against their limits while the flood lasted."""
    rows = stage.history.rows
    answers = [r for f in ("create", "alert") for r in measures.requests(rows, f, span)]
    right = sum(row.type == OK for row in answers)
    acked: dict[tuple[str, str | None, str], float] = {}
    took: list[float] = []
    for row in rows:
        if row.f == "ack":
            name = (row.p, row.key, row.v["level"])
            if row.type == INFO and span[0] <= row.t < span[1]:
                acked.setdefault(name, row.t)
            elif row.type == OK and name in acked:
                took.append(row.t - acked.pop(name))
    return [
        figures.least("POSTs with 2xx", right / max(1, len(answers)), SUCCESS, of=len(answers)),
        figures.seconds("POSTs, p99", measures.times_s(answers), P99_S, 0.99),
        figures.least(
            "acks confirmed", len(took) / max(1, len(took) + len(acked)), SUCCESS, of=len(took)
        ),
        figures.seconds("acks, p99", took, P99_S, 0.99),
    ]


def _turned_away(
    found: list[tuple[int, int, float]], requests: list[dict[str, Any]]
) -> list[figures.Figure]:
    position = len(requests) - 1
    refused = [ms / 1e3 for _, status, ms in found if status in TURNED_AWAY]
    shares = {
        name: sum(status in TURNED_AWAY for _, status, _ in some) / max(1, len(some))
        for name, some in {
            "statistics": [one for one in found if one[0] != position],
            "positions": [one for one in found if one[0] == position],
        }.items()
    }
    wrong = sum(status == 0 or (status >= 500 and status != 503) for _, status, _ in found)
    return [
        figures.least("statistics turned away, share", shares["statistics"], 0.01, of=len(found)),
        figures.Figure(
            "positions turned away, share; not before statistics",
            shares["positions"], shares["statistics"], "",
        ),
        figures.seconds("429 or 503 after, p99", refused, REFUSED_S, 0.99),
        figures.count("of the flood without any answer", wrong, of=len(found)),
    ]  # fmt: skip


def _later(stage: Stage, end: float) -> list[measures.Delivery]:
    span = (end + BACK_S, end + BACK_S + stage.options.seconds / 2)
    return measures.within(measures.deliveries(stage.history.rows), span)
