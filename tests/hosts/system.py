"""The whole system on eight hosts: three of apps, three of Redis Cluster, PostgreSQL twice.

Clients stay on this machine and reach the apps through a balancer.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg

from tests.chaos.history import History
from tests.chaos.system import App, Child
from tests.hosts import programs, rediscluster
from tests.hosts.balancer import Balancer, is_well
from tests.hosts.network import Host, Network
from web.commands import cluster, forked, process, schema

#: What a client says to the database before it may be called durable there.
SYNCHRONOUS = {"synchronous_standby_names": "replica", "synchronous_commit": "on"}
APP_PORT = 8000
STARTS_WITHIN_S = 90.0


@dataclass
class Server:
    """A database server on its host."""

    host: Host
    folder: Path
    child: Child

    def url(self, database: str = cluster.DATABASE) -> str:
        """Give the address of a database on this server alone."""
        return f"postgresql://{cluster.USER}@{self.host.address}:5432/{database}?sslmode=disable"


class System:
    """All of it; `async with`, inside a network. It has the shape that `tests.chaos` expects."""

    def __init__(self, network: Network, history: History, *, is_synchronous: bool = True) -> None:
        self.history = history
        self.apps: list[App] = []
        self.runners: list[Child] = []
        self.folder = Path(tempfile.mkdtemp(prefix="golden-hosts-"))
        self.folder.chmod(0o711)
        self.app_hosts = [network.host(f"app{n}") for n in range(3)]
        self.redis_hosts = [network.host(f"redis{n}") for n in range(3)]
        self._network = network
        self._is_synchronous = is_synchronous
        self._owner = process.server_owner()
        self._balancers: list[Balancer] = []
        self.primary = self._server(network.host("pga"), SYNCHRONOUS if is_synchronous else {})
        self.replica = self._server(network.host("pgb"), {})
        self.redises = [
            self._child(
                f"redis-{n}", programs.redis(host, self._owner.make_folder(self.folder / f"r{n}"))
            )
            for n, host in enumerate(self.redis_hosts)
        ]
        #: Who is asked by the harness itself.
        self.serving = self.primary

    @property
    def dsn(self) -> str:
        """Give the address of whichever server is asked by the harness."""
        return self.serving.url()

    @property
    def database_url(self) -> str:
        """Give the address that the product is told: both servers, whichever may be written to."""
        both = f"{self.primary.host.address},{self.replica.host.address}"
        options = "sslmode=disable&target_session_attrs=read-write"
        return f"postgresql://{cluster.USER}@/{cluster.DATABASE}?host={both}&port=5432&{options}"

    @property
    def redis_url(self) -> str:
        """Give the address of the cluster."""
        nodes = ",".join(f"{host.address}:6379" for host in self.redis_hosts)
        return f"redis+cluster://{nodes}"

    async def __aenter__(self) -> System:
        forked.load_early()
        try:
            await self._begin_databases()
            for child in self.redises:
                await child.start()
            await rediscluster.join([(host.address, 6379) for host in self.redis_hosts])
            for number, host in enumerate(self.app_hosts):
                await self._add_app(number, host)
                if number < 2:
                    self._add_runner(number, host)
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    @property
    def programs(self) -> list[Child]:
        """List the processes of the product."""
        return [*(app.child for app in self.apps), *self.runners]

    async def begin(self) -> None:
        """Start the product on all hosts, and wait until every app answers."""
        await asyncio.gather(*(child.start() for child in self.programs))
        await asyncio.gather(*(self._app_ready(balancer) for balancer in self._balancers))

    async def promote(self) -> None:
        """Make the replica the primary, as whoever watches both would."""
        async with await psycopg.AsyncConnection.connect(
            self.replica.url("postgres"), autocommit=True, connect_timeout=5
        ) as conn:
            cursor = await conn.execute("select pg_promote(true, 60)")
            if await cursor.fetchone() != (True,):
                raise RuntimeError("the replica was not promoted")
        self.serving = self.replica

    async def sql(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Ask the database directly, as the checker's last word."""
        async with await psycopg.AsyncConnection.connect(
            self.dsn, autocommit=True, row_factory=psycopg.rows.dict_row, connect_timeout=5
        ) as conn:
            cursor = await conn.execute(query, values)
            return await cursor.fetchall() if cursor.description else []

    def cpu_s(self) -> dict[str, float]:
        """Add up the processor time of what runs, by part; a server that was killed is left out."""
        parts = {
            "apps": [app.child for app in self.apps],
            "runners": self.runners,
            "postgres": [self.replica.child],
            "redis": self.redises,
        }
        return {name: round(sum(map(_cpu_s, children)), 1) for name, children in parts.items()}

    def logs(self) -> dict[str, str]:
        """Read what the processes have written."""
        return {path.stem: path.read_text(errors="replace") for path in self.folder.glob("*.log")}

    # ---- parts

    def _child(self, name: str, program: Any) -> Child:
        return Child(name, program, self.folder / f"{name}.log", self.history)

    def _server(self, host: Host, settings: dict[str, str]) -> Server:
        folder, sockets = self.folder / host.name, self.folder / f"{host.name}-run"
        self._owner.make_folder(sockets)
        program = programs.postgres(host, folder, sockets, settings)
        return Server(host, folder, self._child(host.name, program))

    async def _begin_databases(self) -> None:
        """Make the primary with an empty schema, and the replica from it."""
        await asyncio.to_thread(self._initialise)
        await self.primary.child.start()
        await _ready(self.primary)
        await asyncio.to_thread(self._make_database)
        self._owner.make_folder(self.replica.folder)
        source = f"host={self.primary.host.address} user={cluster.USER} sslmode=disable"
        copy = (
            str(programs.binary("pg_basebackup")), "-D", str(self.replica.folder), "-R",
            "-X", "stream", "-c", "fast", "-d", f"{source} application_name=replica",
        )  # fmt: skip
        copying = await asyncio.create_subprocess_exec(*programs.on(self.replica.host, copy))
        if await copying.wait() != 0:
            raise RuntimeError("pg_basebackup has failed")
        await self.replica.child.start()
        await _ready(self.replica)
        await self._in_step()

    def _initialise(self) -> None:
        first = cluster.Postgres(
            self.primary.folder, self.folder / "pga-run", self._owner, {**cluster.DURABLE}
        )
        first.initialise()
        with (self.primary.folder / "pg_hba.conf").open("a") as rules:
            for database in ("all", "replication"):
                rules.write(f"host {database} all {self._network.subnet} trust\n")

    def _make_database(self) -> None:
        # Nothing commits while the replica that must confirm it is not there yet.
        unconfirmed = {"options": "-c synchronous_commit=local"}
        with psycopg.connect(self.primary.url("postgres"), autocommit=True, **unconfirmed) as conn:
            conn.execute(f"CREATE DATABASE {cluster.DATABASE}")
        schema.upgrade(f"{self.primary.url()}&options=-c%20synchronous_commit%3Dlocal")

    async def _in_step(self) -> None:
        """Wait until the replica follows, synchronously where that was asked for."""
        wanted = "sync" if self._is_synchronous else "async"
        async with asyncio.timeout(STARTS_WITHIN_S):
            while True:
                rows = await self.sql("select sync_state, state from pg_stat_replication")
                if [(row["sync_state"], row["state"]) for row in rows] == [(wanted, "streaming")]:
                    return
                await asyncio.sleep(0.1)

    def _environment(self, host: Host) -> dict[str, str]:
        return {
            "GOLDEN_DATA_DIR": str(self.folder / "data"),
            "GOLDEN_DATABASE_URL": self.database_url,
            "GOLDEN_REDIS_URL": self.redis_url,
            "GOLDEN_HOST": host.address,
            "GOLDEN_PORT": str(APP_PORT),
            "GOLDEN_NO_MOVEMENT_AFTER_S": "4",
        }

    async def _add_app(self, number: int, host: Host) -> None:
        name = f"app-{number}"
        (self.folder / "data").mkdir(exist_ok=True)
        program = programs.Program(host, name, "serve", self._environment(host))
        balancer = Balancer(name, host.address, APP_PORT)
        await balancer.start()
        self._balancers.append(balancer)
        edge = balancer.edge
        self.apps.append(App(number, edge.port, self._child(name, program), edge, edge, edge))

    def _add_runner(self, number: int, host: Host) -> None:
        name = f"runner-{number}"
        program = programs.Program(host, name, "runner", self._environment(host))
        self.runners.append(self._child(name, program))

    async def _app_ready(self, balancer: Balancer) -> None:
        async with asyncio.timeout(STARTS_WITHIN_S):
            while not await is_well(*balancer.where):  # noqa: ASYNC110 - another process's state
                await asyncio.sleep(0.1)
        balancer.watch()

    async def _stop(self) -> None:
        servers = [self.primary.child, self.replica.child]
        for group in (self.programs, self.redises, servers):
            ends = [asyncio.to_thread(child.stop) for child in group]
            await asyncio.gather(*ends, return_exceptions=True)
        for balancer in self._balancers:
            await balancer.close()
        if not os.environ.get("GOLDEN_HOSTS_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)


def _cpu_s(child: Child) -> float:
    if child.pid is None:
        return 0.0
    parent = psutil.Process(child.pid)
    living = sum(sum(one.cpu_times()[:2]) for one in parent.children(recursive=True))
    return float(sum(parent.cpu_times()[:4]) + living)


async def _ready(server: Server) -> None:
    async with asyncio.timeout(STARTS_WITHIN_S):
        while True:
            with suppress(psycopg.OperationalError):
                async with await psycopg.AsyncConnection.connect(
                    server.url("postgres"), connect_timeout=2
                ):
                    return
            await asyncio.sleep(0.1)
