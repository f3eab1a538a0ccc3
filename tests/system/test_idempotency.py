"""Must show 4: fifty parallel POSTs with one key over three processes make one incident."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pytest
from callers import call, code_of, key
from live_processes import App, add_operator, add_org, app

from dispatch import db

pytestmark = pytest.mark.system

INCIDENTS = "/api/v1/incidents"


@dataclass(frozen=True, slots=True)
class Place:
    """Three app processes on one database, and a client of each."""

    database: str
    clients: list[httpx.AsyncClient]

    def count(self, table: str) -> int:
        """Count the rows of a table."""
        query = psycopg.sql.SQL("select count(*) from {}").format(psycopg.sql.Identifier(table))
        with psycopg.connect(self.database) as conn:
            row = conn.execute(query).fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture(scope="module")
async def place(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """Start the processes once, for both tests."""
    folder = tmp_path_factory.mktemp("apps")
    async with AsyncExitStack() as stack:
        database = stack.enter_context(servers.clone())
        engine = db.make_engine(database)
        token = await add_operator(engine, await add_org(engine, "red"))
        await engine.dispose()
        apps: list[App] = await asyncio.gather(
            *(stack.enter_async_context(app(database, servers.redis_url, folder)) for _ in range(3))
        )
        clients = [httpx.AsyncClient(base_url=running.url, timeout=30) for running in apps]
        for client in clients:
            client.headers["Authorization"] = f"Bearer {token}"
            await stack.enter_async_context(client)
        yield Place(database, clients)


async def test_API_2_fifty_equal_posts_over_three_processes_make_one_incident(
    place: Place,
) -> None:
    same = key()
    answers = await asyncio.gather(
        *(
            place.clients[number % 3].post(INCIDENTS, json=call(), headers=same)
            for number in range(50)
        )
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    replayed = [answer for answer in answers if "idempotent-replayed" in answer.headers]
    assert len(replayed) == 49
    assert (place.count("incident"), place.count("line")) == (1, 1)
    for client in place.clients:
        other = await client.post(INCIDENTS, json=call(note="another body"), headers=same)
        assert code_of(other) == (422, "key_reused")
    assert place.count("incident") == 1


async def test_API_2_fifty_equal_alerts_over_three_processes_send_one_wave(
    place: Place,
) -> None:
    made = await place.clients[0].post(INCIDENTS, json=call(), headers=key())
    same = key()
    address = f"{made.headers['location']}/alert"
    answers = await asyncio.gather(
        *(place.clients[number % 3].post(address, json={}, headers=same) for number in range(50))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert place.count("wave") == 1
