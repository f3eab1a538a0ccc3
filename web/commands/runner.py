"""`golden runner`: one runner process, as `golden up` starts it."""

import asyncio
import os
import signal

import uvloop

from dispatch import runner as dispatch_runner
from dispatch.settings import Settings
from web.commands import installation, logs, readiness
from web.commands.options import DataDir


def runner(*, data_dir: DataDir = None) -> None:
    """Run one runner process: due timers and outgoing messages. Two may run side by side.

    运行一个后台进程：到期的定时任务与待发消息。
    """
    run(installation.find(data_dir).settings)


def run_forked(_listener: int | None) -> None:
    """Be a runner that was forked; its settings stand in the environment."""
    run(installation.find().settings)


def run(settings: Settings) -> None:
    """Fire timers until a signal."""
    logs.configure(settings.log_level, process=os.environ.get(readiness.PROCESS, "runner"))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(_run(settings))


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    readiness.say_ready()
    await dispatch_runner.run(settings, stop=stop)
