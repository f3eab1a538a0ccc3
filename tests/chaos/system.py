"""One system under test: own PostgreSQL, Redis, apps and runners, and a proxy on every edge.

Every child is known by its process id; only those are ever signalled.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

from dispatch import vapid
from tests.chaos import clocks, disks, forks, proxies, pushes
from tests.chaos.history import History
from web.commands import cluster, forked, process, schema

Program = process.Program | forks.Program
#: As a careful installation runs it, and with the longest wait before an asynchronous commit is
#: written, so that a commit that was answered before it was durable does get lost.
DURABLE = {
    **cluster.DURABLE, "shared_buffers": "128MB", "max_connections": "120",
    "wal_writer_delay": "10s", "log_min_duration_statement": "-1",
}  # fmt: skip
APP_STARTS_WITHIN_S = 90.0


@dataclass(frozen=True, slots=True)
class Shape:
    """How much of everything runs, and which mutant, if any."""

    apps: int = 3
    runners: int = 2
    mutant: str | None = None
    #: Whether clocks can be put wrong, where libfaketime is installed.
    has_clocks: bool = False
    #: That of the database too. libfaketime allocates memory in signal handlers, of which a server
    #: that lives long dies now and then: for short runs that are about this.
    has_database_clock: bool = False
    #: Size of the database's disk in MiB; 0: the machine's own. Needs root.
    disk_mb: int = 0
    #: Settings of the programs, on top of the proxies' addresses.
    settings: dict[str, str] = field(default_factory=dict)


class Child:
    """A process of ours, which may be killed, hung and started again."""

    def __init__(self, name: str, program: Program, log: Path, history: History) -> None:
        self.name = name
        self.is_hung = False
        #: Whether it runs because we want it to: else its end is no surprise.
        self.is_wanted = False
        self._program = program
        self._log = log
        self._history = history
        self._child: subprocess.Popen[bytes] | forked.Forked | None = None

    @property
    def pid(self) -> int | None:
        """Give the process id while it runs."""
        child = self._child
        return None if child is None or child.poll() is not None else child.pid

    async def start(self) -> None:
        """Start it, unless it runs."""
        self.look()
        if self.pid is None:
            with self._log.open("ab") as output:
                self._child = await self._program.begin(output)
            self.is_wanted, self.is_hung = True, False
            self._history.note(self.name, "net", "started", pid=self._child.pid)

    def look(self) -> None:
        """Notice that it ended though nobody of us ended it."""
        status = None if self._child is None else self._child.poll()
        if self.is_wanted and status is not None:
            self.is_wanted = False
            self._history.note(self.name, "net", "ended_by_itself", status=status)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it at once."""
        self.look()
        if self._child is not None and self.is_wanted and self.pid is not None:
            self.is_wanted = False
            self._history.note(
                self.name, "nemesis", "kill", pid=self._child.pid, signal=number.name
            )
            self._child.send_signal(number)

    async def gone(self, within_s: float = 20) -> None:
        """Wait for its end."""
        async with asyncio.timeout(within_s):
            while self.pid is not None:  # noqa: ASYNC110 - another process's state
                await asyncio.sleep(0.01)

    def signal_all(self, number: signal.Signals) -> None:
        """Send a signal to it and to all of its children."""
        if self.pid is None:
            return
        parent = psutil.Process(self.pid)
        for part in [parent, *parent.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                part.send_signal(number)

    def hang(self) -> None:
        """Stop it with everything below it."""
        self.is_hung = True
        self.signal_all(signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on."""
        self.is_hung = False
        self.signal_all(signal.SIGCONT)

    def stop(self) -> None:
        """Ask it to end, then make it end; blocks."""
        self.is_wanted = False
        if self._child is not None and self._child.poll() is None:
            self.wake()
            self._child.send_signal(self._program.stop_signal)
            try:
                self._child.wait(self._program.stop_limit_s)
            finally:
                self._child.kill()


@dataclass
class App:
    """One app process with the proxies around it."""

    number: int
    port: int
    child: Child
    edge: proxies.Proxy
    to_postgres: proxies.Proxy
    to_redis: proxies.Proxy

    @property
    def url(self) -> str:
        """Give the address through the proxy."""
        return f"http://127.0.0.1:{self.edge.port}"

    @property
    def proxies(self) -> tuple[proxies.Proxy, ...]:
        return (self.edge, self.to_postgres, self.to_redis)


class System:
    """All of it; `async with`."""

    def __init__(self, shape: Shape, history: History, *, seed: int) -> None:
        self.shape = shape
        self.history = history
        self.apps: list[App] = []
        self.runners: list[Child] = []
        #: Their ways to PostgreSQL.
        self.runner_links: list[proxies.Proxy] = []
        self.folder = Path(tempfile.mkdtemp(prefix="golden-chaos-"))
        self.folder.chmod(0o711)
        owner = process.server_owner()
        (self.folder / "data").mkdir()
        self.disk = disks.mount(self.folder, shape.disk_mb)
        data = (self.disk or self.folder) / "pg"
        self.server = cluster.Postgres(data, self.folder / "run", owner, {**DURABLE})
        self.redis_server = cluster.Redis(self.folder / "run", owner)
        self._seed = seed
        self._proxies: list[proxies.Proxy] = []
        self.push = pushes.PushService(history)
        self.clocks = self._make_clocks()
        vapid.ensure(self.folder / "data")
        self.postgres = self._child("postgres", self._server_program())
        self.redis = self._child("redis", self.redis_server.program())

    @property
    def dsn(self) -> str:
        """Give the address of the database that no proxy stands before."""
        return self.server.url()

    async def __aenter__(self) -> System:
        with nullcontext() if self.clocks is None else self.clocks.preloaded():
            forked.load_early()
        try:
            await self.push.start()
            await self._make_database()
            await self.redis.start()
            await self._assert_durable()
            for number in range(self.shape.apps):
                self.apps.append(await self._app(number))
            for number in range(self.shape.runners):
                self.runners.append(await self._runner(number))
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def begin(self) -> None:
        """Start all apps and runners."""
        await asyncio.gather(*(child.start() for child in self.programs))

    async def begun(self) -> None:
        """Wait until every app answers."""
        await asyncio.gather(*(self.app_ready(app) for app in self.apps))

    @property
    def programs(self) -> list[Child]:
        """List the processes of the product."""
        return [*(app.child for app in self.apps), *self.runners]

    async def app_ready(self, app: App, *, path: str = "/livez") -> None:
        """Wait until one app answers, by its own port."""
        async with httpx.AsyncClient() as client, asyncio.timeout(APP_STARTS_WITHIN_S):
            while True:
                with suppress(httpx.HTTPError):
                    answer = await client.get(f"http://127.0.0.1:{app.port}{path}", timeout=2)
                    if answer.status_code == 200:
                        return
                await asyncio.sleep(0.1)

    async def postgres_ready(self, within_s: float = 90) -> None:
        """Wait until PostgreSQL takes connections."""
        async with asyncio.timeout(within_s):
            while not await asyncio.to_thread(self.server.is_ready):  # noqa: ASYNC110 - a server's
                await asyncio.sleep(0.05)

    async def start_postgres(self) -> None:
        """Start PostgreSQL again after whatever was done to it."""
        self.server.left_over()
        for _ in range(50):
            self.postgres.is_wanted = False
            await self.postgres.start()
            await asyncio.sleep(0.3)
            if self.postgres.pid is not None:  # else parts of the old one were still there
                break
        await self.postgres_ready()

    async def sql(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Ask the database directly, as the checker's last word."""
        factory = psycopg.rows.dict_row
        async with await psycopg.AsyncConnection.connect(
            self.dsn, autocommit=True, row_factory=factory, connect_timeout=5
        ) as conn:
            cursor = await conn.execute(query, values)
            return await cursor.fetchall() if cursor.description else []

    def heal(self) -> None:
        """Take every toxin away and wake whoever sleeps."""
        for proxy in self._proxies:
            proxy.spy = None
            proxy.heal()
        for child in (*self.programs, self.postgres, self.redis):
            if child.is_hung:
                child.wake()

    def logs(self) -> dict[str, str]:
        """Read what the processes have written."""
        return {path.stem: path.read_text(errors="replace") for path in self.folder.glob("*.log")}

    # ---- parts

    def _child(self, name: str, program: Program) -> Child:
        return Child(name, program, self.folder / f"{name}.log", self.history)

    async def _proxy(self, name: str, dial: Any) -> proxies.Proxy:
        proxy = proxies.Proxy(name, dial, seed=self._seed)
        await proxy.start()
        self._proxies.append(proxy)
        return proxy

    async def _servers(self, name: str) -> tuple[proxies.Proxy, proxies.Proxy, dict[str, str]]:
        sockets = self.folder / "run"
        to_postgres = await self._proxy(
            f"{name}/postgres", proxies.to_socket(str(sockets / ".s.PGSQL.5432"))
        )
        to_redis = await self._proxy(
            f"{name}/redis", proxies.to_socket(str(sockets / "redis.sock"))
        )
        options = "sslmode=disable&gssencmode=disable"
        environment = {
            "GOLDEN_DATA_DIR": str(self.folder / "data"),
            "GOLDEN_DATABASE_URL":
                f"postgresql://golden@127.0.0.1:{to_postgres.port}/golden?{options}",
            "GOLDEN_REDIS_URL": f"redis://127.0.0.1:{to_redis.port}/0",
            "GOLDEN_LOG_LEVEL": "warning",
            "GOLDEN_PUSH_HOSTS": self.push.host,
            **({} if self.clocks is None else self.clocks.environment(name)),
            **self.shape.settings,
        }  # fmt: skip
        return to_postgres, to_redis, environment

    async def _app(self, number: int) -> App:
        name, port = f"app-{number}", _free_port()
        to_postgres, to_redis, environment = await self._servers(name)
        edge = await self._proxy(f"{name}/edge", proxies.to_port(port))
        program = forks.Program(
            name, "serve", environment | {"GOLDEN_PORT": str(port)}, mutant=self.shape.mutant
        )
        return App(number, port, self._child(name, program), edge, to_postgres, to_redis)

    async def _runner(self, number: int) -> Child:
        name = f"runner-{number}"
        to_postgres, _, environment = await self._servers(name)
        self.runner_links.append(to_postgres)
        program = forks.Program(name, "runner", environment, mutant=self.shape.mutant)
        return self._child(name, program)

    def _make_clocks(self) -> clocks.Clocks | None:
        preload = clocks.library() if self.shape.has_clocks else None
        return None if preload is None else clocks.Clocks(self.folder / "clocks", preload)

    def _server_program(self) -> process.Program:
        program = self.server.program()
        is_faked = self.clocks is not None and self.shape.has_database_clock
        wrong = self.clocks.environment("postgres") if self.clocks and is_faked else {}
        return replace(program, environment={**program.environment, **wrong})

    async def _make_database(self) -> None:
        """Start PostgreSQL with an empty schema: a copy of the first one that this program made."""
        _cluster.mkdir(exist_ok=True, mode=0o711)
        made = _cluster / "pg"
        if not made.exists():
            await asyncio.to_thread(self.server.initialise)
            await self.postgres.start()
            await self.postgres_ready()
            self.server.ensure_database()
            await asyncio.to_thread(schema.upgrade, self.dsn)
            await asyncio.to_thread(self.postgres.stop)
            await _copy(self.server.folder, made)
        else:
            self.server.owner.make_folder(self.server.sockets)
            await _copy(made, self.server.folder)
        await self.postgres.start()
        await self.postgres_ready()

    async def _assert_durable(self) -> None:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            rows = await self.sql("select current_setting(%s) as value", name)
            if rows[0]["value"] != "on":
                raise RuntimeError(f"{name} is {rows[0]['value']}: this proves nothing")

    async def _stop(self) -> None:
        self.heal()
        for group in (self.programs, [self.redis], [self.postgres]):
            await asyncio.gather(*(asyncio.to_thread(child.stop) for child in group))
        for proxy in self._proxies:
            await proxy.close()
        await self.push.close()
        disks.unmount(self.disk)
        if not os.environ.get("GOLDEN_CHAOS_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)


#: What `initdb` and the migrations have made, for the next system of this program.
_cluster = Path(tempfile.gettempdir()) / f"golden-chaos-cluster-{os.getpid()}"
atexit.register(shutil.rmtree, _cluster, ignore_errors=True)


async def _copy(source: Path, target: Path) -> None:
    copying = await asyncio.create_subprocess_exec("cp", "-a", str(source), str(target))
    if await copying.wait() != 0:
        raise RuntimeError(f"{source} could not be copied")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def cpu_and_memory(children: Sequence[Child]) -> dict[str, dict[str, float]]:
    """Measure the processes: open files, memory."""
    found = {}
    for child in children:
        if child.pid is not None:
            with suppress(psutil.NoSuchProcess):
                running = psutil.Process(child.pid)
                found[child.name] = {
                    "pid": running.pid, "fds": running.num_fds(), "rss": running.memory_info().rss,
                }  # fmt: skip
    return found
