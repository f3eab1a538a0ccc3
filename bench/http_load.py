"""A load client of its own for HTTP on the loopback: raw HTTP/1.1, some 35 µs of CPU a request.

    answer = await load(url, [Ask("/api/v1/aeds"), …], clients=8, seconds=5.0)

Closed loop: each client asks again when it is answered (throughput). Open loop with `rate`: a
request counts from the moment at which it was due, so a stall is not left out (latency).
`alternate` measures several services by turns, so that what else the machine does falls on all of
them, and gives the medians. `Cpu` counts processor time of processes in nanoseconds.
Only loopback addresses are taken. Used by the benches beside it.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import socket
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import psutil
import uvloop

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
ANSWER_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Ask:
    """One request; with a body it is sent as JSON unless the headers say otherwise."""

    path: str
    method: str = "GET"
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self, host: str, prefix: str, common: Mapping[str, str]) -> bytes:
        """Write the request as it goes over the wire."""
        sent = {"Host": host, **common, **self.headers}
        if self.body is not None:
            sent.setdefault("Content-Type", "application/json")
            sent["Content-Length"] = str(len(self.body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        head = f"{self.method} {prefix}{self.path} HTTP/1.1\r\n{lines}\r\n"
        return head.encode() + (self.body or b"")


@dataclass(slots=True)
class Load:
    """What was measured: milliseconds of every answer, how long it went on, and the statuses."""

    milliseconds: list[float]
    seconds: float
    statuses: dict[int, int]
    client_cpu_s: float
    sample: bytes = b""
    server_cpu_s: float | None = None

    def figures(self) -> dict[str, Any]:
        """Sum up for a line of JSON."""
        n = len(self.milliseconds)
        cpu_s = self.server_cpu_s
        return {
            "n": n,
            "per_s": round(n / self.seconds, 1),
            **{f"p{p}_ms": round(percentile(self.milliseconds, p), 3) for p in (50, 95, 99)},
            "statuses": self.statuses,
            "client_cpu_us": round(self.client_cpu_s / max(1, n) * 1e6, 1),
            "server_cpu_us": None if cpu_s is None else round(cpu_s / max(1, n) * 1e6, 1),
        }


async def load(
    url: str,
    asks: Sequence[Ask],
    *,
    clients: int = 8,
    seconds: float = 5.0,
    rate: float | None = None,
    headers: Mapping[str, str] | None = None,
    warm_s: float = 0.5,
    server: int | None = None,
) -> Load:
    """Send the requests round and round for so long; `rate` is requests a second of all clients.

    `server` is the process whose processor time is counted beside.
    """
    parts = urlsplit(url)
    host, port = _loopback(parts.hostname), parts.port or 80
    prefix = parts.path.rstrip("/")
    wires = [ask.encoded(parts.netloc, prefix, headers or {}) for ask in asks]
    turns = itertools.cycle(wires)
    began = time.perf_counter() + warm_s
    run = _Run(turns, began, began + seconds, None if rate is None else clients / rate)
    loop = asyncio.get_running_loop()
    connections = [
        (await loop.create_connection(_Connection, host, port))[1] for _ in range(clients)
    ]
    cpu = time.process_time()
    served = None if server is None else Cpu(server)
    try:
        await asyncio.gather(*(run.client(c, k / clients) for k, c in enumerate(connections)))
    finally:
        for connection in connections:
            connection.close()
    took = time.perf_counter() - began
    measured = took / (took + warm_s)  # the rest was warming up
    spent = (time.process_time() - cpu) * measured
    on_server = None if served is None else served.seconds() * measured
    return Load(run.milliseconds, took, run.statuses, spent, run.sample, on_server)


async def once(
    url: str, asks: Sequence[Ask], *, headers: Mapping[str, str] | None = None
) -> list[float]:
    """Send each request once, one after the other; give the milliseconds of the answers."""
    parts = urlsplit(url)
    host = _loopback(parts.hostname)
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(_Connection, host, parts.port or 80)
    took = []
    try:
        for ask in asks:
            began = time.perf_counter()
            await connection.ask(ask.encoded(parts.netloc, parts.path.rstrip("/"), headers or {}))
            took.append((time.perf_counter() - began) * 1e3)
    finally:
        connection.close()
    return took


def alternate(
    services: Mapping[str, Callable[[], Awaitable[Load]]], *, rounds: int = 3
) -> dict[str, list[Load]]:
    """Measure each service in turn, `rounds` times, forwards and backwards by turns."""
    found: dict[str, list[Load]] = {name: [] for name in services}
    with no_collector():
        for turn in range(rounds):
            order = list(services) if turn % 2 == 0 else list(services)[::-1]
            for name in order:
                found[name].append(run(services[name]()))
    return found


def median(loads: Iterable[Load], what: str) -> float:
    """Give the median over the rounds of one figure, such as `p50_ms` or `per_s`."""
    return float(statistics.median(load.figures()[what] for load in loads))


def spread(loads: Iterable[Load], what: str) -> list[float]:
    """Give the least and the most over the rounds of one figure."""
    values = [load.figures()[what] for load in loads]
    return [min(values), max(values)]


def run(work: Awaitable[Any]) -> Any:
    """Run on uvloop, which leaves most of the machine to the server."""

    async def whole() -> Any:
        return await work

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(whole())


@contextmanager
def no_collector() -> Iterator[None]:
    """Keep the client's garbage collector out of the measured time."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Cpu:
    """Processor seconds of processes and their children since `start`; schedstat, nanoseconds."""

    def __init__(self, *pids: int) -> None:
        self._processes = [psutil.Process(pid) for pid in pids]
        self._began = self._now()

    def start(self) -> Cpu:
        """Count from now on."""
        self._began = self._now()
        return self

    def seconds(self) -> float:
        """Say how much was used since."""
        return self._now() - self._began

    def _now(self) -> float:
        family = {
            one.pid for top in self._processes for one in (top, *top.children(recursive=True))
        }
        return sum(_spent(pid) for pid in family)


