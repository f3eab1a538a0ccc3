"""What runs on the hosts: the product's processes, PostgreSQL and Redis, each in its namespace."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from tests.hosts.network import Host
from web.commands import cluster, forked, process

_CLONE_NEWNET = 0x4000_0000
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Program:
    """One app process or runner, forked from one that has loaded the program, on a host."""

    host: Host
    name: str
    command: Literal["serve", "runner"]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    stop_limit_s: float = 15

    async def begin(self, output: IO[bytes]) -> forked.Forked:
        """Fork it, in a thread: the first fork waits until the program is loaded."""
        child = forked._context.Process(
            target=_live,
            args=(
                str(self.host.path), self.name, self.command, dict(self.environment),
                forked._Passed(output.fileno()),
            ),
            daemon=True,
        )  # fmt: skip
        await asyncio.to_thread(child.start)
        return forked.Forked(child)


def _live(
    namespace: str, name: str, command: str, environment: dict[str, str], output: Any
) -> None:
    """Move to the host, and be the program. No thread is there yet, so all of it moves."""
    file = os.open(namespace, os.O_RDONLY)
    if _libc.setns(file, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
    os.close(file)
    forked._live(name, command, environment, output, None, None)


def on(host: Host, argv: tuple[str, ...], *, death: str = "SIGKILL") -> tuple[str, ...]:
    """Say how to run something on a host as the user of the servers; it keeps one process id."""
    owner = process.server_owner()
    return (
        "nsenter", f"--net={host.path}", "setpriv", f"--reuid={owner.uid}",
        f"--regid={owner.gid}", "--clear-groups", "--pdeathsig", death, *argv,
    )  # fmt: skip


def postgres(host: Host, folder: Path, sockets: Path, more: Mapping[str, str]) -> process.Program:
    """Run a PostgreSQL that listens on its host's address."""
    settings = {
        **cluster.DURABLE, "shared_buffers": "128MB", "max_connections": "150",
        "listen_addresses": "*", "unix_socket_directories": str(sockets), "port": "5432",
        "wal_sender_timeout": "3s", "log_min_duration_statement": "-1", **more,
    }  # fmt: skip
    flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    argv = (str(binary("postgres")), "-D", str(folder), *flags)
    return process.Program(
        f"postgres {host.name}", on(host, argv), stop_signal=signal.SIGINT, stop_limit_s=60
    )


def redis(host: Host, folder: Path) -> process.Program:
    """Run a node of a Redis Cluster."""
    server = cluster.redis_binary()
    if server is None:
        raise RuntimeError("no Redis is installed: apt-get install redis-tools")
    # Debian's redis-tools holds the server under another name; it goes by the name it is called.
    argv = (
        "bash", "-c", f'exec -a redis-server {server} "$@"', "redis-server",
        "--bind", host.address, "--port", "6379", "--protected-mode", "no",
        "--save", "", "--appendonly", "no", "--dir", str(folder),
        "--cluster-enabled", "yes", "--cluster-node-timeout", "2000",
        "--cluster-require-full-coverage", "no", "--cluster-allow-pubsubshard-when-down", "yes",
    )  # fmt: skip
    return process.Program(f"redis {host.name}", on(host, argv))


def binary(name: str) -> Path:
    """Find a program of PostgreSQL."""
    folder = cluster.postgres_binaries()
    if folder is None:
        raise RuntimeError("no PostgreSQL with PostGIS is installed")
    return folder / name
