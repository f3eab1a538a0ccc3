"""The log of one child: kept in a file of bounded size, the important lines said aloud as well."""

import asyncio
import contextlib
import json
import logging
import logging.handlers
import os
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

_MAX_BYTES = 10_000_000
_OLD_FILES = 3
_ALOUD = ("error", "critical")
#: How PostgreSQL marks what an operator must see; an ERROR there is a refused statement.
_ALOUD_POSTGRES = ("FATAL:", "PANIC:")
#: A FATAL line that only says the server is starting or stopping is no news.
_USUAL_POSTGRES = ("the database system is ", "terminating connection")


class LogFile:
    """Where the output of one child goes."""

    def __init__(self, path: Path, name: str, say: Callable[[str], None]) -> None:
        """Keep the lines of the child `name` in `path` and say the important ones by `say`."""
        self.path = path
        self._name = name
        self._say = say
        self._file = logging.handlers.RotatingFileHandler(
            path, maxBytes=_MAX_BYTES, backupCount=_OLD_FILES, encoding="utf-8", delay=True
        )

    async def follow(self, descriptor: int) -> None:
        """Read a pipe to its end, line by line."""
        async for line in _lines(descriptor):
            self._file.emit(logging.makeLogRecord({"msg": line}))
            if is_important(line):
                self._say(f"{self._name}: {_short(line)}")
        self._file.close()


def is_important(line: str) -> bool:
    """Tell whether a line of a child's log must be seen by who started the system."""
    if line.startswith("{"):
        return _fields(line).get("level") in _ALOUD
    if any(words in line for words in _USUAL_POSTGRES):
        return False
    return any(mark in line for mark in _ALOUD_POSTGRES)


async def first_line(descriptor: int) -> str:
    """Read one line from a pipe; empty when the other end closes without a word."""
    async with contextlib.aclosing(_lines(descriptor)) as lines:
        return await anext(lines, "")


async def _lines(descriptor: int) -> AsyncGenerator[str, None]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    transport, _protocol = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb")
    )
    try:
        while line := await _line(reader):
            yield line.decode("utf-8", "replace").rstrip("\n")
    finally:
        transport.close()


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except ValueError:  # longer than the limit; the reader has dropped it
        return b"(a line of more than a megabyte was left out)\n"


def _short(line: str) -> str:
    return str(_fields(line).get("event", line)) if line.startswith("{") else line


def _fields(line: str) -> dict[str, object]:
    try:
        fields = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return fields if isinstance(fields, dict) else {}
