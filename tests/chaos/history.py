"""What happened, in order, one line of JSON each: the only thing that the checker reads.

`{"t": monotonic_ns, "p": who, "type": invoke|ok|fail|info|net|nemesis, "f": what, "key", "v"}`. An
operation that was refused for certain (4xx) is `fail`; one that timed out, was reset or answered
5xx is `info`: it may have happened or not.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

INVOKE, OK, FAIL, INFO, NET, NEMESIS = "invoke", "ok", "fail", "info", "net", "nemesis"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the history; `t` in seconds."""

    t: float
    p: str
    type: str
    f: str
    key: str | None
    v: Mapping[str, Any]


class History:
    """Writes the history, in memory and to a file."""

    def __init__(self, path: Path | None = None) -> None:
        self.rows: list[Row] = []
        self._file = path.open("wb") if path else None

    def note(self, p: str, kind: str, f: str, key: str | None = None, /, **v: Any) -> None:
        """Add a line, now."""
        at = time.monotonic_ns()
        self.rows.append(Row(at / 1e9, p, kind, f, key, v))
        if self._file is not None:
            line = {"t": at, "p": p, "type": kind, "f": f, "key": key, "v": v}
            self._file.write(orjson.dumps(line, default=str) + b"\n")

    @contextmanager
    def window(self, name: str, **scope: Any) -> Iterator[None]:
        """Note the beginning and the end of a fault; `scope` says what it hits."""
        self.note("nemesis", NEMESIS, "begin", name, **scope)
        try:
            yield
        finally:
            self.note("nemesis", NEMESIS, "end", name, **scope)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def read(path: Path) -> list[Row]:
    """Read a history from its file."""
    rows = []
    for line in path.read_bytes().splitlines():
        row = orjson.loads(line)
        rows.append(Row(row["t"] / 1e9, row["p"], row["type"], row["f"], row["key"], row["v"]))
    return rows
