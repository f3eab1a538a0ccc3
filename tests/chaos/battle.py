"""One run: a system, people, load, faults one after the other, the drain, and the final reads."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tests.chaos import nemeses, people, reads
from tests.chaos.calls import Caller
from tests.chaos.devices import Console, Habits, Phone
from tests.chaos.field import Field
from tests.chaos.history import History
from tests.chaos.run import Limits, Run
from tests.chaos.system import Shape, System
from tests.chaos.workloads import Operators, Pace

#: A fault that takes longer, as processes start slowly, is healed then.
STEP_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Step:
    """One fault of a schedule: which, for about how long, in which ways where it has several."""

    nemesis: str
    seconds: float = 5.0
    ways: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Battle:
    """Everything that a run is made of; the same seed chooses the same victims and points."""

    name: str
    seed: int
    steps: Sequence[Sequence[Step]]
    shape: Shape = field(default_factory=Shape)
    pace: Pace = field(default_factory=Pace)
    habits: Habits = field(default_factory=Habits)
    cells: int = 10
    eligible: int = 3
    ineligible: int = 2
    limits: Limits = field(default_factory=Limits)
    calm_s: float = 2.0
    drain_s: float = 75.0
    #: Only these are judged, where a schedule is aimed at one of them.
    only: frozenset[str] | None = None


async def fight(battle: Battle, folder: Path) -> Run:
    """Run it, leaving `history.jsonl` and `final.json` in the folder."""
    history = History(folder / "history.jsonl")
    try:
        async with System(battle.shape, history, seed=battle.seed) as system:
            try:
                final = await _fight(battle, system, history)
            finally:
                for name, text in system.logs().items():
                    (folder / f"{name}.log").write_text(text)
    finally:
        history.close()
    (folder / "final.json").write_bytes(orjson.dumps(final, default=str))
    plain: Mapping[str, Any] = orjson.loads(orjson.dumps(final, default=str))
    return Run(history.rows, plain, battle.limits)


async def _fight(battle: Battle, system: System, history: History) -> dict[str, Any]:
    say(battle, "settling people, starting processes")
    await system.begin()
    world = await people.settle(
        system.dsn, cells=battle.cells, eligible=battle.eligible, ineligible=battle.ineligible
    )
    await system.begun()
    calls = Caller(system.apps, history, seed=battle.seed)
    phones = [Phone(who, calls, history, battle.habits) for who in world.volunteers]
    consoles = _consoles(world, calls, history)
    operators = Operators(world, calls, history, battle.pace, seed=battle.seed)
    try:
        async with _connected([*phones, *consoles]):
            before = await reads.resources(system)
            work = asyncio.create_task(operators.run())
            field_ = Field(
                system, phones, history, random.Random(f"{battle.seed}/nemesis"), 5.0, world, calls
            )
            await _go_through(battle, field_, operators)
            say(battle, "draining")
            operators.finish()
            await work
            doubts = await _drain(battle, system, operators, phones)
            after = await reads.resources(system)
            final = await reads.final(system, [*phones, *consoles])
        for child in system.programs:
            child.look()
    finally:
        await calls.close()
    return final | {
        "resources": {"before": before, "after": after},
        "doubts": doubts,
        "clients": len(phones) + len(consoles) + 60,
        "connections_most": 10 * len(system.apps) + 18 * len(system.runners) + 4,
    }


def say(battle: Battle, text: str) -> None:
    """Tell whoever watches how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {battle.name} seed {battle.seed}: {text}", file=sys.stderr)


def _consoles(world: people.World, calls: Caller, history: History) -> list[Console]:
    return [
        Console("console-0", world.org, world.operators[0], calls, history),
        Console("console-1", world.org, world.operators[1], calls, history),
        Console("stranger", world.other_org, world.stranger, calls, history),
        Console("revoked", world.org, world.revoked, calls, history),
    ]


@asynccontextmanager
async def _connected(screens: Sequence[Phone | Console]) -> AsyncIterator[None]:
    for screen in screens:
        screen.start()
    try:
        async with asyncio.timeout(60):
            while not all(screen.client.is_connected for screen in screens):  # noqa: ASYNC110 - of many at once
                await asyncio.sleep(0.05)
        yield
    finally:
        for screen in screens:
            if isinstance(screen, Phone):
                await screen.settle()
        await asyncio.gather(*(screen.stop() for screen in screens))


async def _go_through(battle: Battle, field_: Field, operators: Operators) -> None:
    """Let the faults loose, those of one group at the same time, with a calm before and after."""
    await asyncio.sleep(battle.calm_s)
    for group in battle.steps:
        names = " × ".join(step.nemesis for step in group)
        say(battle, f"{names} ({operators.opened} incidents so far)")
        try:
            async with asyncio.timeout(STEP_WITHIN_S):
                await asyncio.gather(*(nemeses.let_loose(field_, step) for step in group))
        except TimeoutError:  # of a machine that does much else; what was done was done
            field_.history.note("nemesis", "net", "cut_short", names)
        finally:
            await _heal(field_)
        await asyncio.sleep(battle.calm_s)


async def _heal(field_: Field) -> None:
    system = field_.system
    system.heal()
    if system.redis.pid is None:
        await system.redis.start()
    if system.postgres.pid is None:
        await system.start_postgres()
    await system.begin()
    await system.begun()


async def _drain(
    battle: Battle, system: System, operators: Operators, phones: Sequence[Phone]
) -> list[str]:
    """Wait until all is closed and every alert has ended, and every phone is back."""
    await operators.drain(battle.drain_s / 2)
    doubts = await reads.calm(system, within_s=battle.drain_s)
    for _ in range(200):
        if all(_is_settled(phone) for phone in phones):
            break
        await asyncio.sleep(0.1)
    await asyncio.sleep(2.0)  # the last events are still on their way
    if any(not phone.client.is_connected and not phone.is_over for phone in phones):
        doubts.append("some phones have not come back")
    return doubts


def _is_settled(phone: Phone) -> bool:
    """Say whether a phone is back, and all that it said is confirmed."""
    return phone.is_over or (phone.client.is_connected and not phone.memory.unconfirmed)
