"""One run over eight hosts: load, the three faults, the drain, what came of it."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tests.chaos import checker, people, reads
from tests.chaos.battle import _connected
from tests.chaos.calls import Caller
from tests.chaos.devices import Console, Habits, Phone
from tests.chaos.history import OK, History
from tests.chaos.run import Limits, Run
from tests.chaos.system import App
from tests.chaos.workloads import Operators, Pace
from tests.hosts.network import Network
from tests.hosts.system import System

#: What was answered may be gone where the replica need not confirm; screens must be right even so.
JUDGED_ASYNCHRONOUS = frozenset({"INV-9", "INV-10"})
#: What is judged otherwise: all but limits of time, which the machine's other work decides.
JUDGED = frozenset({
    "INV-1", "INV-2", "INV-3", "INV-4", "INV-6", "INV-8", "INV-9", "INV-10", "INV-11", "INV-12",
    "INV-17", "INV-19",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run is made of."""

    seed: int = 1
    is_synchronous: bool = True
    #: Whether the primary hangs, with its sockets open, instead of being killed and cut off.
    hangs: bool = False
    #: Load after each fault.
    phase_s: float = 12.0
    #: Whoever watches the primary needs this long to be sure that it is gone.
    noticed_after_s: float = 3.0
    #: How long an asynchronous replica lacks what is committed meanwhile.
    behind_s: float = 3.0
    cells: int = 8
    pace: Pace = field(default_factory=lambda: Pace(alarms_per_s=1.2, bare_per_s=2.0))


class Calls(Caller):
    """The clients' way by the balancer, which sends nobody to a host that it has left."""

    def next_app(self) -> App:
        """Name the process whose turn it is."""
        app = super().next_app()
        for _ in range(2):
            if app.edge.toxics.down:
                app = super().next_app()
        return app


async def play(plan: Plan, network: Network, folder: Path) -> dict[str, Any]:
    """Run it, leaving history and logs in the folder, and return the figures."""
    history = History(folder / "history.jsonl")
    try:
        async with System(network, history, is_synchronous=plan.is_synchronous) as system:
            try:
                return await _play(plan, system, history)
            finally:
                for name, text in system.logs().items():
                    (folder / f"{name}.log").write_text(text)
    finally:
        history.close()


async def _play(plan: Plan, system: System, history: History) -> dict[str, Any]:
    _say("settling people, starting processes")
    world = await people.settle(system.dsn, cells=plan.cells, eligible=3, ineligible=1)
    await system.begin()
    calls = Calls(system.apps, history, seed=plan.seed)
    phones = [Phone(who, calls, history, Habits()) for who in world.volunteers]
    consoles = [Console("console-0", world.org, world.operators[0], calls, history)]
    operators = Operators(world, calls, history, plan.pace, seed=plan.seed)
    screens = [*phones, *consoles]
    try:
        async with _connected(screens):
            work = asyncio.create_task(operators.run())
            found = await _faults(plan, system, history, screens)
            found["cpu_s"] = system.cpu_s()
            _say("draining")
            operators.finish()
            await work
            await operators.drain(60)
            doubts = await reads.calm(system, within_s=60)  # type: ignore[arg-type]  # has its shape
            doubts += await _all_back(screens)
            final = await reads.final(system, screens)  # type: ignore[arg-type]  # has its shape
    finally:
        await calls.close()
    return {**found, **_judged(plan, history, final), "doubts": doubts}


async def _faults(
    plan: Plan, system: System, history: History, screens: Sequence[Phone | Console]
) -> dict[str, Any]:
    await asyncio.sleep(plan.phase_s)
    found = {"primary_killed": await _kill_primary(plan, system, history, screens)}
    await asyncio.sleep(plan.phase_s)
    _say("killing a node of Redis")
    with history.window("redis", redis=True):
        system.redises[0].kill()
        system.redis_hosts[0].cut()
        await asyncio.sleep(plan.phase_s)
    found["redis_node_killed"] = {"connected": _connected_now(screens)}
    _say("cutting an app host off")
    found["app_host_cut"] = await _cut_app(plan, system, history, screens)
    return found


