"""`golden serve` and `golden runner`: one process each, as `golden up` starts them."""

import asyncio
import os
import resource
import signal
import socket
from typing import Annotated

import typer
import uvicorn
import uvloop

from dispatch import runner as dispatch_runner
from dispatch.settings import Settings
from web import app
from web.commands import installation, logs, supervise
from web.commands.options import DataDir

#: A longer message than this is closed with 4009.
_WS_MAX_BYTES = 65_536


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        say_ready()


def serve(
    *,
    fd: Annotated[
        int | None, typer.Option(help="Inherited listening socket. 继承的套接字。")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on. 监听地址。")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port. 端口。")] = None,
    data_dir: DataDir = None,
) -> None:
    """Run one app process against GOLDEN_DATABASE_URL and GOLDEN_REDIS_URL.

    运行一个应用进程。
    """
    settings = installation.find(data_dir).settings
    logs.configure(settings.log_level, process=os.environ.get(supervise.PROCESS, "app"))
    _raise_file_limit()
    server = _Server(_config(settings, host or settings.host, port or settings.port))
    sockets = None if fd is None else [socket.socket(fileno=fd)]
    server.run(sockets)


def runner(*, data_dir: DataDir = None) -> None:
    """Run one runner process: due timers and outgoing messages.

    运行一个后台进程：到期的定时任务与待发消息。
    """
    settings = installation.find(data_dir).settings
    logs.configure(settings.log_level, process=os.environ.get(supervise.PROCESS, "runner"))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(_run(settings))


def say_ready() -> None:
    """Tell the supervisor, if there is one, that this process does its work now."""
    number = os.environ.pop(supervise.READY_FD, None)
    if number is not None:
        with open(int(number), "w") as pipe:  # noqa: PTH123 - an inherited file descriptor
            pipe.write("ready\n")


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    say_ready()
    await dispatch_runner.run(settings, stop=stop)


def _config(settings: Settings, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        lambda: app.create_app(settings),
        factory=True,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=_WS_MAX_BYTES,
        ws_per_message_deflate=False,  # doubles the memory and the CPU of every socket
        timeout_graceful_shutdown=10,
        server_header=False,
        log_config=None,
    )


def _raise_file_limit() -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
