"""App processes forked from one that has loaded the program already.

Loading the libraries takes seconds of processor time; a fork takes milliseconds. So a process that
was killed is back at once, and several share the memory of what they loaded. The standard library's
fork server does it: a process of its own with a single thread, which ends with us.
"""

import asyncio
import dataclasses
import importlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing import forkserver, reduction
from multiprocessing.process import BaseProcess
from typing import IO, Any, Literal

import setproctitle

from web.commands import process, readiness

_PRELOADED = "web.commands.loaded"
_context = multiprocessing.get_context("forkserver")


def load_early() -> None:
    """Begin to load the program now, beside whatever else is done, for the forks to come."""
    _context.set_forkserver_preload([_PRELOADED])
    forkserver.ensure_running()


@dataclass(frozen=True, slots=True)
class ForkedProgram:
    """One process that does what the module of a command does when forked."""

    name: str
    command: Literal["serve", "runner"]
    environment: Mapping[str, str] = field(default_factory=dict)
    listener: int | None = None
    ready_pipe: int | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_limit_s: float = 15

    def with_ready_pipe(self, descriptor: int) -> "ForkedProgram":
        """Give the same program, told to say on this pipe that it is ready."""
        return dataclasses.replace(self, ready_pipe=descriptor)

    async def begin(self, output: IO[bytes]) -> "Forked":
        """Fork it, in a thread: the first fork waits until the program is loaded."""
        descriptors = (output.fileno(), self.ready_pipe, self.listener)
        passed = tuple(None if number is None else _Passed(number) for number in descriptors)
        child = _context.Process(
            target=_live,
            args=(self.name, self.command, dict(self.environment), *passed),
            daemon=True,
        )
        await asyncio.to_thread(child.start)
        return Forked(child)


class Forked:
    """A forked process with the methods of `subprocess.Popen` that the supervisor needs."""

    def __init__(self, child: BaseProcess) -> None:
        self._child = child

    @property
    def pid(self) -> int:
        """Give the process id."""
        return self._child.pid or 0

    def poll(self) -> int | None:
        """Give the exit status, None while it runs; minus the signal that ended it."""
        return self._child.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and give the exit status."""
        self._child.join(timeout)
        status = self._child.exitcode
        return 255 if status is None else status

    def send_signal(self, number: int) -> None:
        """Send a signal unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


class _Passed:
    """A file descriptor that arrives in the child as an open one, under a number of its own."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> tuple[Callable[..., int], tuple[object]]:
        return _received, (reduction.DupFd(self._number),)


def _received(passed: Any) -> int:
    return int(passed.detach())


def _end_with_supervisor() -> None:
    """End when the supervisor does; the fork server itself lives as long as any of its children."""
    supervisor = multiprocessing.parent_process()
    if supervisor is not None:
        supervisor.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _live(  # noqa: PLR0917 - as the arguments of a process are handed over
    name: str,
    command: str,
    environment: dict[str, str],
    output: int,
    ready_pipe: int | None,
    listener: int | None,
) -> None:
    """Be the child: take on name, environment and descriptors, then work."""
    os.setsid()
    process.die_with_parent(signal.SIGTERM)  # the fork server is the parent that the kernel knows
    setproctitle.setproctitle(f"golden {command} ({name})")
    os.chdir("/")
    for standard in (1, 2):
        os.dup2(output, standard)
    os.close(output)
    os.environ.update(environment)
    if ready_pipe is not None:
        os.environ[readiness.READY_FD] = str(ready_pipe)
    # A thread only now: what it calls may read the environment while that is written.
    threading.Thread(target=_end_with_supervisor, daemon=True).start()
    importlib.import_module(f"web.commands.{command}").run_forked(listener)
