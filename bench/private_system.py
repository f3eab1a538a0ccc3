"""A private PostgreSQL and Redis, and app processes beside them, for benches; all end with it.

    with servers() as system, system.app() as app: …

The database has the product's schema and is as durable as the product's own.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import http_load
import httpx

from web.commands import cluster, process, schema

DATABASE = "bench"
READY_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Service:
    """A process that answers HTTP on the loopback interface."""

    url: str
    pid: int


@dataclass(frozen=True, slots=True)
class System:
    """The servers of one bench."""

    home: Path
    postgres: cluster.Postgres
    bus: cluster.Redis

    @property
    def database_url(self) -> str:
        """Give the address of the database."""
        return self.postgres.url(DATABASE)

    @property
    def redis_url(self) -> str:
        """Give the address of Redis."""
        return self.bus.url

    @contextmanager
    def app(self, *, folder: Path | None = None) -> Iterator[Service]:
        """Run one app process of the product; `folder` may hold streets."""
        port = http_load.free_port()
        golden = str(Path(sys.executable).with_name("golden"))
        argv = (golden, "serve", "--port", str(port), "--data-dir", str(folder or self.home))
        environment = {
            "GOLDEN_DATABASE_URL": self.database_url,
            "GOLDEN_REDIS_URL": self.redis_url,
            "GOLDEN_LOG_LEVEL": "warning",
        }
        program = process.Program("app", argv, environment=environment)
        with _said(self.home / "app.log") as log:
            child = program.spawn(log)
            try:
                yield _ready(child.pid, port, "/livez")
            finally:
                program.stop(child)

    @contextmanager
    def peers(self, module: str, environment: Mapping[str, str]) -> Iterator[Service]:
        """Run the thin service of a module beside this one, as the product is run."""
        port = http_load.free_port()
        argv: Sequence[str] = (
            sys.executable, "-m", "uvicorn", f"{module}:app", "--app-dir",
            str(Path(__file__).parent), "--port", str(port), "--loop", "uvloop", "--http",
            "httptools", "--ws", "websockets-sansio", "--ws-per-message-deflate", "false",
            "--no-access-log", "--log-level", "error",
        )  # fmt: skip
        program = process.Program(module, tuple(argv), environment=environment)
        child = program.spawn(subprocess.DEVNULL)
        try:
            yield _ready(child.pid, port, "/ping")
        finally:
            program.stop(child)


@contextmanager
def _said(path: Path) -> Iterator[IO[bytes]]:
    """Keep what a process writes; when the bench fails, show the end of it."""
    with path.open("wb") as log:
        try:
            yield log
        except BaseException:
            lines = path.read_text(errors="replace").splitlines()
            sys.stderr.write("\n".join(["the app said at the end:", *lines[-40:], ""]))
            raise


def _ready(pid: int, port: int, path: str) -> Service:
    url, limit = f"http://127.0.0.1:{port}", time.monotonic() + READY_WITHIN_S
    while time.monotonic() < limit:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url + path).status_code == 200:
                return Service(url, pid)
        time.sleep(0.1)
    raise SystemExit(f"the process {pid} does not answer")


@contextmanager
def servers(**more: str) -> Iterator[System]:
    """Start the servers in a temporary folder and stop them at the end; `more` is PostgreSQL's."""
    owner = process.server_owner()
    with (
        tempfile.TemporaryDirectory(prefix="golden-bench-") as folder,
        contextlib.ExitStack() as stop,
    ):
        home = Path(folder)
        home.chmod(0o711)
        settings = {**cluster.DURABLE, "shared_buffers": "1GB", **more}
        postgres = cluster.Postgres(home / "pg", home / "run", owner, settings)
        bus = cluster.Redis(home / "run", owner)
        postgres.initialise()
        log = stop.enter_context((home / "servers.log").open("wb"))
        for server in (postgres, bus):
            child = server.program().spawn(log)
            stop.callback(server.program().stop, child)
            cluster.wait_ready(server, child)
        postgres.ensure_database(DATABASE)
        schema.upgrade(postgres.url(DATABASE))
        yield System(home, postgres, bus)
