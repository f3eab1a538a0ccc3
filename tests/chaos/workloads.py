"""What operators do: open, alert, correct in pairs, stand down, close; one alarm in a cell."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.chaos.calls import Caller
from tests.chaos.history import NET, History
from tests.chaos.people import Cell, World


@dataclass(frozen=True, slots=True)
class Pace:
    """How much happens. A bare incident is opened and closed and alerts nobody."""

    alarms_per_s: float = 1.5
    bare_per_s: float = 2.0
    edits: float = 0.3
    shortest_s: float = 3.0
    longest_s: float = 9.0
    #: Whether bare incidents are of organisations of their own, so that no board hears of them.
    is_lone: bool = False
    #: Of all alarms, those that are left until everyone's alert has run out.
    run_out: float = 0.15
    #: How long a bare incident stays open.
    bare_life_s: float = 0.0
    #: Incidents that the operators work on at the same time; a crowd that tries again for ever
    #: would be a fault of its own.
    at_once: int = 30
    #: Letters in the note of each incident, which every board is told again and again.
    padding: int = 0


class Operators:
    """Both operators of the organisation, opening incidents at a rate."""

    def __init__(
        self, world: World, calls: Caller, history: History, pace: Pace, *, seed: int
    ) -> None:
        self.world = world
        self.opened = 0
        self._calls = calls
        self._history = history
        self._pace = pace
        self._tokens = (*world.operators, *world.lone)
        self._random = random.Random(f"{seed}/operators")
        self._free: list[Cell] = list(world.cells)
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_over = asyncio.Event()

    async def run(self) -> None:
        """Open incidents until `finish`."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._open_all(self._pace.alarms_per_s, self._alarm))
            group.create_task(self._open_all(self._pace.bare_per_s, self._bare))

    def finish(self) -> None:
        """Open no more."""
        self._is_over.set()

    async def drain(self, within_s: float) -> None:
        """Wait until all that was begun is closed, or give up; what is left is told."""
        if self._tasks:
            _, left = await asyncio.wait(self._tasks, timeout=within_s)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            self._history.note("operators", NET, "left_open", count=len(left))

    async def _open_all(self, per_s: float, one: Any) -> None:
        if per_s <= 0:
            return
        while not self._is_over.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._random.expovariate(per_s)):
                    await self._is_over.wait()
            if not self._is_over.is_set() and len(self._tasks) < self._pace.at_once:
                task = asyncio.create_task(one())
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    # ---- one incident

    async def _alarm(self) -> None:
        if not self._free:
            self._history.note("operators", NET, "no_free_cell")
            return
        cell = self._free.pop(self._random.randrange(len(self._free)))
        number = self._count()
        runs_out = self._random.random() < self._pace.run_out
        body = self._call(number, cell, severity=2 if runs_out else 1)
        life_s = (
            14.0 if runs_out else self._random.uniform(self._pace.shortest_s, self._pace.longest_s)
        )
        edits = self._random.random() < self._pace.edits
        incident = await self._create(number, body, cell.number)
        if incident is not None:
            await self._go_through(number, incident, cell, life_s, edits=edits)
        # Of an incident whose opening nobody confirmed nobody was asked: the cell is as it was.
        self._free.append(cell)

    async def _go_through(
        self, number: int, incident: str, cell: Cell, life_s: float, *, edits: bool
    ) -> None:
        note = {"incident": incident, "cell": cell.number, "expected": list(cell.eligible)}
        await self._post(0, "alert", f"/incidents/{incident}/alert", {}, f"alert-{number}", note)
        if edits:
            async with asyncio.TaskGroup() as group:
                for who in (0, 1):
                    group.create_task(self._edit(number, incident, who))
        await asyncio.sleep(life_s)
        if number % 3 == 0:
            body = {"reason": "TEST"}
            await self._post(
                1, "stand_down", f"/incidents/{incident}/stand-down", body, f"down-{number}", note
            )
        await self._close(number, incident, note)

    async def _bare(self) -> None:
        number = self._count()
        nowhere = Cell(-1, 18.0, 44.0, ())
        who = 2 + number % len(self.world.lone) if self._pace.is_lone else 0
        incident = await self._create(number, self._call(number, nowhere, severity=3), -1, who)
        if incident is not None:
            await asyncio.sleep(self._pace.bare_life_s)
            closer = who if self._pace.is_lone else 1
            await self._close(number, incident, {"incident": incident, "cell": -1}, closer)

    async def _create(
        self, number: int, body: Mapping[str, Any], cell: int, who: int = 0
    ) -> str | None:
        answer = await self._post(
            who, "create", "/incidents", body, f"create-{number}", {"cell": cell}
        )
        return None if answer is None or "id" not in answer else str(answer["id"])

    async def _close(
        self, number: int, incident: str, note: Mapping[str, Any], who: int = 1
    ) -> None:
        """Close it, however long that takes: the cell is free only then."""
        path = f"/incidents/{incident}/close"
        while True:
            body = {"disposition": "cancelled"}
            if await self._post(who, "close", path, body, f"close-{number}", note) is not None:
                return

    async def _edit(self, number: int, incident: str, who: int) -> None:
        """Correct the note as one of two who do it at the same time; begin again when too late."""
        path = f"/incidents/{incident}"
        p, token = f"operator-{who}", self.world.operators[who]
        for attempt in range(6):
            seen = await self._calls.send(
                p, "read", "GET", path, None, key=f"read-{number}-{who}-{attempt}", token=token,
                tries=3,
            )  # fmt: skip
            if seen is None or "version" not in seen:
                return
            text = f"TAINT-note-{number} by {who}, attempt {attempt}"
            changed = await self._calls.send(
                p, "edit", "PATCH", path, {"note": text}, key=f"edit-{number}-{who}-{attempt}",
                token=token, headers={"If-Match": seen["_etag"]}, tries=1,
                note={"incident": incident, "on": seen["version"]},
            )  # fmt: skip
            if changed is None or changed["_status"] != 412:
                return

    async def _post(  # noqa: PLR0917 - one request is what it is
        self,
        who: int,
        f: str,
        path: str,
        body: Mapping[str, Any],
        key: str,
        note: Mapping[str, Any],
    ) -> dict[str, Any] | None:
        times = self._random.randint(1, self._calls.repeats)
        answers = await asyncio.gather(
            *(
                self._calls.post(
                    f"operator-{who}", f, path, body, key=key, note=note,
                    token=self._tokens[who],
                )
                for _ in range(times)
            )
        )  # fmt: skip
        return next((answer for answer in answers if answer is not None), None)

    def _count(self) -> int:
        self.opened += 1
        return self.opened

    def _call(self, number: int, cell: Cell, *, severity: int) -> dict[str, Any]:
        """Describe a call whose every private part can be recognised wherever it turns up."""
        lon = round(cell.lon + 0.00001 * (20 + number % 200) + 0.000007, 6)
        return {
            "kind": "trauma",
            "severity": severity,
            "position": {"type": "Point", "coordinates": [lon, cell.lat]},
            "address": f"TAINT-address-{number}",
            "note": f"TAINT-note-{number} " + "x" * self._pace.padding,
            "caller_phone": f"+99911{number:06d}",
            "ambulance": "notified",
        }
