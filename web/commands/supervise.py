"""The supervisor of `golden up`: starts children in order, starts a dead one again, stops all.

A child that dies is started again at once, aloud. Only one that dies three times in a row before
it was ready has to wait, longer each time, so that a broken set-up does not spin.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import IO

from web.commands import log_files
from web.commands.forked import Forked, ForkedProgram
from web.commands.process import Program
from web.commands.trouble import Trouble

_QUICK_TRIES = 3
_LONGEST_WAIT_S = 15.0
_PROBE_EVERY_S = 0.03

Say = Callable[[str], None]
Kept = Program | ForkedProgram
Running = subprocess.Popen[bytes] | Forked
Probe = Callable[[], bool]


class Child:
    """One kept program: its present process, and how often it had to be started again."""

    def __init__(self, program: Kept, probe: Probe | None, log_dir: Path, say: Say) -> None:
        """Keep `program`; `probe` asks whether it is ready, None means it says so itself."""
        self.program = program
        self.ready = asyncio.Event()
        self.restarts = 0
        self._probe = probe
        self._log = log_files.LogFile(log_dir / f"{program.name}.log", program.name, say)
        self._say = say
        self._stopping = asyncio.Event()
        self._hopeless = asyncio.Event()
        self._changing = asyncio.Lock()  # held from the decision to start until it has started
        self._process: Running | None = None
        self._is_wanted_again = False
        self._listeners: set[asyncio.Task[None]] = set()

    @property
    def pid(self) -> int | None:
        """Give the process id of the present process."""
        return self._process.pid if self._process else None

    async def keep(self) -> None:
        """Run the program and start it again whenever it ends, until told to stop."""
        failures = 0
        while not self._stopping.is_set():
            status = await self._live_once()
            failures = 0 if self.ready.is_set() else failures + 1
            if self._stopping.is_set():
                return
            self.ready.clear()
            if self._is_wanted_again:
                self._is_wanted_again = False
                continue
            self.restarts += 1
            self._say(
                f"{self.program.name} ended ({describe(status)}); restart no. {self.restarts}"
                f" / {self.program.name} 已退出，第 {self.restarts} 次重启"
            )
            if failures >= _QUICK_TRIES:
                self._hopeless.set()
                wait_s = min(2.0 ** (failures - _QUICK_TRIES), _LONGEST_WAIT_S)
                self._say(
                    f"{self.program.name} was never ready; waiting {wait_s:.0f} s, see "
                    f"{self._log.path} / 尚未就绪，等待 {wait_s:.0f} 秒"
                )
                await asyncio.sleep(wait_s)

    async def started(self) -> None:
        """Wait until the program is ready; raises Trouble when it keeps ending before that."""
        waits = [asyncio.create_task(event.wait()) for event in (self.ready, self._hopeless)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if not self.ready.is_set():
            raise Trouble(
                f"{self.program.name} cannot start; its log says why: {self._log.path}",
                f"{self.program.name} 无法启动，原因见日志：{self._log.path}",
            )

    async def stop(self) -> None:
        """Ask the program to end, and make it end when it takes longer than its limit."""
        self._stopping.set()
        await self._end()
        if self._listeners:
            await asyncio.wait(self._listeners, timeout=1)

    async def start_again(self) -> None:
        """End the program so that it is started afresh, on purpose: no restart is counted."""
        if self._process is None or self._process.poll() is not None:
            return  # it is being started anyway
        self._is_wanted_again = True
        self._say(f"{self.program.name} starts again / {self.program.name} 重新启动")
        await self._end()

    async def _end(self) -> None:
        async with self._changing:
            child = self._process
        if child is None or child.poll() is not None:
            return
        child.send_signal(self.program.stop_signal)
        try:
            await asyncio.wait_for(_ended(child), self.program.stop_limit_s)
        except TimeoutError:
            self._say(f"{self.program.name} does not end; killed / 未能结束，已强制终止")
            child.kill()
            await _ended(child)
        child.wait()

    async def _live_once(self) -> int:
        """Start the program, unless told to stop, and give its exit status when it ends."""
        async with self._changing:
            if self._stopping.is_set():
                return 0
            child, ready = await self._begin_logged()
            self._process = child
        waiting = asyncio.create_task(self._wait_ready(ready))
        await _ended(child)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return child.wait()

    async def _begin_logged(self) -> tuple[Running, int | None]:
        reader, writer = os.pipe()
        with os.fdopen(writer, "wb") as output:
            # Nobody awaits it: a grandchild may hold the pipe open after the child has ended.
            listener = asyncio.create_task(self._log.follow(reader))
            self._listeners.add(listener)
            listener.add_done_callback(self._listeners.discard)
            return await self._begin(output)

    async def _begin(self, output: IO[bytes]) -> tuple[Running, int | None]:
        if self._probe is not None:
            return await self.program.begin(output), None
        reader, writer = os.pipe()
        with os.fdopen(writer, "wb"):
            return await self.program.with_ready_pipe(writer).begin(output), reader

    async def _wait_ready(self, pipe: int | None) -> None:
        if pipe is not None:
            said = await log_files.first_line(pipe)
            if not said:
                return
        elif self._probe is not None:
            while not await asyncio.to_thread(self._probe):  # noqa: ASYNC110 - another process
                await asyncio.sleep(_PROBE_EVERY_S)
        self.ready.set()


class Supervisor:
    """Children in layers: a layer starts when the one below is ready, and stops before it."""

    def __init__(self, log_dir: Path, say: Say) -> None:
        """Write the children's logs into `log_dir`; say important things aloud by `say`."""
        self._log_dir = log_dir
        self._say = say
        self._layers: list[list[Child]] = []
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(
        self, *programs: Kept, probe: Probe | None = None, limit_s: float = 300
    ) -> None:
        """Start one layer and wait until all of it is ready; raises Trouble."""
        children = [Child(program, probe, self._log_dir, self._say) for program in programs]
        self._layers.append(children)
        for child in children:
            self._tasks[child.program.name] = asyncio.create_task(child.keep())
        try:
            async with asyncio.timeout(limit_s):
                await asyncio.gather(*(child.started() for child in children))
        except TimeoutError:
            names = ", ".join(program.name for program in programs)
            raise Trouble(
                f"Not ready after {limit_s:.0f} s: {names}; see {self._log_dir}",
                f"{limit_s:.0f} 秒后仍未就绪：{names}，见 {self._log_dir}",
            ) from None

    async def stop(self) -> None:
        """Stop every layer, the last one first."""
        while self._layers:
            children = self._layers.pop()
            await asyncio.gather(*(child.stop() for child in children))
            for child in children:
                task = self._tasks.pop(child.program.name)
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    def children(self) -> list[Child]:
        """Give every child in the order of starting."""
        return [child for layer in self._layers for child in layer]


async def run_once(program: Program) -> int:
    """Run a program to its end, its output on our terminal; give its exit status.

    When the caller is cancelled the program is stopped first.
    """
    child = program.spawn(None)
    try:
        await _ended(child)
    except asyncio.CancelledError:
        program.stop(child)
        raise
    return child.wait()


def describe(status: int) -> str:
    """Say in words how a process ended."""
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


async def _ended(child: Running) -> None:
    """Wait for the end without a thread: the kernel makes a process's descriptor readable then."""
    if child.poll() is not None:
        return
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    descriptor = os.pidfd_open(child.pid)
    loop.add_reader(descriptor, done.set)
    try:
        await done.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
