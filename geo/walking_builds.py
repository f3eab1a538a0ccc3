"""Which builds of walking networks are under way, so that what a dead one left is removed.

Each holds a lock on a file of its own beside its folder, which the kernel lets go when all who have
it open have ended, however they ended.
"""

import fcntl
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from geo import walking_files

#: What has no lock is another version's; nobody writes to it after so long.
_DEAD_AFTER_S = 86_400.0
_LEFT_OVER = re.compile(r"\..+\.[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Hold:
    """The name of a build, and the lock that says it is alive while any process has it open."""

    build: str
    path: Path
    file: TextIO

    def release(self) -> None:
        """Say that the build is in use, or dropped."""
        self.path.unlink(missing_ok=True)
        self.file.close()


def hold(folder: Path, name: str) -> Hold:
    """Name a new build of a city and keep others from removing it."""
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        build = walking_files.new_build()
        path = folder / f".{name}.{build}.lock"
        file = path.open("w")
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:  # else a sweep came between these two lines
            return Hold(build, path, file)
        file.close()


def remove_left_overs(folder: Path, *, now_s: float) -> None:
    """Remove what builds left that ended before they were done; `now_s` = seconds since 1970."""
    for lock in folder.glob(".*.lock"):
        _remove_if_dead(folder, lock)
    for path in folder.glob(".*"):
        is_ours = _LEFT_OVER.fullmatch(path.name) and path.is_dir() and not path.is_symlink()
        if not is_ours or path.with_name(f"{path.name}.lock").exists():
            continue
        if path.name not in _in_use(folder) and path.stat().st_mtime < now_s - _DEAD_AFTER_S:
            shutil.rmtree(path, ignore_errors=True)


def _remove_if_dead(folder: Path, lock: Path) -> None:
    try:
        file = lock.open()
    except FileNotFoundError:  # it was released meanwhile
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        # Looked up after the lock: until then the builder might have begun to use it.
        fresh = folder / lock.name.removesuffix(".lock")
        if fresh.name not in _in_use(folder):
            shutil.rmtree(fresh, ignore_errors=True)
        fresh.with_name(f"{fresh.name}.link").unlink(missing_ok=True)
        lock.unlink(missing_ok=True)


def _in_use(folder: Path) -> set[str]:
    return {path.readlink().name for path in folder.glob("[!.]*") if path.is_symlink()}
