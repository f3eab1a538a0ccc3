"""The stage on which a promise is tried: a whole system under the load L1, or a share of it."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from tests.chaos import checker, people, reads, workloads
from tests.chaos.calls import Caller
from tests.chaos.devices import Console, Habits, Phone, _Screen
from tests.chaos.field import Field
from tests.chaos.history import NET, History
from tests.chaos.promises import figures
from tests.chaos.run import Limits, Run
from tests.chaos.system import Shape, System
from web.drill import live_machine

#: L1: devices, incidents a second with ten alerts each, positions a second, consoles.
DEVICES, INCIDENTS_PER_S, POSITIONS_PER_S, CONSOLES = 1_000, 5.0, 100.0, 20
ASKED = 10
#: What was right before any fault: nothing lost, twice, misdirected, stale, or out of order.
SOUND = frozenset({f"INV-{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 17, 19)})


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    scale: float = 0.1
    seed: int = 1
    patience: float = 1.0
    #: How long the calm parts take.
    seconds: float = 20.0
    out: Path | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How the stage differs from the usual one."""

    shape: Shape = field(default_factory=Shape)
    habits: Habits = field(default_factory=Habits)
    #: Whether operators and positions begin by themselves.
    is_busy: bool = True
    drain_s: float = 60.0
    phone: type[Phone] = Phone
    #: Of the load, or None for what the scale says.
    alarms_per_s: float | None = None


class Board(Console):
    """A console that also notes which troubles the heartbeat tells of."""

    def _frame(self, frame: dict[str, Any]) -> None:
        super()._frame(frame)
        if frame["type"] == "heartbeat":
            kinds = sorted(one["kind"] for one in frame.get("troubles", ()))
            self.history.note(self.name, NET, "troubles", None, kinds=kinds)


