"""Thousands of WebSockets in one process over epoll: a client that costs little.

    crowd = Crowd(heard)
    crowd.open([Opening(url, hello=…, ready=b'{"type":"welcome"'), …])
    crowd.listen(until, is_done)

Who is turned away before being ready comes again after a second or two, as phones do.

There is no event loop: a frame heard and answered costs some ten microseconds, most of it the two
system calls. Frames are masked with zeros, which RFC 6455 allows. `Poster` sends HTTP requests over
a kept connection beside the sockets and notes the answers when they come. Only loopback addresses
are taken.
"""

from __future__ import annotations

import base64
import os
import random
import select
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import http_load

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
#: More than this many handshakes under way would overflow the queue of a listening socket.
AT_ONCE = 500
OPEN_WITHIN_S = 60.0


def frame(payload: bytes, kind: int = TEXT) -> bytes:
    """Write one frame as a client sends it."""
    length = len(payload)
    if length < 126:
        head = bytes((0x80 | kind, 0x80 | length))
    else:
        head = bytes((0x80 | kind, 0xFE, length >> 8, length & 0xFF))
    return head + b"\0\0\0\0" + payload


@dataclass(frozen=True, slots=True)
class Opening:
    """How one socket is opened: what it says, and how the frame begins that makes it ready.

    `hello` is sent after the handshake, `greeting` after the first frame heard. With an empty
    `ready` a socket is ready after its handshake.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    hello: bytes | None = None
    greeting: bytes | None = None
    ready: bytes = b""


class Phone:
    """One socket of the crowd."""

    def __init__(self, crowd: Crowd, number: int, opening: Opening, receive_bytes: int) -> None:
        self.number = number
        self.close_code: int | None = None
        self.is_ready = self.is_lost = False
        self.welcome = b""
        self._crowd, self._opening, self._receive_bytes = crowd, opening, receive_bytes
        self.ready_at = time.perf_counter()
        self.reopen()

    def reopen(self) -> None:
        """Connect and ask for a WebSocket."""
        opening = self._opening
        self._rest, self._greeting = b"", opening.greeting
        parts = urlsplit(opening.url)
        self.sock = connected(parts.hostname, parts.port or 80, self._receive_bytes)
        lines = {
            "Host": parts.netloc, "Upgrade": "websocket", "Connection": "Upgrade",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Version": "13", **opening.headers,
        }  # fmt: skip
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._hear = self._shake_hands
        self.sock.send(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())

    def read(self) -> None:
        """Take what has come."""
        try:
            data = self.sock.recv(262_144)
        except (BlockingIOError, OSError) as error:
            if isinstance(error, BlockingIOError):
                return
            data = b""
        if not data:
            self._crowd.lose(self)
            return
        self._hear(self._rest + data if self._rest else data, time.perf_counter())

    def say(self, wire: bytes) -> None:
        """Send bytes; what the kernel does not take is lost, which a bench would notice."""
        try:
            self.sock.send(wire)
        except OSError:
            self.is_lost = True

    def _shake_hands(self, data: bytes, at: float) -> None:
        head, end, rest = data.partition(b"\r\n\r\n")
        if not end:
            self._rest = data
            return
        if b" 101 " not in head.partition(b"\r\n")[0]:
            raise SystemExit(f"no WebSocket: {head[:200].decode()}")
        self._rest = b""
        self._hear = self._frames
        if self._opening.hello is not None:
            self.say(frame(self._opening.hello))
        if not self._opening.ready:
            self._become_ready(at)
        if rest:
            self._frames(rest, at)

    def _become_ready(self, at: float) -> None:
        self.is_ready, self.ready_at = True, at
        self._crowd.note_ready()

    def _frames(self, data: bytes, at: float) -> None:
        begin, end = 0, len(data)
        while end - begin >= 2:
            length, head = data[begin + 1], begin + 2
            if length >= 126:
                wide = 2 if length == 126 else 8
                head += wide
                length = int.from_bytes(data[begin + 2 : head])
            if end < head + length:
                break
            self._take(data[begin] & 0x0F, data[head : head + length], at)
            begin = head + length
        self._rest = data[begin:]

    def _take(self, kind: int, payload: bytes, at: float) -> None:
        if kind == TEXT:
            if self.is_ready:
                self._crowd.heard(self, payload, at)
            else:
                self._open_up(payload, at)
        elif kind == PING:
            self.say(frame(payload, PONG))
        elif kind == CLOSE:
            self.close_code = int.from_bytes(payload[:2]) if len(payload) >= 2 else 1005

    def _open_up(self, payload: bytes, at: float) -> None:
        if payload.startswith(self._opening.ready):
            self.welcome = payload
            self._become_ready(at)
        elif self._greeting is not None:
            greeting, self._greeting = self._greeting, None
            self.say(frame(greeting))


Heard = Callable[[Phone, bytes, float], None]


class Crowd:
    """The sockets, and whatever else is read beside them."""

    def __init__(self, heard: Heard) -> None:
        self.heard = heard
        self.phones: list[Phone] = []
        self.lost = self.refused = 0
        self._ready = 0
        self._again: list[tuple[float, Phone]] = []
        self._beside: Callable[[], None] | None = None
        self._poll = select.epoll()
        self._readers: dict[int, Callable[[], None]] = {}

    def open(
        self,
        openings: Sequence[Opening],
        *,
        at_once: int = AT_ONCE,
        receive_bytes: int = 0,
        beside: Callable[[], None] | None = None,
    ) -> float:
        """Open sockets, so many handshakes at once; return the seconds until the last is ready.

        `beside` is called again and again meanwhile.
        """
        self._beside = beside
        began, first, want = time.perf_counter(), self._ready, len(openings)
        limit = began + OPEN_WITHIN_S
        for count, opening in enumerate(openings):
            phone = Phone(self, len(self.phones), opening, receive_bytes)
            self.phones.append(phone)
            self.watch(phone.sock, phone.read)
            while count + 1 - (self._ready - first) >= at_once:
                self._step(0.1, limit)
        while self._ready - first < want:
            self._step(0.1, limit)
        return time.perf_counter() - began

    def _step(self, wait_s: float, limit: float) -> None:
        self._hear_once(wait_s)
        if self._beside is not None:
            self._beside()
        now = time.perf_counter()
        due = [phone for at, phone in self._again if at <= now]
        self._again = [entry for entry in self._again if entry[0] > now]
        for phone in due:
            phone.reopen()
            self.watch(phone.sock, phone.read)
        if now > limit:
            raise SystemExit(
                f"{self._ready} of {len(self.phones)} sockets opened, {self.lost} lost"
            )

    def watch(self, sock: socket.socket, read: Callable[[], None]) -> None:
        """Call `read` whenever there is something to read."""
        self._readers[sock.fileno()] = read
        self._poll.register(sock, select.EPOLLIN)

    def unwatch(self, sock: socket.socket) -> None:
        """Read a socket no more."""
        if self._readers.pop(sock.fileno(), None) is not None:
            self._poll.unregister(sock)

    def listen(self, until: float, is_done: Callable[[], bool] | None = None) -> None:
        """Read until that moment of the clock, or until all is done."""
        while (now := time.perf_counter()) < until:
            if is_done is not None and is_done():
                return
            self._hear_once(min(until - now, 0.05))

    def _hear_once(self, wait_s: float) -> None:
        readers = self._readers
        for handle, _ in self._poll.poll(wait_s, 2_048):
            if (read := readers.get(handle)) is not None:
                read()

    def note_ready(self) -> None:
        """Count a socket that has become ready."""
        self._ready += 1

    def lose(self, phone: Phone) -> None:
        """Note that a socket was closed by the other side."""
        self.unwatch(phone.sock)
        phone.sock.close()
        if phone.is_ready:
            phone.is_lost = True
            self.lost += 1
        else:
            self.refused += 1
            self._again.append((time.perf_counter() + random.uniform(1, 2), phone))

    def close(self) -> None:
        """Close every socket."""
        for phone in self.phones:
            if not phone.is_lost:
                self.unwatch(phone.sock)
                phone.sock.close()
        self.phones.clear()


class Poster:
    """Kept HTTP connections, used by turns; each answer is noted with its time."""

    def __init__(self, crowd: Crowd, url: str, connections: int = 1) -> None:
        parts = urlsplit(url)
        self._host, self._turn = parts.netloc, 0
        self._lines = [_Line(crowd, parts.hostname, parts.port or 80) for _ in range(connections)]

    def post(self, path: str, body: bytes, headers: Mapping[str, str], method: str = "POST") -> int:
        """Send a request; return its number."""
        sent = {"Host": self._host, "Content-Type": "application/json", **headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        head = f"{method} {path} HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
        line = self._lines[self._turn % len(self._lines)]
        self._turn += 1
        line.sock.settimeout(30)
        line.sock.sendall(head.encode() + body)
        line.sock.settimeout(0)
        return self._turn - 1

    @property
    def answers(self) -> list[tuple[float, int, bytes]]:
        """Give time, status and body of each answer, by connection."""
        return [answer for line in self._lines for answer in line.answers]

    @property
    def statuses(self) -> Counter[int]:
        """Count the answers by their status."""
        return Counter(status for _, status, _ in self.answers)


class _Line:
    """One HTTP connection; answers say their length."""

    def __init__(self, crowd: Crowd, host: str | None, port: int) -> None:
        self.answers: list[tuple[float, int, bytes]] = []
        self.sock = connected(host, port, 0)
        self._rest = b""
        self._crowd = crowd
        crowd.watch(self.sock, self._read)

    def _read(self) -> None:
        data = self.sock.recv(1_048_576)
        if not data:  # after some idle seconds a service closes what is kept
            self._crowd.unwatch(self.sock)
            self.sock.close()
        self._rest += data
        while (end := self._rest.find(b"\r\n\r\n")) >= 0:
            head = self._rest[:end].lower()
            _, found, rest = head.partition(b"content-length:")
            whole = end + 4 + (int(rest.partition(b"\r\n")[0]) if found else 0)
            if len(self._rest) < whole:
                return
            body, self._rest = self._rest[end + 4 : whole], self._rest[whole:]
            self.answers.append((time.perf_counter(), int(head[9:12]), body))


def connected(host: str | None, port: int, receive_bytes: int) -> socket.socket:
    """Connect to this machine.

    `receive_bytes` bounds what the kernel keeps for us, with packets as over a mobile network:
    else the kernel of the sender keeps a megabyte.
    """
    if host not in http_load.LOOPBACK:
        raise SystemExit(f"only this machine is measured, not {host}")
    sock = socket.socket()
    if receive_bytes:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1_000)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.connect((host, port))
    sock.settimeout(0)
    return sock
