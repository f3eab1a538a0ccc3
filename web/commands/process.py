"""One child process: what to run, as whom, and how it ends together with its parent."""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TypedDict

from web.commands import readiness

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


@dataclass(frozen=True, slots=True)
class Owner:
    """The system user whom the database servers and their files belong to."""

    name: str
    uid: int
    gid: int

    def make_folder(self, path: Path, *, mode: int = 0o700) -> Path:
        """Make a folder that belongs to this user; a folder that is there keeps its content."""
        path.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)
        path.chmod(mode)
        return path

    def can_pass(self, path: Path) -> bool:
        """Tell whether this user may walk through every folder down to `path`."""
        return all(self._can_enter(folder) for folder in (path, *path.parents) if folder.exists())

    def _can_enter(self, folder: Path) -> bool:
        status = folder.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & 0o100)
        return bool(status.st_mode & (0o010 if status.st_gid == self.gid else 0o001))


def server_owner() -> Owner:
    """Name the user for the servers: PostgreSQL refuses to run as root, so root uses `postgres`."""
    root = os.geteuid() == 0
    entry = pwd.getpwnam("postgres") if root else pwd.getpwuid(os.geteuid())
    return Owner(entry.pw_name, entry.pw_uid, entry.pw_gid)


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. `executable` differs from argv[0] where one binary plays several parts."""

    name: str
    argv: tuple[str, ...]
    executable: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    owner: Owner | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_limit_s: float = 15
    file_descriptors: tuple[int, ...] = ()

    def spawn(self, output: IO[bytes] | int | None = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """Start it in a session of its own, so that Ctrl-C reaches only us. Main thread only.

        `output` takes what it writes; None lets it write where we write.

        The kernel ties the death signal to the thread that forked: were that a worker thread, the
        child would be stopped as soon as the thread ends.
        """
        return subprocess.Popen(
            self.argv,
            executable=self.executable or shutil.which(self.argv[0]),
            env={**os.environ, **self.environment},
            cwd="/",  # never the caller's folder: the owner may not be let in there
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=self.file_descriptors,
            preexec_fn=_die_with(os.getpid(), self.stop_signal),  # noqa: PLW1509 - no other way
            **_run_as(self.owner),
        )

    def with_ready_pipe(self, descriptor: int) -> "Program":
        """Give the same program, told to say on this pipe that it is ready."""
        environment = {**self.environment, readiness.READY_FD: str(descriptor)}
        descriptors = (*self.file_descriptors, descriptor)
        return replace(self, environment=environment, file_descriptors=descriptors)

    async def begin(self, output: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start it under the supervisor, whose loop runs in the main thread."""
        return self.spawn(output)

    def stop(self, child: subprocess.Popen[bytes]) -> int:
        """Ask the child to end, wait, then make it end; give its exit status."""
        if child.poll() is None:
            child.send_signal(self.stop_signal)
        try:
            return child.wait(self.stop_limit_s)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait()


def run_as_owner(owner: Owner, *argv: str) -> None:
    """Run a short program as the owner of the servers; raises CalledProcessError with its words."""
    subprocess.run(argv, check=True, cwd="/", capture_output=True, text=True, **_run_as(owner))


class _Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _run_as(owner: Owner | None) -> _Identity:
    if owner is None or os.geteuid() != 0:
        return {}
    return {"user": owner.uid, "group": owner.gid, "extra_groups": []}


def die_with_parent(death_signal: signal.Signals) -> None:
    """Ask the kernel for this signal when the process that forked us ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, death_signal)


def _die_with(parent: int, death_signal: signal.Signals) -> Callable[[], None]:
    def arm() -> None:
        die_with_parent(death_signal)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return arm