@dataclass
class Stage:
    """All that a promise may use."""

    options: Options
    system: System
    world: people.World
    calls: Caller
    history: History
    phones: list[Phone]
    consoles: list[Board]
    operators: workloads.Operators
    plan: Plan
    lags: list[float] = field(default_factory=list)
    run: Run | None = None
    _work: list[asyncio.Task[Any]] = field(default_factory=list)
    _before: dict[str, Any] = field(default_factory=dict)

    @property
    def field(self) -> Field:
        """What the nemeses of the harness want."""
        dice = random.Random(f"{self.options.seed}/promise")
        return Field(
            self.system, self.phones, self.history, dice, 5.0, self.world, self.calls
        )  # fmt: skip

    def load(self) -> dict[str, Any]:
        """Say what the load was."""
        return {
            "scale": self.options.scale,
            "apps": len(self.system.apps),
            "runners": len(self.system.runners),
            "devices": len(self.phones),
            "consoles": len(self.consoles),
            "incidents_per_s": self.alarms_per_s if self.plan.is_busy else 0,
            "positions_per_s": POSITIONS_PER_S * self.options.scale if self.plan.is_busy else 0,
            "load_average": round(os.getloadavg()[0], 1),
            "harness_lag_p99_ms": round(1e3 * (figures.quantile(self.lags, 0.99) or 0)),
        }

    @property
    def alarms_per_s(self) -> float:
        """How many incidents are opened a second."""
        given = self.plan.alarms_per_s
        return INCIDENTS_PER_S * self.options.scale if given is None else given

    async def begin(self) -> None:
        """Let operators and phones do what they do."""
        self._before = await reads.resources(self.system)
        self._work.append(asyncio.create_task(self._look_at_the_loop()))
        if self.plan.is_busy:
            self._work.append(asyncio.create_task(self.operators.run()))
            self._work.append(asyncio.create_task(self._move()))

    async def finish(self) -> Run:
        """Let all come to its end, and read what there is."""
        say("draining")
        self.operators.finish()
        await self.operators.drain(self.plan.drain_s)
        doubts = await reads.calm(self.system, within_s=self.plan.drain_s)
        await self.all_connected(30)
        await asyncio.sleep(2.0)
        after = await reads.resources(self.system)
        screens = [*self.phones, *self.consoles]
        rows = list(self.history.rows)  # what is confirmed later stands in no read
        final = await reads.final(self.system, screens)
        for child in self.system.programs:
            child.look()
        final |= {
            "resources": {"before": self._before, "after": after},
            "doubts": doubts,
            "clients": len(screens) + 60,
            "connections_most": 10 * len(self.system.apps) + 18 * len(self.system.runners) + 4,
        }
        plain = orjson.loads(orjson.dumps(final, default=str))
        self.run = Run(rows, plain, Limits(patience=self.options.patience))
        return self.run

    def sound(self, judged: frozenset[str] = SOUND) -> list[figures.Figure]:
        """Give what the checker finds wrong; call it after `finish`."""
        if self.run is None:
            return []
        found = checker.judge(self.run, only=judged).found
        for one in found[:5]:
            say(f"{one.invariant} {one.key}: {one.text}")
        accepted = sum(v == "ok" for v in self.run.verdicts("create").values())
        return [
            figures.least("incidents accepted", accepted, 1),
            figures.count(
                "counter-examples of the checker (lost, twice, stale, gap, …)", len(found)
            ),
        ]

    async def alarm(self, cell: people.Cell, *, severity: int = 1) -> tuple[int, str]:
        """Open an incident in a cell and ask everybody there; give its number and id."""
        number = self.operators._count()
        body = self.operators._call(number, cell, severity=severity)
        incident = await self.operators._create(number, body, cell.number)
        if incident is None:
            raise RuntimeError("an incident could not be opened")
        note = {"incident": incident, "cell": cell.number, "expected": list(cell.eligible)}
        path = f"/incidents/{incident}/alert"
        await self.operators._post(0, "alert", path, {}, f"alert-{number}", note)
        return number, incident

    async def close(self, number: int, incident: str) -> None:
        """Close an incident."""
        await self.operators._close(number, incident, {"incident": incident})

    @asynccontextmanager
    async def probed(self, per_s: float = 8.0) -> AsyncIterator[None]:
        """Open incidents that alert nobody meanwhile, each with one try, over all processes."""
        sent: set[asyncio.Task[Any]] = set()

        async def send_all() -> None:
            while True:
                sent.add(asyncio.create_task(self._probe()))
                await asyncio.sleep(1 / per_s)

        sending = asyncio.create_task(send_all())
        try:
            yield
        finally:
            sending.cancel()
            await asyncio.gather(sending, *sent, return_exceptions=True)

    async def _probe(self) -> None:
        number = self.operators._count()
        nowhere = people.Cell(-1, 18.0, 44.0, ())
        await self.calls.send(
            "operator-0", "create", "POST", "/incidents",
            self.operators._call(number, nowhere, severity=3), key=f"create-{number}",
            token=self.world.operators[0], note={"cell": -1}, tries=1,
        )  # fmt: skip

    async def all_connected(self, within_s: float) -> bool:
        """Wait until every screen is connected."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            if all(s.client.is_connected for s in (*self.phones, *self.consoles)):
                return True
            await asyncio.sleep(0.05)
        return False

    async def stop(self) -> None:
        """End everything of the clients."""
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        for phone in self.phones:
            await phone.settle()
        await asyncio.gather(*(s.stop() for s in (*self.phones, *self.consoles)))
        await self.calls.close()

    async def _move(self) -> None:
        """Have phones tell where they are: at home, give or take some metres."""
        dice = random.Random(f"{self.options.seed}/move")
        while True:
            await asyncio.sleep(dice.expovariate(POSITIONS_PER_S * self.options.scale))
            phone = dice.choice(self.phones)
            await phone.client.position(
                round(phone.who.lon + dice.uniform(0, 5e-5), 6),
                round(phone.who.lat + dice.uniform(0, 5e-5), 6),
                accuracy_m=10.0, at=datetime.now(UTC),
            )  # fmt: skip

    async def _look_at_the_loop(self) -> None:
        """Note how late the harness itself is: figures cannot be better than that."""
        while True:
            due = time.monotonic() + 0.05
            await asyncio.sleep(0.05)
            self.lags.append(time.monotonic() - due)


@asynccontextmanager
async def staged(options: Options, plan: Plan | None = None) -> AsyncIterator[Stage]:
    """Set the stage, with every screen connected."""
    plan = plan or Plan()
    history = History(None if options.out is None else options.out / "history.jsonl")
    async with System(plan.shape, history, seed=options.seed) as system:
        say("starting processes, settling people")
        await system.begin()
        cells = max(6, round(DEVICES * options.scale / ASKED))
        world = await people.settle(system.dsn, cells=cells, eligible=ASKED, ineligible=0)
        await system.begun()
        stage = _with_clients(options, plan, system, world, history)
        try:
            await _connect(stage)
            await stage.begin()
            yield stage
        finally:
            await stage.stop()
            _keep_logs(options, system)
            history.close()


def _with_clients(
    options: Options, plan: Plan, system: System, world: people.World, history: History
) -> Stage:
    calls = Caller(system.apps, history, seed=options.seed)
    phones = [plan.phone(who, calls, history, plan.habits) for who in world.volunteers]
    number = max(2, round(CONSOLES * options.scale))
    boards = [
        Board(f"console-{n}", world.org, world.operators[n % 2], calls, history)
        for n in range(number)
    ]
    for number, screen in enumerate((*phones, *boards)):
        _behave(screen, number, system)
    alarms = plan.alarms_per_s
    pace = workloads.Pace(
        alarms_per_s=INCIDENTS_PER_S * options.scale if alarms is None else alarms,
        bare_per_s=0, edits=0.1, shortest_s=3.0, longest_s=7.0, run_out=0.05,
    )  # fmt: skip
    operators = workloads.Operators(world, calls, history, pace, seed=options.seed)
    return Stage(options, system, world, calls, history, phones, boards, operators, plan)


def _behave(screen: _Screen, number: int, system: System) -> None:
    """Wait between tries as the product does, and take the next process at each.

    The harness hurries, and takes any process; a balancer leaves out who refuses.
    """
    first = number % len(system.apps)
    turns = itertools.cycle([*system.apps[first:], *system.apps[:first]])

    def next_url() -> str:
        app = next(turns)
        screen.app = app.number
        return f"ws://127.0.0.1:{app.edge.port}/api/v1/live"

    screen.client.machine._back_off_s = live_machine.BACK_OFF_S
    screen.client._urls = next_url


async def _connect(stage: Stage) -> None:
    say(f"connecting {len(stage.phones)} phones and {len(stage.consoles)} consoles")
    screens = [*stage.phones, *stage.consoles]
    for begin in range(0, len(screens), 50):
        for screen in screens[begin : begin + 50]:
            screen.start()
        await asyncio.sleep(0.1)
    if not await stage.all_connected(60):
        raise RuntimeError("the phones could not connect")


def _keep_logs(options: Options, system: System) -> None:
    if options.out is not None:
        for name, text in system.logs().items():
            (options.out / f"{name}.log").write_text(text)


def say(text: str) -> None:
    """Tell whoever watches how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


__all__ = ["Board", "Options", "Plan", "Stage", "say", "staged"]
