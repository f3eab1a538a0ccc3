"""The live log while PostgreSQL is restarted, crashes or hangs: sockets stay, nothing is lost."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from live_processes import IS_LONG, App, Author, Heard, add_operator, add_org, app, bus, caught_up
from waiting import until

from dispatch import db
from tests.quick_folder import quick_folder
from web.commands import cluster, process, schema
from web.drill.live_client import LiveClient

pytestmark = pytest.mark.system

#: Several looks of the log's reader in vain; longer with GOLDEN_TEST_LONG=1.
AWAY_S = 7 if IS_LONG else 3


@dataclass
class Database:
    """A PostgreSQL of its own."""

    server: cluster.Postgres
    output: Path
    child: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return self.server.url("postgres")

    def start(self) -> None:
        with self.output.open("ab") as output:
            self.child = self.server.program().spawn(output)
        cluster.wait_ready(self.server, self.child)

    def crash(self) -> None:
        """Stop it without a checkpoint, as pg_ctl -m immediate does."""
        self.child.send_signal(signal.SIGQUIT)
        self.child.wait()

    def signal_all(self, number: signal.Signals) -> None:
        postmaster = psutil.Process(self.child.pid)
        for part in [postmaster, *postmaster.children(recursive=True)]:
            part.send_signal(number)


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    owner = process.server_owner()
    with tempfile.TemporaryDirectory(prefix="golden-db-", dir=quick_folder()) as folder:
        home = Path(folder)
        home.chmod(0o711)
        server = cluster.Postgres(home / "pg", home / "run", owner, cluster.FORGETFUL)
        server.initialise()
        with (home / "log").open("ab") as output:
            own = Database(server, home / "log", server.program().spawn(output))
        try:
            cluster.wait_ready(server, own.child)
            schema.upgrade(own.url)
            yield own
        finally:
            server.program().stop(own.child)


@pytest.fixture(scope="module")
async def served(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[App]:
    with bus() as redis:
        async with app(database.url, redis.url, tmp_path_factory.mktemp("app")) as running:
            yield running


@asynccontextmanager
async def _console(
    database: Database, served: App, code: str
) -> AsyncIterator[tuple[Author, Heard]]:
    engine = db.make_engine(database.url)
    token = await add_operator(engine, await add_org(engine, code), code)
    author, heard = Author(engine, None, f"org:{code}"), Heard()
    client = LiveClient(served.live_url, [author.topic], heard, token=token)
    running = asyncio.create_task(client.run())
    try:
        await until(lambda: heard.snapshots == 1, within_s=20)
        await author.write(3)
        await caught_up(heard, author)
        yield author, heard
        await author.write(3)
        await caught_up(heard, author, within_s=60)
        assert (heard.welcomes, heard.snapshots, heard.losses) == (1, 1, [])
        assert (client.gaps, client.repeats) == (0, 0)
    finally:
        running.cancel()
        await engine.dispose()


async def test_sockets_outlive_a_crash_of_the_database(database: Database, served: App) -> None:
    async with _console(database, served, "crashed"):
        database.crash()
        await asyncio.sleep(AWAY_S)
        database.start()


async def test_sockets_outlive_a_database_that_hangs(database: Database, served: App) -> None:
    async with _console(database, served, "hung"):
        database.signal_all(signal.SIGSTOP)
        try:
            await asyncio.sleep(AWAY_S)
        finally:
            database.signal_all(signal.SIGCONT)
