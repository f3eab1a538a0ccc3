"""Real app processes and a Redis of their own, to be killed and stopped by system tests."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy.ext.asyncio import AsyncEngine
from waiting import until, until_answer

from dispatch import accounts, db, orgs, states
from realtime import log
from web.commands import cluster, process

#: Outages last as long as the promise says with GOLDEN_TEST_LONG=1; else long enough to bite.
IS_LONG = bool(os.environ.get("GOLDEN_TEST_LONG"))


@dataclass
class App:
    """One `golden serve`."""

    port: int
    child: subprocess.Popen[bytes]

    @property
    def live_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/api/v1/live"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        self.child.kill()
        self.child.wait()


def free_port() -> int:
    """Find a port that is free now, below those that the kernel gives to clients meanwhile."""
    while True:
        port = random.randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@asynccontextmanager
async def app(
    database_url: str, redis_url: str, folder: Path, *, port: int | None = None
) -> AsyncIterator[App]:
    """Run one app process until it is killed or the block ends."""
    port = port or free_port()
    environment = {"GOLDEN_DATABASE_URL": database_url, "GOLDEN_REDIS_URL": redis_url}
    golden = str(Path(sys.executable).with_name("golden"))
    argv = (golden, "serve", "--port", str(port), "--data-dir", str(folder))
    program = process.Program("app", argv, environment=environment)
    with (folder / f"app-{port}.log").open("ab") as output:
        started = App(port, program.spawn(output))
        try:
            async with httpx.AsyncClient(base_url=started.url) as client:
                await _until_alive(client, started)
            yield started
        finally:
            if started.child.poll() is None:
                started.child.send_signal(signal.SIGCONT)
            program.stop(started.child)


@contextmanager
def runner(
    database_url: str, redis_url: str, folder: Path, **settings: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run one `golden runner` until it is killed or the block ends."""
    addresses = {"GOLDEN_DATABASE_URL": database_url, "GOLDEN_REDIS_URL": redis_url}
    environment = addresses | {f"GOLDEN_{name.upper()}": said for name, said in settings.items()}
    golden = str(Path(sys.executable).with_name("golden"))
    argv = (golden, "runner", "--data-dir", str(folder))
    program = process.Program("runner", argv, environment=environment)
    with (folder / "runner.log").open("ab") as output:
        child = program.spawn(output)
        try:
            yield child
        finally:
            program.stop(child)


async def _until_alive(client: httpx.AsyncClient, started: App) -> None:
    async def serves() -> bool:
        assert started.child.poll() is None, "the app process ended before it served"
        return await _is_alive(client)

    await until_answer(serves, within_s=60)


async def _is_alive(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/livez")).status_code == 200
    except httpx.TransportError:
        return False


@dataclass
class Bus:
    """A Redis that can be killed, stopped and started again."""

    server: cluster.Redis
    child: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return self.server.url

    def kill(self) -> None:
        self.child.kill()
        self.child.wait()

    def start(self) -> None:
        self.child = self.server.program().spawn()
        cluster.wait_ready(self.server, self.child)

    def hang(self) -> None:
        self.child.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        self.child.send_signal(signal.SIGCONT)


@contextmanager
def bus() -> Iterator[Bus]:
    """Run a Redis in a folder of its own."""
    owner = process.server_owner()
    with tempfile.TemporaryDirectory(prefix="golden-bus-") as folder:
        Path(folder).chmod(0o711)
        sockets = owner.make_folder(Path(folder) / "run")
        server = cluster.Redis(sockets, owner)
        running = Bus(server, server.program().spawn())
        try:
            cluster.wait_ready(server, running.child)
            yield running
        finally:
            running.child.kill()
            running.child.wait()


@dataclass
class Heard:
    """What one client was told, in order."""

    welcomes: int = 0
    snapshots: int = 0
    losses: list[int | None] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    def connected(self) -> None:
        self.welcomes += 1

    def lost(self, code: int | None) -> None:
        self.losses.append(code)

    def snapshot(self, _topic: str, _body: dict[str, Any]) -> None:
        self.snapshots += 1

    def event(self, _topic: str, _kind: str, body: dict[str, Any]) -> None:
        self.numbers.append(body["n"])


@dataclass
class Author:
    """Writes numbered events, as an action in some process would."""

    engine: AsyncEngine
    hints: redis.asyncio.Redis | None
    topic: str
    count: int = 0

    async def write(self, many: int = 1) -> None:
        """Write events, each in a transaction of its own."""
        for _ in range(many):
            await self.write_at_once(1)

    async def write_at_once(self, many: int, *, padding: int = 0) -> None:
        """Write events in one transaction."""
        numbers = range(self.count + 1, self.count + many + 1)
        items = [log.Item(self.topic, "x", {"n": n, "padding": "x" * padding}) for n in numbers]
        self.count += many
        async with db.Database(self.engine, self.hints).transaction() as conn:
            await log.append_many(conn, items, at=datetime.now(UTC))

    @property
    def all(self) -> list[int]:
        return list(range(1, self.count + 1))


def hints_of(url: str) -> redis.asyncio.Redis:
    """Make the kind of client that the app itself uses for hints."""
    return redis.asyncio.Redis.from_url(
        url, socket_timeout=0.5, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0)
    )


async def add_org(engine: AsyncEngine, code: str, parent: str | None = None) -> UUID:
    """Make an organisation."""
    async with db.Database(engine, None).transaction() as conn:
        above = None if parent is None else await orgs.find_org(conn, parent)
        return await orgs.add_org(
            conn, above, code=code, name_zh="红会", name_en="Red", level=3, phone="+86 27 85550000"
        )


async def add_operator(engine: AsyncEngine, org_id: UUID, name: str = "operator") -> str:
    """Make an operator of the organisation and all below it, and give a token of hers."""
    async with db.Database(engine, None).transaction() as conn:
        person_id = await accounts.add_person(conn, org_id, name="调度员", username=name)
        await accounts.grant(conn, person_id, org_id, states.OrgRole.OPERATOR)
        return await accounts.add_token(conn, person_id, name="test", now=datetime.now(UTC))


async def caught_up(heard: Heard, author: Author, *, within_s: float = 15) -> None:
    """Wait until everything that was written was heard."""
    await until(lambda: heard.numbers == author.all, within_s=within_s)
