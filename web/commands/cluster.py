"""The private PostgreSQL cluster and the private Redis of one data folder.

Neither opens a TCP port: both listen on sockets in one folder that only their owner (and root)
may enter, which is why no password is needed. Redis only carries hints, so it keeps nothing.
"""

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis
from psycopg import sql

from web.commands import process, trouble

#: The kernel's limit for a socket's path is 107 bytes; PostgreSQL adds `.lock` beside it.
SOCKET_PATH_LIMIT = 107
_SOCKET_NAME = ".s.PGSQL.5432"
USER = "golden"
DATABASE = "golden"

_LIBRARIES = Path("/usr/lib/postgresql")
_EXTENSIONS = Path("/usr/share/postgresql")

DURABLE = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "256MB",
    "max_connections": "200",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "1000",
}
#: For tests only: a crash may lose everything.
FORGETFUL = {
    **DURABLE,
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "128MB",
}


class ServerError(trouble.Trouble):
    """A private server could not be started; the message says why."""


def postgres_binaries() -> Path | None:
    """Find the newest PostgreSQL that has PostGIS; None where no such pair is installed."""
    versions = [
        folder.name
        for folder in _LIBRARIES.glob("*")
        if (folder / "bin" / "initdb").exists()
        and (_EXTENSIONS / folder.name / "extension" / "postgis.control").exists()
    ]
    return _LIBRARIES / max(versions, key=float) / "bin" if versions else None


def redis_binary() -> str | None:
    """Find a Redis server; Debian's redis-tools holds one under the name of its check program."""
    names = ("redis-server", "valkey-server", "redis-check-rdb")
    return next((found for name in names if (found := shutil.which(name))), None)


def socket_folder(data_dir: Path) -> Path:
    """Say where the sockets lie: in the data folder unless its path is too long for a socket."""
    inside = data_dir / "run"
    if len(str(inside / f"{_SOCKET_NAME}.lock")) < SOCKET_PATH_LIMIT:
        return inside
    return Path(tempfile.gettempdir()) / f"golden-{short_name(data_dir)}"


