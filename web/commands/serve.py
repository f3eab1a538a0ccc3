"""`golden serve`: one app process, as `golden up` starts several."""

import gc
import os
import resource
import socket
from typing import Annotated

import typer
import uvicorn

from dispatch.settings import Settings
from web import app, position_socket
from web.commands import installation, logs, readiness
from web.commands.options import DataDir

#: A longer message than this closes the WebSocket with 1009; the live log answers 4009 long before.
_WS_MAX_BYTES = 1_048_576

#: A peer that leaves what we sent unread for this long is dropped by the kernel: asyncio keeps a
#: closed socket until its last byte is taken, which a phone that hangs never does. Longer than the
#: live log tries to say 4008 (5 s for a frame, then 10 s for the close).
_UNREAD_MS = 20_000
#: The kernel keeps no more than this of what it cannot yet send, else up to 4 MB for each peer that
#: does not read, who would be noticed only when that is full.
_UNSENT_BYTES = 32_768
# A process holds hundreds of thousands of objects that stay (AEDs, people, places). Looking through
# all of them for cycles stops it for hundreds of milliseconds, so that is done seldom.
_GARBAGE = (20_000, 50, 1_000)


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        readiness.say_ready()

    async def on_tick(self, counter: int) -> bool:
        # Without its live log a process would go on to answer and tell nobody anything.
        if getattr(self.lifespan, "error_occurred", False):
            self.should_exit = True
        return await super().on_tick(counter)


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
    run(installation.find(data_dir).settings, fd=fd, host=host, port=port)


def run_forked(listener: int | None) -> None:
    """Be an app process that was forked; its settings stand in the environment."""
    run(installation.find().settings, fd=listener)


def run(
    settings: Settings, *, fd: int | None, host: str | None = None, port: int | None = None
) -> None:
    """Serve until a signal; on the inherited socket `fd` if there is one."""
    logs.configure(settings.log_level, process=os.environ.get(readiness.PROCESS, "app"))
    gc.set_threshold(*_GARBAGE)
    _raise_file_limit()
    config = _config(settings, host or settings.host, port or settings.port)
    listener = config.bind_socket() if fd is None else socket.socket(fileno=fd)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MS)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
    _Server(config).run([listener])


def _config(settings: Settings, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        lambda: app.create_app(settings),
        factory=True,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws=position_socket.PositionSocket,
        ws_max_size=_WS_MAX_BYTES,
        # Heartbeats find a dead peer by TCP_USER_TIMEOUT; pings only a dead one behind a proxy.
        ws_ping_interval=60,
        ws_per_message_deflate=False,  # doubles the memory and the CPU of every socket
        timeout_graceful_shutdown=8,
        server_header=False,
        log_config=None,
    )


def _raise_file_limit() -> None:
    """Allow as many open files as the machine does: every socket is one."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
