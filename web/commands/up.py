"""`golden up` and `golden down`: the whole system on one machine, and its end."""

import asyncio
import errno
import os
import signal
import socket
import time
from typing import Annotated

import typer

from web.commands import installation, system
from web.commands.installation import Installation
from web.commands.options import DataDir
from web.commands.trouble import Trouble

#: So many connections wait in the kernel while app processes are busy or start again.
_BACKLOG = 2048
_DOWN_LIMIT_S = 90

Port = Annotated[int | None, typer.Option(help="TCP port of the web server. 端口。", min=1)]
Processes = Annotated[int | None, typer.Option(help="App processes. 应用进程数。", min=1, max=64)]


def up(
    *,
    port: Port = None,
    data_dir: DataDir = None,
    processes: Processes = None,
    no_demo: Annotated[bool, typer.Option("--no-demo", help="No demo city. 不加载演示。")] = False,
    city: Annotated[str, typer.Option(help="Demo city: monaco or wuhan. 演示城市。")] = "monaco",
) -> None:
    """Start database, Redis, app processes and runner; serve until Ctrl-C; then stop them all.

    启动数据库、Redis、应用与后台进程，按 Ctrl-C 全部停止。
    """
    place = installation.find(data_dir)
    given: dict[str, object] = {"port": port, "processes": processes}
    place = place.with_settings(**{name: value for name, value in given.items() if value})
    _make_folders(place)
    with installation.hold(place) as lock, _listen(place) as listener:
        installation.tell(lock, installation.Running(os.getpid(), place.settings.port, ""))
        demo = None if no_demo else city
        asyncio.run(system.System(place, listener.fileno(), lock, demo).serve())


def down(*, data_dir: DataDir = None) -> None:
    """Stop the system that `golden up` started from this data folder.

    停止由 golden up 启动的系统。
    """
    place = installation.find(data_dir)
    told = installation.running(place.lock_path)
    if told is None:
        typer.echo("Not running. 未在运行。")
        return
    os.kill(told.pid, signal.SIGTERM)
    until = time.monotonic() + _DOWN_LIMIT_S
    while installation.running(place.lock_path) is not None:
        if time.monotonic() > until:
            raise Trouble(
                f"Process {told.pid} does not end; see {place.log_dir}.",
                f"进程 {told.pid} 未能结束，请查看 {place.log_dir}。",
            )
        time.sleep(0.1)
    typer.echo("Stopped. 已停止。")


def _make_folders(place: Installation) -> None:
    """Make the data folder. Others may pass through it but not list it: the servers' user does."""
    try:
        for folder in (place.data_dir, place.log_dir):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o711)
    except PermissionError as failure:
        raise Trouble(
            f"{place.data_dir} belongs to somebody else. Give it back, or choose --data-dir.",
            f"{place.data_dir} 属于其他用户。请修正其属主，或用 --data-dir 另选目录。",
        ) from failure


def _listen(place: Installation) -> socket.socket:
    """Open the one listening socket that every app process inherits.

    A connection waits in its queue while a process that was killed starts again.
    """
    host, port = place.settings.host, place.settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as failure:
        if failure.errno not in {errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL}:
            raise
        why = os.strerror(failure.errno or 0)
        raise Trouble(
            f"Port {port} on {host} cannot be had ({why}). Choose another: --port {port + 1}",
            f"无法使用 {host} 的端口 {port}（{why}）。请另选端口：--port {port + 1}",
        ) from failure
