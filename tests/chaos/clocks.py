"""Clocks that can be put wrong: libfaketime before the programs, and a file for each that says how.

Only the time of day is faked; the monotonic clock goes on, as it does on a machine whose clock is
set.
"""

from __future__ import annotations

import ctypes.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def library() -> str | None:
    """Find libfaketime, which Debian keeps outside of the search path; None where it is not."""
    places = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    return next(map(str, places), None) or ctypes.util.find_library("faketime")


class Clocks:
    """The clock of each process of a system."""

    def __init__(self, folder: Path, preload: str) -> None:
        self._folder = folder
        self._preload = preload
        folder.mkdir(mode=0o755)
        folder.chmod(0o755)

    def environment(self, name: str) -> dict[str, str]:
        """Give what makes a process that starts with `LD_PRELOAD` look into its own file."""
        self.set(name, "+0")
        return {
            "FAKETIME_TIMESTAMP_FILE": str(self._folder / name),
            # Without it the file is opened at each look at the clock, by all threads in turn.
            "FAKETIME_CACHE_DURATION": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "LD_PRELOAD": self._preload,
        }

    def set(self, name: str, jump: str) -> None:
        """Say how far a process is off: `+7200` seconds, or `+0 x1.01` for one that runs fast."""
        whole = self._folder / f".{name}"
        whole.write_text(f"{jump}\n")
        whole.chmod(0o644)
        whole.rename(self._folder / name)

    @contextmanager
    def preloaded(self) -> Iterator[None]:
        """Have what is started meanwhile load the library."""
        more = self.environment("nobody")
        os.environ.update(more)
        try:
            yield
        finally:
            for name in more:
                os.environ.pop(name, None)