def _spent(pid: int) -> float:
    total = 0.0
    for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            total += int(path.read_text().split()[0]) / 1e9
        except (OSError, IndexError, ValueError):  # the thread ended meanwhile
            continue
    return total


def percentile(values: Sequence[float], percent: float) -> float:
    """Give a percentile, not a number where there are no values."""
    ordered = sorted(values)
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def free_port() -> int:
    """Find a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def say(**figures: object) -> None:
    """Print one line of JSON."""
    print(json.dumps(figures, ensure_ascii=False), flush=True)


def _loopback(host: str | None) -> str:
    if host not in LOOPBACK:
        raise SystemExit(f"only this machine is measured, not {host}")
    return host or ""


@dataclass(slots=True)
class _Run:
    """What the clients of one run share."""

    turns: Iterator[bytes]
    began: float
    end: float
    interval: float | None  # between two requests of one client, in the open loop
    milliseconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    sample: bytes = b""

    async def client(self, connection: _Connection, phase: float) -> None:
        """Ask until the end; in the open loop each client is due a little after the one before."""
        due = time.perf_counter() if self.interval is None else self.began + phase * self.interval
        while (now := time.perf_counter()) < self.end:
            if self.interval is None:
                due = now
            elif due >= self.end:
                return
            elif due > now:
                await asyncio.sleep(due - now)
            await self._ask(connection, due)
            due += self.interval or 0.0

    async def _ask(self, connection: _Connection, due: float) -> None:
        status = await connection.ask(next(self.turns))
        if due >= self.began:
            self.milliseconds.append((time.perf_counter() - due) * 1e3)
            self.statuses[status] = self.statuses.get(status, 0) + 1
            self.sample = self.sample or connection.body


class _Connection(asyncio.Protocol):
    """One kept connection; answers must say their length, or have none (204, 304)."""

    def __init__(self) -> None:
        self._heard = bytearray()
        self._answer: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport | None = None
        self.body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class

    def connection_lost(self, _error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server closed the connection"))

    async def ask(self, wire: bytes) -> int:
        """Send one request and give the status of its answer."""
        if self._transport is None:
            raise ConnectionError("not connected")
        self._answer = asyncio.get_running_loop().create_future()
        guard = asyncio.get_running_loop().call_later(ANSWER_WITHIN_S, self._transport.abort)
        self._transport.write(wire)
        try:
            return await self._answer
        finally:
            guard.cancel()

    def data_received(self, data: bytes) -> None:
        self._heard += data
        end = self._heard.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._heard[:end]).lower()
        _, found, rest = head.partition(b"content-length:")
        length = int(rest.partition(b"\r\n")[0]) if found else 0
        whole = end + 4 + length
        if len(self._heard) >= whole and self._answer is not None and not self._answer.done():
            self.body = bytes(self._heard[end + 4 : whole])
            del self._heard[:whole]
            self._answer.set_result(int(head[9:12]))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
