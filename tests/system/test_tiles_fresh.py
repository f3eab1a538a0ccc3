"""An edit is on the map of every app process within five seconds, while others write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import factories
import httpx
import live_processes
import mvt as reader
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch import db
from geo import aeds, mvt
from geo.position import Position

pytestmark = [pytest.mark.system, pytest.mark.alone]

#: The promise: an edit shows within this time.
FRESH_S = 5.0
PLACE = Position(*mvt.degrees(8529.5 / (1 << 14), 5974.5 / (1 << 14)))
NEAR, FAR = "/tiles/aeds/14/8529/5974.mvt", "/tiles/aeds/8/133/93.mvt"
_STIR = text("update aed set name = name || '' where id = any(array(select id from aed limit 20))")


@asynccontextmanager
async def write_load(engine: AsyncEngine) -> AsyncIterator[None]:
    """Change twenty devices again and again, and hold one long transaction open beside it."""
    is_over = asyncio.Event()

    async def stir() -> None:
        while not is_over.is_set():
            async with engine.begin() as conn:
                await conn.execute(_STIR)

    async with engine.connect() as slow, asyncio.TaskGroup() as tasks:
        await slow.execute(text("select pg_current_xact_id()"))
        tasks.create_task(stir())
        yield
        is_over.set()


async def shown(client: httpx.AsyncClient) -> set[str]:
    content = (await client.get(NEAR)).content
    return {shape.properties["id"] for shape in reader.read(content).get("aeds", [])}


async def counted(client: httpx.AsyncClient) -> int:
    layers = reader.read((await client.get(FAR)).content)
    return sum(shape.properties["count"] for shape in layers.get("aed_clusters", []))


Check = Callable[[httpx.AsyncClient], Awaitable[bool]]


async def everywhere(clients: list[httpx.AsyncClient], check: Check) -> None:
    """Wait until every process shows it, no longer than was promised."""

    async with asyncio.timeout(FRESH_S):
        while not all([await check(client) for client in clients]):  # noqa: ASYNC110 - over HTTP
            await asyncio.sleep(0.1)


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    """Give the tests' own way to the database of the processes."""
    engine = db.make_engine(database)
    yield engine
    await engine.dispose()


async def test_TIL_8_an_edit_shows_within_five_seconds_in_every_process(
    engine: AsyncEngine, database: str, redis_url: str, open_folder: Path
) -> None:
    store = db.Database(engine, None)
    now = datetime.now(UTC)
    async with store.transaction() as conn:
        org_id = await factories.make_org(conn, code="red")
        for number in range(100):
            place = factories.north_of(PLACE, 20_000 + number)
            await factories.make_aed(conn, org_id, position=place, now=now)
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(2):
            app = await stack.enter_async_context(
                live_processes.app(database, redis_url, open_folder)
            )
            made = httpx.AsyncClient(base_url=app.url)
            clients.append(await stack.enter_async_context(made))
        for client in clients:
            assert await shown(client) == set()
            assert await counted(client) == 100
        async with write_load(engine):
            added = await _add(store, org_id, now)
            await everywhere(clients, lambda client: _shows(client, added, is_there=True))
            async with store.transaction() as conn:
                await aeds.withdraw(conn, added, actor_id=None, now=now)
            await everywhere(clients, lambda client: _shows(client, added, is_there=False))


async def _add(store: db.Database, org_id: UUID, now: datetime) -> UUID:
    async with store.transaction() as conn:
        return (await factories.make_aed(conn, org_id, position=PLACE, now=now)).id


async def _shows(client: httpx.AsyncClient, aed_id: UUID, *, is_there: bool) -> bool:
    near, far = await shown(client), await counted(client)
    return (near == {str(aed_id)} and far == 101) if is_there else (not near and far == 100)