def short_name(path: Path) -> str:
    """Give a short name that is the same in every run for the same path."""
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Postgres:
    """A PostgreSQL cluster in `folder` that listens on a socket in `sockets`."""

    folder: Path
    sockets: Path
    owner: process.Owner
    settings: Mapping[str, str] = field(default_factory=lambda: DURABLE)

    def url(self, database: str = DATABASE) -> str:
        """Give the address of a database in this cluster."""
        return f"postgresql://{USER}@/{database}?host={self.sockets}"

    def initialise(self) -> bool:
        """Make the cluster unless it is there; tell whether it was made now."""
        self.owner.make_folder(self.sockets)
        if (self.folder / "PG_VERSION").exists():
            return False
        # A killed initdb leaves only the folder beside, which the next run drops.
        unfinished = self.folder.with_name(f"{self.folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        self.owner.make_folder(unfinished)
        sync = () if self.settings["fsync"] == "on" else ("--no-sync",)
        try:
            process.run_as_owner(
                self.owner, self._binary("initdb"), "-D", str(unfinished), "-U", USER, "-E", "UTF8",
                "--locale=C.UTF-8", "--auth-local=trust", "--auth-host=reject", "--data-checksums",
                *sync,
            )  # fmt: skip
        except subprocess.CalledProcessError as failure:
            raise ServerError(
                f"The database could not be made: {failure.stderr.strip()}",
                f"无法创建数据库：{failure.stderr.strip()}",
            ) from failure
        unfinished.rename(self.folder)
        return True

    def program(self) -> process.Program:
        """Say how to run the server; SIGINT is its fast and clean shutdown."""
        options = {
            **self.settings,
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
        }
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return process.Program(
            name="postgres",
            argv=(self._binary("postgres"), "-D", str(self.folder), *flags),
            owner=self.owner,
            stop_signal=signal.SIGINT,
            stop_limit_s=60,
        )

    def left_over(self) -> int | None:
        """Give the process id of a server that already runs on this folder; clear a stale mark."""
        mark = self.folder / "postmaster.pid"
        try:
            pid = int(mark.read_text().split("\n", 1)[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ValueError, ProcessLookupError):
            command, pid = [], 0
        if command and os.fsencode(self.folder) in command:
            return pid
        # PostgreSQL itself would refuse where another process was given the same number since.
        mark.unlink(missing_ok=True)
        return None

    def stop_left_over(self, *, limit_s: float = 60) -> int | None:
        """End a server whose parent was killed before it could stop it; give its process id.

        Safe only for the holder of the data folder's lock. Raises ServerError when it does not end.
        """
        pid = self.left_over()
        if pid is None:
            return None
        os.kill(pid, signal.SIGINT)
        until = time.monotonic() + limit_s
        while self.left_over() is not None:
            if time.monotonic() > until:
                raise ServerError(
                    f"An old PostgreSQL (process {pid}) on {self.folder} does not stop; end it.",
                    f"旧的 PostgreSQL（进程 {pid}）未能停止，请先结束它：{self.folder}",
                )
            time.sleep(0.05)
        return pid

    def is_ready(self) -> bool:
        """Tell whether the server answers a query."""
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=2) as conn:
                return conn.execute("SELECT 1").fetchone() is not None
        except psycopg.OperationalError:
            return False

    def ensure_database(self, name: str = DATABASE) -> None:
        """Make the database unless it is there."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as conn:
            found = conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if not found:
                conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def _binary(self, name: str) -> str:
        folder = postgres_binaries()
        if folder is None:
            raise ServerError(
                "No PostgreSQL with PostGIS is installed. Run scripts/start, or: "
                "apt-get install postgresql-15-postgis-3",
                "未安装带 PostGIS 的 PostgreSQL。请运行 scripts/start，或："
                "apt-get install postgresql-15-postgis-3",
            )
        return str(folder / name)


@dataclass(frozen=True, slots=True)
class Redis:
    """A Redis that keeps nothing on disk and listens on a socket in `sockets`."""

    sockets: Path
    owner: process.Owner

    @property
    def url(self) -> str:
        """Give the address of the server."""
        return f"unix://{self.sockets}/redis.sock?db=0"

    def program(self) -> process.Program:
        """Say how to run the server. Its binary looks at the name it is called by."""
        binary = redis_binary()
        if binary is None:
            raise ServerError(
                "No Redis is installed. Run scripts/start, or: apt-get install redis-tools",
                "未安装 Redis。请运行 scripts/start，或：apt-get install redis-tools",
            )
        argv = (
            "redis-server", "--port", "0",
            "--unixsocket", str(self.sockets / "redis.sock"), "--unixsocketperm", "700",
            "--save", "", "--appendonly", "no", "--dir", str(self.sockets),
            "--maxmemory", "256mb", "--maxmemory-policy", "noeviction",
        )  # fmt: skip
        return process.Program("redis", argv, executable=binary, owner=self.owner)

    def is_ready(self) -> bool:
        """Tell whether the server answers."""
        with contextlib.suppress(redis.RedisError), redis.Redis.from_url(self.url) as client:
            return bool(client.ping())
        return False


def wait_ready(
    server: Postgres | Redis, child: subprocess.Popen[bytes], *, limit_s: float = 60
) -> None:
    """Wait until the server answers; raises ServerError when it ends or stays silent."""
    until = time.monotonic() + limit_s
    name = type(server).__name__
    while not server.is_ready():
        if child.poll() is not None:
            raise ServerError(
                f"{name} ended with status {child.returncode} before it was ready.",
                f"{name} 未就绪便退出，状态 {child.returncode}。",
            )
        if time.monotonic() > until:
            raise ServerError(
                f"{name} does not answer after {limit_s:.0f} s.",
                f"{name} 在 {limit_s:.0f} 秒后仍无响应。",
            )
        time.sleep(0.03)