async def _kill_primary(
    plan: Plan, system: System, history: History, screens: Sequence[Phone | Console]
) -> dict[str, Any]:
    _say("killing the primary")
    welcomes = sum(screen.client.welcomes for screen in screens)
    with history.window("primary", postgres=True):
        if not plan.is_synchronous:  # so that it surely lacks something
            system.replica.host.cut()
            await asyncio.sleep(plan.behind_s)
        before = _accepted(history)
        killed_at = time.monotonic()
        if plan.hangs:
            system.primary.child.hang()  # its machine goes on to confirm what is sent to it
        else:
            system.primary.host.cut()
            system.primary.child.kill(signal.SIGKILL)
        system.replica.host.mend()
        await asyncio.sleep(plan.noticed_after_s)
        await system.promote()
        promoted_at = time.monotonic()
        _say(f"promoted {promoted_at - killed_at:.1f} s after the kill")
        by_app = await _first_successes(system, history, promoted_at)
    await asyncio.sleep(plan.phase_s)
    answers = sorted(row.v["ms"] for row in history.rows if row.type == OK and row.f == "create"
                     and row.t < killed_at)  # fmt: skip
    resynced = _snapshots_since(history, promoted_at)
    return {
        "accepted_before": before,
        "accept_p50_ms_before": answers[len(answers) // 2] if answers else None,
        "promoted_after_s": round(promoted_at - killed_at, 2),
        "first_success_after_promotion_s": min(by_app.values(), default=None),
        "first_success_by_app_s": by_app,
        "reconnects": sum(screen.client.welcomes for screen in screens) - welcomes,
        "resynced": len(resynced),
        "resynced_after_s": max(resynced.values(), default=None),
    }


async def _first_successes(
    system: System, history: History, since: float, *, within_s: float = 40
) -> dict[str, float]:
    """Wait until each app has accepted an incident; say how long after `since`."""
    found: dict[str, float] = {}
    while len(found) < len(system.apps) and time.monotonic() < since + within_s:
        for row in history.rows:
            if row.t > since and row.type == OK and row.f == "create":
                found.setdefault(f"app-{row.v['app']}", round(row.t - since, 2))
        await asyncio.sleep(0.1)
    return found


async def _cut_app(
    plan: Plan, system: System, history: History, screens: Sequence[Phone | Console]
) -> dict[str, Any]:
    moved = [screen for screen in screens if screen.app == 2]
    cut_at = time.monotonic()
    with history.window("cut", apps=[2]):
        system.app_hosts[2].cut()
        while any(s.app == 2 or not s.client.is_connected for s in moved):
            if time.monotonic() > cut_at + 60:
                break
            await asyncio.sleep(0.1)
        took_s = time.monotonic() - cut_at
        await asyncio.sleep(plan.phase_s)
        system.app_hosts[2].mend()
    return {"phones": len(moved), "all_elsewhere_after_s": round(took_s, 1)}


def _snapshots_since(history: History, since: float) -> dict[str, float]:
    """Say when each screen was given a snapshot first: that is how it comes into a new epoch."""
    found: dict[str, float] = {}
    for row in history.rows:
        if row.t > since and row.f == "frame" and row.v["type"] == "snapshot":
            found.setdefault(row.p, round(row.t - since, 2))
    return found


def _connected_now(screens: Sequence[Phone | Console]) -> int:
    return sum(screen.client.is_connected for screen in screens)


async def _all_back(screens: Sequence[Phone | Console]) -> list[str]:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if _connected_now(screens) == len(screens):
            await asyncio.sleep(2.0)  # the last events are still on their way
            return []
        await asyncio.sleep(0.1)
    return ["some screens have not come back"]


def _accepted(history: History) -> int:
    return len({row.key for row in history.rows if row.type == OK and row.f == "create"})


def _judged(plan: Plan, history: History, final: dict[str, Any]) -> dict[str, Any]:
    plain = orjson.loads(orjson.dumps(final, default=str))
    only = JUDGED if plan.is_synchronous else JUDGED_ASYNCHRONOUS
    verdict = checker.judge(Run(history.rows, plain, Limits(patience=3)), only=only)
    there = {row["id"] for row in plain["incidents"]}
    made = {row.v["answer"]["id"] for row in history.rows if row.type == OK and row.f == "create"}
    shown = Counter(
        (row.p, row.key, row.v["revision"])
        for row in history.rows if row.type == OK and row.f == "shown"
    )  # fmt: skip
    lost = len(made - there)
    twice = sum(many > 1 for many in shown.values())
    return {
        "accepted": len(made),
        "lost": lost,
        "alerts": len(plain["alerts"]),
        "shown": len(shown),
        "shown_twice": twice,
        "found": [f"{one.invariant} {one.key}: {one.text}" for one in verdict.found[:20]],
        "bad_lines": {name: lines[:3] for name, lines in plain["bad_lines"].items()},
        "good": (lost == 0 or not plan.is_synchronous) and twice == 0 and not verdict.found,
    }


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr)
