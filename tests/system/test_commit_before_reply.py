"""No reply says that something is done before it is stored: shown on a real process.

The commit is made slow, and then made to fail, by deferred triggers: they run inside COMMIT.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pytest
from callers import call, key
from live_processes import App, add_operator, add_org, app

from dispatch import db

pytestmark = pytest.mark.system

SLOW_S = 0.4
INCIDENTS = "/api/v1/incidents"

_TRIGGER = f"""
create function at_commit() returns trigger language plpgsql as $$
begin
    perform pg_sleep({SLOW_S});
    if new.note = 'fail' then raise exception 'refused at commit'; end if;
    return null;
end $$;
create constraint trigger at_commit after insert on incident
    deferrable initially deferred for each row execute function at_commit();
"""


@dataclass(frozen=True, slots=True)
class Place:
    """One app process whose commits are slow, and a client of it."""

    database: str
    running: App
    client: httpx.AsyncClient

    def count(self) -> int:
        """Count the incidents that are stored."""
        with psycopg.connect(self.database) as conn:
            row = conn.execute("select count(*) from incident").fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture(scope="module")
async def place(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """Start the process once; the last test kills it."""
    async with AsyncExitStack() as stack:
        database = stack.enter_context(servers.clone())
        engine = db.make_engine(database)
        token = await add_operator(engine, await add_org(engine, "red"))
        await engine.dispose()
        with psycopg.connect(database, autocommit=True) as conn:
            conn.execute(_TRIGGER)
        folder = tmp_path_factory.mktemp("app")
        running = await stack.enter_async_context(app(database, servers.redis_url, folder))
        headers = {"Authorization": f"Bearer {token}"}
        # A connection each: the server may close one after a failed request.
        limits = httpx.Limits(max_keepalive_connections=0)
        client = httpx.AsyncClient(base_url=running.url, headers=headers, limits=limits)
        yield Place(database, running, await stack.enter_async_context(client))


async def test_API_1_the_reply_comes_after_the_commit(place: Place) -> None:
    for made in range(1, 4):
        began = time.monotonic()
        answer = await place.client.post(INCIDENTS, json=call(), headers=key())
        assert answer.status_code == 201
        assert time.monotonic() - began >= SLOW_S
        assert place.count() == made


async def test_API_1_a_commit_that_fails_is_never_answered_as_done(place: Place) -> None:
    same, before = key(), place.count()
    failed = await place.client.post(INCIDENTS, json=call(note="fail"), headers=same)
    assert failed.status_code == 500
    assert "refused at commit" not in failed.text
    assert place.count() == before
    # Nothing is remembered of it: the key is free for the next try.
    again = await place.client.post(INCIDENTS, json=call(note="good"), headers=same)
    assert again.status_code == 201
    assert place.count() == before + 1


async def test_API_1_what_was_answered_outlives_the_process(place: Place) -> None:
    before = place.count()
    answer = await place.client.post(INCIDENTS, json=call(), headers=key())
    place.running.kill()
    assert answer.status_code == 201
    assert place.count() == before + 1
