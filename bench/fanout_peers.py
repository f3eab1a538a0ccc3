"""The peers of bench/fanout.py and how each is spoken to.

raw_write.py is always there. The others are measured where they are found:

    python3 -m venv PICOWS && PICOWS/bin/pip install picows uvloop
    npm install --prefix NODE ws socket.io
    GOLDEN_BENCH_PICOWS=PICOWS/bin/python GOLDEN_BENCH_NODE=NODE/node_modules …/bench/fanout.py
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import crowd
import http_load
from crowd import Crowd, Opening, Phone

from web.commands import process

HERE = Path(__file__).resolve().parent
START_WITHIN_S = 10.0
ACK = crowd.frame(
    b'{"type":"ack","alert":"0199c5c4-7d55-7c3a-9c60-1b2f0f3f7a11","level":"received"}'
)
#: None is everybody.
Whom = Sequence[int] | None


class Peer:
    """A server to which any text is an alert: over a socket at /pub one says whom to send it."""

    def __init__(self, port: int, pid: int, length: int) -> None:
        self.pid = pid
        self._port = port
        self._text = "x" * (length - len(b'{"text": ""}'))
        self._publisher: Phone | None = None
        #: Whether the sockets answer.
        self.ack = False

    def openings(self, count: int) -> list[Opening]:
        """Say how the sockets are opened."""
        return [Opening(f"ws://127.0.0.1:{self._port}/{number}") for number in range(count)]

    def prepare(self, crowd_: Crowd) -> None:
        """Open what is used to publish."""
        if self._publisher is None:
            crowd_.open([self._publishing()])
            self._publisher = crowd_.phones.pop()

    def _publishing(self) -> Opening:
        return Opening(f"ws://127.0.0.1:{self._port}/pub")

    def publish(self, whom: Whom) -> None:
        """Have one alert sent."""
        alert = {"text": self._text}
        asked = {"to": "all" if whom is None else whom, "alert": alert, "ack": self.ack}
        if self._publisher is not None:
            self._publisher.say(crowd.frame(self._spoken(asked)))

    def _spoken(self, asked: Mapping[str, Any]) -> bytes:
        return json.dumps(asked).encode()

    def is_event(self, payload: bytes) -> bool:
        """Say whether a frame is the alert."""
        return payload[:1] == b"{"

    def answer(self, _phone: Phone, _payload: bytes) -> bytes:
        """Write the ack of an alert."""
        return ACK

    def is_settled(self) -> bool:
        """Say whether everything is done that the alerts brought about."""
        return True

    def began(self, asked: Sequence[float]) -> list[float]:
        """Say from when each alert counts: when it was asked for."""
        return list(asked)


class RawWrite(Peer):
    """raw_write.py: told by HTTP, its frame is its own."""

    def prepare(self, crowd_: Crowd) -> None:
        self._poster = crowd.Poster(crowd_, f"http://127.0.0.1:{self._port}")

    def publish(self, whom: Whom) -> None:
        self._poster.post("/", json.dumps("all" if whom is None else whom).encode(), {})


class SocketIo(Peer):
    """Engine.IO 4 and Socket.IO 5 over a WebSocket only."""

    def openings(self, count: int) -> list[Opening]:
        return [self._opening(number) for number in range(count)]

    def _opening(self, number: int) -> Opening:
        url = f"ws://127.0.0.1:{self._port}/socket.io/?EIO=4&transport=websocket"
        return Opening(url, greeting=b'40{"id":%d}' % number, ready=b"40")

    def _publishing(self) -> Opening:
        return self._opening(-1)

    def _spoken(self, asked: Mapping[str, Any]) -> bytes:
        return b"42" + json.dumps(["pub", asked]).encode()

    def is_event(self, payload: bytes) -> bool:
        return payload[:2] == b"42"

    def answer(self, _phone: Phone, payload: bytes) -> bytes:
        number = payload[2 : payload.index(b"[")]
        return crowd.frame(b"43" + number + b'["received"]')


Start = Callable[[int], tuple[Sequence[str], Mapping[str, str]]]


def known() -> dict[str, tuple[type[Peer], Callable[[int, int], Sequence[str]] | str]]:
    """Give each peer's class and command, or why it is not measured."""
    python, modules = os.environ.get("GOLDEN_BENCH_PICOWS"), os.environ.get("GOLDEN_BENCH_NODE")
    node = shutil.which("node")
    no_node = "" if node and modules else "GOLDEN_BENCH_NODE names no node_modules, or no node"

    def script(name: str) -> Callable[[int, int], Sequence[str]] | str:
        return no_node or (lambda port, _: (str(node), str(HERE / name), str(port)))

    picows: Callable[[int, int], Sequence[str]] | str = (
        (lambda port, _: (python, str(HERE / "picows_peer.py"), str(port)))
        if python
        else "GOLDEN_BENCH_PICOWS names no interpreter that has it"
    )
    return {
        "raw_write": (
            RawWrite,
            lambda port, length: (
                sys.executable, str(HERE / "raw_write.py"), str(port), str(length),
            ),
        ),
        "picows": (Peer, picows),
        "ws_node": (Peer, script("ws_peer.js")),
        "socketio": (SocketIo, script("socketio_peer.js")),
    }  # fmt: skip


@contextmanager
def running(name: str, length: int) -> Iterator[Peer]:
    """Run a peer whose alerts have so many bytes."""
    make, command = known()[name]
    if isinstance(command, str):
        raise SystemExit(f"{name}: {command}")
    port = http_load.free_port()
    environment = {"NODE_PATH": os.environ.get("GOLDEN_BENCH_NODE", "")}
    program = process.Program(name, tuple(command(port, length)), environment=environment)
    child = program.spawn(subprocess.DEVNULL)
    try:
        _await(port, name)
        yield make(port, child.pid, length)
    finally:
        program.stop(child)


def _await(port: int, name: str) -> None:
    limit = time.monotonic() + START_WITHIN_S
    while time.monotonic() < limit:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        time.sleep(0.05)
    raise SystemExit(f"{name} does not answer")
