"""One private PostgreSQL and Redis per test process, the schema built once by the migrations.

`conn` rolls back, `database` is a clone of the template, `redis` is flushed before each test.
"""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import psycopg
import pytest
import redis.asyncio
import sqlalchemy
from hypothesis import settings as hypothesis_settings
from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dispatch import db
from tests.quick_folder import quick_folder
from web.commands import cluster, process, schema

# Tests never judge by the clock; a first call may compile for seconds.
hypothesis_settings.register_profile("house", deadline=None)
hypothesis_settings.load_profile("house")

_TEMPLATE = "template_golden"
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers of one test process."""

    postgres: cluster.Postgres
    redis_url: str

    def run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.postgres.url("postgres"), autocommit=True) as conn:
            conn.execute(statement)

    @contextmanager
    def clone(self) -> Iterator[str]:
        """Give the address of a fresh copy of the template; drop the copy afterwards."""
        name = f"test_{next(_numbers)}"
        database = sql.Identifier(name)
        copy = "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy"
        self.run(sql.SQL(copy).format(database, sql.Identifier(_TEMPLATE)))
        try:
            yield self.postgres.url(name)
        finally:
            self.run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(database))


#: Which tests are left out while their variable is unset.
LEFT_OUT = {"real_data": "GOLDEN_TEST_DATA", "long": "GOLDEN_TEST_LONG"}


def pytest_configure(config: pytest.Config) -> None:
    """Say once which tests are left out."""
    for marker, variable in LEFT_OUT.items():
        if not os.environ.get(variable) and not hasattr(config, "workerinput"):
            print(f"{variable} is not set: tests marked {marker} are left out.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests whose data or time nobody gave; keep those of a file together.

    With several test processes each file is run by one, so that what it shares is made once. All
    tests of the whole system share one system, which takes longest: they come first.
    """
    unset = [marker for marker, variable in LEFT_OUT.items() if not os.environ.get(variable)]
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in unset)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
    items.sort(key=lambda item: not _wants_whole(item))
    for item in items:
        group = "whole" if _wants_whole(item) else item.path.name
        item.add_marker(pytest.mark.xdist_group(group))


def _wants_whole(item: pytest.Item) -> bool:
    return "whole" in getattr(item, "fixturenames", ())


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Start PostgreSQL and Redis in a temporary folder and stop them at the end."""
    owner = process.server_owner()
    with ExitStack() as stop:
        place = tempfile.TemporaryDirectory(prefix="golden-test-", dir=quick_folder())
        home = Path(stop.enter_context(place))
        home.chmod(0o711)
        postgres = cluster.Postgres(home / "pg", home / "run", owner, cluster.FORGETFUL)
        bus = cluster.Redis(home / "run", owner)
        postgres.initialise()
        log = stop.enter_context((home / "servers.log").open("wb"))
        for server in (postgres, bus):
            child = server.program().spawn(log)
            stop.callback(server.program().stop, child)
            cluster.wait_ready(server, child)
        postgres.ensure_database(_TEMPLATE)
        schema.upgrade(postgres.url(_TEMPLATE))
        yield Servers(postgres, bus.url)


@pytest.fixture(scope="session")
def dsn(servers: Servers) -> Iterator[str]:
    """Give the address of one database that all tests of `conn` share and leave as it was."""
    with servers.clone() as url:
        yield url


@pytest.fixture(scope="session")
async def engine(dsn: str) -> AsyncIterator[AsyncEngine]:
    """Give the program's own kind of engine on the shared database."""
    engine = db.make_engine(dsn)
    yield engine
    await engine.dispose()


@pytest.fixture
async def conn(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Give a connection in a transaction that is rolled back after the test."""
    async with engine.connect() as connection:
        transaction = await connection.begin()
        # A test may build a city meanwhile; only the program's own sessions must never idle.
        await connection.execute(
            sqlalchemy.text("SET LOCAL idle_in_transaction_session_timeout = 0")
        )
        yield connection
        await transaction.rollback()


@pytest.fixture
def database(servers: Servers) -> Iterator[str]:
    """Give the address of a fresh database, for tests with several connections."""
    with servers.clone() as url:
        yield url


@pytest.fixture
def redis_url(servers: Servers) -> str:
    """Give the address of the test Redis."""
    return servers.redis_url


@pytest.fixture(name="redis")
async def redis_client(redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    """Give a client of the test Redis, emptied."""
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        await client.flushall()
        yield client


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a folder that the database's own user can reach; pytest closes `tmp_path` to others."""
    with tempfile.TemporaryDirectory(prefix="golden-test-", dir=quick_folder()) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def now() -> datetime:
    """Give the one instant at which tests happen: a Sunday morning in Wuhan and in Monaco."""
    return datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
