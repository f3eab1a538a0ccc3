"""Two hundred clients want the last hundred units at once: exactly a hundred get one.

A hundred rounds with GOLDEN_TEST_LONG=1, three without; in one of ten each app process is killed
in turn meanwhile, and the clients ask again with the same key.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from callers import call, key
from live_processes import IS_LONG, App, add_operator, add_org, app, free_port
from sqlalchemy.ext.asyncio import AsyncEngine
from waiting import until

from dispatch import db, depots, stock
from tests import factories as f

pytestmark = pytest.mark.system

CLIENTS, UNITS, TRIES = 200, 100, 10
ROUNDS = 100 if IS_LONG else 3
KILLS = 10 if IS_LONG else 1


@dataclass
class Place:
    """Two app processes on one database, which may be killed, and a client of each."""

    database: str
    redis_url: str
    folder: Path
    token: str
    org_id: UUID
    engine: AsyncEngine
    stack: AsyncExitStack
    apps: list[App] = field(default_factory=list)
    clients: list[httpx.AsyncClient] = field(default_factory=list)
    incidents: list[str] = field(default_factory=list)
    #: Whether each process can be asked.
    is_up: list[asyncio.Event] = field(default_factory=list)

    async def begin(self) -> None:
        """Start both processes, and open some incidents that want goods."""
        for _ in range(2):
            started = await self.start(free_port())
            self.apps.append(started)
            self.is_up.append(asyncio.Event())
            self.is_up[-1].set()
            client = httpx.AsyncClient(
                base_url=f"{started.url}/api/v1", timeout=30,
                headers={"Authorization": f"Bearer {self.token}"},
                limits=httpx.Limits(max_connections=CLIENTS),
            )  # fmt: skip
            self.clients.append(await self.stack.enter_async_context(client))
        for _ in range(4):
            made = await self.clients[0].post("/incidents", json=call(), headers=key())
            self.incidents.append(made.json()["id"])

    async def start(self, port: int) -> App:
        """Start a process at a port."""
        running = app(self.database, self.redis_url, self.folder, port=port)
        return await self.stack.enter_async_context(running)

    async def kill(self, which: int) -> None:
        """Kill a process, and start it again."""
        self.is_up[which].clear()
        self.apps[which].kill()
        self.apps[which] = await self.start(self.apps[which].port)
        self.is_up[which].set()

    async def fill(self, item: str, *quantities: int) -> None:
        """Put units of a new item into depots, each farther than the one before."""
        async with db.Database(self.engine, None).transaction() as conn:
            item_id = await depots.add_item(
                conn, self.org_id, code=item, name_zh="棉被", name_en="Quilt", unit_zh="床",
                unit_en="pc",
            )  # fmt: skip
            for nth, quantity in enumerate(quantities, 1):
                depot = await depots.add_depot(
                    conn, self.org_id, code=f"{item}-{nth}", name="仓",
                    position=f.north_of(f.HARBOUR, 2_000 * nth),
                )  # fmt: skip
                await stock.receive(
                    conn, depot, item_id, quantity=quantity, by=None, now=datetime.now(UTC)
                )

    async def want_one(self, item: str, number: int) -> int:
        """Ask for one unit until the answer is definite, and give its status."""
        claim = {"incident": self.incidents[number % 4], "item": item, "quantity": 1}
        same = key()
        for attempt in range(TRIES):
            which = (number + attempt) % 2
            await asyncio.wait_for(self.is_up[which].wait(), 60)
            with contextlib.suppress(httpx.TransportError):
                answer = await self.clients[which].post("/reservations", json=claim, headers=same)
                if answer.status_code != 503:
                    return answer.status_code
                await asyncio.sleep(int(answer.headers["retry-after"]))  # as it was told
        raise AssertionError(f"client {number} was never answered")

    async def want(self, item: str) -> Counter[int]:
        """Let all clients ask at once, and count what they were told."""
        asked = (self.want_one(item, number) for number in range(CLIENTS))
        return Counter(await asyncio.gather(*asked))

    def promised(self, item: str) -> int:
        """Count the units that are promised."""
        return sum(reserved for _, reserved, _ in self.stored(item))

    def stored(self, item: str) -> list[tuple[int, int, int]]:
        """Read on hand, reserved, and the sum of active claims of each lot, nearest first."""
        with psycopg.connect(self.database) as conn:
            return conn.execute(_STORED, (item,)).fetchall()


_STORED = """
select on_hand, reserved, coalesce((
    select sum(quantity) from reservation
    where reservation.lot_id = lot.id and status = 'active'), 0)::int
from lot join balance on balance.lot_id = lot.id join item on item.id = lot.item_id
join depot on depot.id = lot.depot_id
where item.code = %s order by depot.code
"""


@pytest.fixture(scope="module")
async def place(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """Start the processes once, for all tests."""
    async with AsyncExitStack() as stack:
        database = stack.enter_context(servers.clone())
        engine = db.make_engine(database)
        stack.push_async_callback(engine.dispose)
        org_id = await add_org(engine, "red")
        token = await add_operator(engine, org_id)
        folder = tmp_path_factory.mktemp("apps")
        place = Place(database, servers.redis_url, folder, token, org_id, engine, stack)
        await place.begin()
        yield place


@pytest.mark.parametrize("nth", range(ROUNDS))
async def test_STK_1_the_last_hundred_units_are_promised_a_hundred_times(
    place: Place, nth: int
) -> None:
    await place.fill(f"quilt{nth}", UNITS)
    assert await place.want(f"quilt{nth}") == {201: UNITS, 409: CLIENTS - UNITS}
    assert place.stored(f"quilt{nth}") == [(UNITS, UNITS, UNITS)]


async def test_STK_1_who_comes_too_late_gets_them_from_the_next_depot(place: Place) -> None:
    await place.fill("tent", UNITS, 70)
    assert await place.want("tent") == {201: UNITS + 70, 409: CLIENTS - UNITS - 70}
    assert place.stored("tent") == [(UNITS, UNITS, UNITS), (70, 70, 70)]


@pytest.mark.parametrize("nth", range(KILLS))
async def test_STK_1_so_it_is_while_processes_are_killed(place: Place, nth: int) -> None:
    await place.fill(f"bed{nth}", UNITS)
    wanting = asyncio.create_task(place.want(f"bed{nth}"))
    for which, promised in ((0, 20), (1, 60)):
        await until(lambda least=promised: place.promised(f"bed{nth}") >= least)
        await place.kill(which)
    assert await wanting == {201: UNITS, 409: CLIENTS - UNITS}
    assert place.stored(f"bed{nth}") == [(UNITS, UNITS, UNITS)]
