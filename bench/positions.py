"""100,000 responders, of whom a thousand phones report ten times a second, and queries beside.

    .venv/bin/python bench/positions.py [--people 100000] [--sockets 1000] [--rate 10000]
        [--queries 50] [--seconds 6] [--rounds 3]

Starts a PostgreSQL and Redis of its own. By turns, in one run: queries for the nearest responders
to the idle service; the service takes positions; both at once; first of the thin service, whose
query is one GEOSEARCH, then of the product with the same messages. Peers in the same run: GEOADD in
batches, and batches to PostgreSQL. Prints one line of JSON each and last the ratios. The product is
reached by contract routes only.

`cores_busy` counts all that the machine does: client, service, PostgreSQL, Redis, and whatever else
runs. Where it comes near the number of cores, queries wait for a processor and not for the product:
`thin_query_p99_vs_idle` is what that does to a service without features, and `late_p99_ms` how late
this client comes to its own turns, which is in every answer's time as well.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import http_load
import httpx
import orjson
import position_city
import position_peers
import psutil
import redis.asyncio
import socket_load
import thin_positions
from private_system import Service, System, servers

from realtime import presence

#: The first queries of each connection to PostgreSQL prepare their statements: so many at once that
#: all of the pool have. They are not counted.
WARM_UP_S = 2.0
LOOK_EVERY_S = 0.005
LOOKED_AT = 10
LATE_EVERY_S = 0.005
GOALS = {
    "cpu_per_message_vs_thin": 1.3, "sent_per_s": 10_000,
    "age_p99_ms": 250, "query_p99_vs_idle": 2.0,
}  # fmt: skip


# ---- the messages


class Walk:
    """Writes the messages of walkers: the product's, or the thin service's."""

    def __init__(self, city: position_city.City) -> None:
        self._city = city
        self._began = time.time()

    def product(self, number: int) -> bytes:
        """Write a position as the contract has it."""
        lon, lat = self._city.at(number, time.time() - self._began)
        return b'{"type":"position","lon":%.6f,"lat":%.6f,"accuracy_m":8,"at":"%b"}' % (
            lon,
            lat,
            _now_text(),
        )

    def thin(self, number: int) -> bytes:
        """Write a position for the thin service, with the time of sending."""
        lon, lat = self._city.at(number, time.time() - self._began)
        return b'{"lon":%.6f,"lat":%.6f,"t":%d,"acc":8}' % (lon, lat, time.monotonic_ns())


def _now_text() -> bytes:
    return datetime.now(UTC).isoformat(timespec="milliseconds").encode()


@dataclass(slots=True)
class Taken:
    """What one service did with the messages."""

    sent_per_s: float
    us_per_message: float
    ages_ms: list[float]
    client_cpu_us: float
    cores_busy: float
    late_ms: list[float]
    queries: http_load.Load | None = None

    def figures(self) -> dict[str, Any]:
        """Sum up for a line of JSON."""
        found: dict[str, Any] = {
            "sent_per_s": round(self.sent_per_s), "us_per_message": round(self.us_per_message, 1),
            "age_p50_ms": round(http_load.percentile(self.ages_ms, 50), 1),
            "age_p99_ms": round(http_load.percentile(self.ages_ms, 99), 1),
            "ages": len(self.ages_ms), "client_us": round(self.client_cpu_us, 1),
            "cores_busy": round(self.cores_busy, 2),
            "late_p99_ms": round(http_load.percentile(self.late_ms, 99), 1),
        }  # fmt: skip
        return found | ({} if self.queries is None else {"queries": self.queries.figures()})


async def drive(
    service: Service,
    sockets: Sequence[socket_load.Socket],
    write: Callable[[int], bytes],
    args: argparse.Namespace,
    *,
    beside: Sequence[Awaitable[Any]] = (),
) -> tuple[Taken, list[Any]]:
    """Send for so long and count the server's processor time."""
    cpu, own = http_load.Cpu(service.pid), time.process_time()
    began, busy_s = time.perf_counter(), _busy_s()
    late = asyncio.create_task(_lateness())
    results = await asyncio.gather(
        socket_load.send(sockets, args.rate, args.seconds, write), *beside
    )
    late.cancel()
    late_ms = await late
    sent, took = results[0], time.perf_counter() - began
    lost = sum(socket.is_lost for socket in sockets)
    if lost:
        raise SystemExit(f"{lost} sockets were closed by the service")
    own_us = (time.process_time() - own) / sent * 1e6
    cores = (_busy_s() - busy_s) / took
    return Taken(sent / took, cpu.seconds() / sent * 1e6, [], own_us, cores, late_ms), list(
        results[1:]
    )


async def _lateness() -> list[float]:
    """Note by how much this process misses its own turns, until cancelled."""
    late_ms = list[float]()
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            due = time.perf_counter() + LATE_EVERY_S
            await asyncio.sleep(LATE_EVERY_S)
            late_ms.append(max(0.0, time.perf_counter() - due) * 1e3)
    return late_ms


def _busy_s() -> float:
    """Count the processor seconds of the whole machine."""
    times = psutil.cpu_times()
    return float(sum(times[:7]) - times.idle - times.iowait)


async def look_at_ages(system: System, city: position_city.City, seconds: float) -> list[float]:
    """Read some people's positions from Redis all the time, and note how old a new one is."""
    step = max(1, len(city.tokens) // LOOKED_AT)
    people, seen = city.ids[: len(city.tokens)][::step], dict[str, datetime]()
    ages, end = [], time.perf_counter() + seconds
    async with redis.asyncio.Redis.from_url(system.redis_url) as bus:
        while time.perf_counter() < end:
            found = await presence.latest(bus, people, now=datetime.now(UTC))
            now = datetime.now(UTC)
            for who, place in found.items():
                if who in seen and place.at > seen[who]:
                    ages.append((now - place.at).total_seconds() * 1e3)
                seen[who] = place.at
            await asyncio.sleep(LOOK_EVERY_S)
    return ages


def queries(path: str) -> list[http_load.Ask]:
    """Make questions all over the city."""
    dice = random.Random(7)
    return [
        http_load.Ask(f"{path}lon={lon:.6f}&lat={lat:.6f}")
        for lon, lat in (position_city.anywhere(dice) for _ in range(500))
    ]


def ask(
    service: Service, city: position_city.City, rate: float | None, seconds: float
) -> Awaitable[http_load.Load]:
    """Ask for the nearest responders at a fixed rate; a stall counts."""
    return http_load.load(
        service.url, queries("/api/v1/nearest/responders?limit=10&within_s=900&"), clients=16,
        seconds=seconds, rate=rate, headers={"Authorization": f"Bearer {city.operator}"},
    )  # fmt: skip


def ask_thin(service: Service, rate: float, seconds: float) -> Awaitable[http_load.Load]:
    """Ask the thin service for the nearest as often."""
    asks = queries("/nearest?")
    return http_load.load(service.url, asks, clients=16, seconds=seconds, rate=rate)


# ---- one after the other


async def product_sockets(service: Service, city: position_city.City) -> list[socket_load.Socket]:
    """Connect every phone as the contract has it."""

    def make(number: int) -> tuple[str, dict[str, str], bytes]:
        hello = orjson.dumps({"type": "hello", "topics": {f"person:{city.ids[number]}": None}})
        headers = {"Authorization": f"Bearer {city.tokens[number]}"}
        return service.url.replace("http", "ws", 1) + "/api/v1/live", headers, hello

    return await socket_load.connect_all(len(city.tokens), make)


async def thin_sockets(service: Service, count: int) -> list[socket_load.Socket]:
    """Connect as many to the thin service."""

    def make(number: int) -> tuple[str, dict[str, str], None]:
        return service.url.replace("http", "ws", 1) + f"/pos?id={number}", {}, None

    return await socket_load.connect_all(count, make)


async def measure(
    system: System,
    product: Service,
    thin: Service,
    city: position_city.City,
    args: argparse.Namespace,
) -> dict[str, list[Any]]:
    """Measure everything that goes over sockets, some rounds by turns."""
    await position_city.show_everybody(system, city)
    await position_city.show_everybody_thin(system, city, thin_positions.KEY)
    await ask(product, city, None, WARM_UP_S)
    phones = await product_sockets(product, city)
    others = await thin_sockets(thin, len(city.tokens))
    found: dict[str, list[Any]] = {}
    async with httpx.AsyncClient(base_url=thin.url) as client:
        for _ in range(args.rounds):
            await position_city.show_everybody(system, city)
            for name, figures in (
                *(await thin_round(thin, client, others, city, args)),
                *(await product_round(system, product, phones, city, args)),
            ):
                found.setdefault(name, []).append(figures)
                http_load.say(way=name, **figures.figures())
    for socket in (*phones, *others):
        socket.close()
    return found


Round = list[tuple[str, Taken | http_load.Load]]


async def thin_round(
    thin: Service,
    client: httpx.AsyncClient,
    sockets: Sequence[socket_load.Socket],
    city: position_city.City,
    args: argparse.Namespace,
) -> Round:
    """Ask the thin service, let it take positions, and both."""
    walk, ask_s = Walk(city), args.seconds - 0.5
    idle = await ask_thin(thin, args.queries, ask_s)
    await client.get("/ages")
    alone, _ = await drive(thin, sockets, walk.thin, args)
    alone.ages_ms = (await client.get("/ages")).json()
    asks = ask_thin(thin, args.queries, ask_s)
    both, [queries_beside] = await drive(thin, sockets, walk.thin, args, beside=[asks])
    both.queries = queries_beside
    both.ages_ms = (await client.get("/ages")).json()
    return [("thin idle", idle), ("thin", alone), ("thin beside", both)]


async def product_round(
    system: System,
    product: Service,
    sockets: Sequence[socket_load.Socket],
    city: position_city.City,
    args: argparse.Namespace,
) -> Round:
    """Ask the product, let it take positions, and both."""
    walk, ask_s = Walk(city), args.seconds - 0.5
    idle = await ask(product, city, args.queries, ask_s)
    ages = look_at_ages(system, city, args.seconds)
    alone, [ages_ms] = await drive(product, sockets, walk.product, args, beside=[ages])
    alone.ages_ms = ages_ms
    ages = look_at_ages(system, city, args.seconds)
    asks = ask(product, city, args.queries, ask_s)
    both, [ages_ms, queries_beside] = await drive(
        product, sockets, walk.product, args, beside=[ages, asks]
    )
    both.ages_ms, both.queries = ages_ms, queries_beside
    return [("idle", idle), ("product", alone), ("beside", both)]


def ratios(found: dict[str, list[Any]], beside: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Compare by medians of the rounds."""

    def middle(values: Sequence[float]) -> float:
        return statistics.median(values)

    thin = middle([taken.us_per_message for taken in found["thin"]])
    ours = middle([taken.us_per_message for taken in found["product"]])
    slower = {
        name: middle([taken.queries.figures()["p99_ms"] for taken in found[f"{name}beside"]])
        / middle([load.figures()["p99_ms"] for load in found[f"{name}idle"]])
        for name in ("", "thin ")
    }
    rate = middle([taken.sent_per_s for taken in found["beside"]])
    age = middle([http_load.percentile(taken.ages_ms, 99) for taken in found["beside"]])
    alone = middle([http_load.percentile(taken.ages_ms, 99) for taken in found["product"]])
    return {
        "cpu_per_message_vs_thin": round(ours / thin, 2),
        "sent_per_s": round(rate),
        "age_p99_ms": round(age, 1),
        "age_p99_alone_ms": round(alone, 1),
        "query_p99_vs_idle": round(slower[""], 2),
        "thin_query_p99_vs_idle": round(slower["thin "], 2),
        "vs_pg_batch": round(rate / beside["pg_batch"]["updates_per_s"], 2),
        "vs_redis_pipe": round(rate / beside["redis_pipe"]["updates_per_s"], 2),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--sockets", type=int, default=1_000)
    parser.add_argument("--rate", type=float, default=10_000, help="messages a second of all")
    parser.add_argument("--queries", type=float, default=50, help="queries a second beside")
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with servers() as system:
        city = position_city.build(system, args.people, args.sockets)
        with (
            system.app() as product,
            system.peers("thin_positions", {"REDIS": system.redis_url}) as thin,
            http_load.no_collector(),
        ):
            found = http_load.run(measure(system, product, thin, city, args))
        beside = position_peers.peers(system, city, args.seconds / 2)
    for name, figures in beside.items():
        http_load.say(way=name, **figures)
    http_load.say(way="ratios", **ratios(found, beside), goals=GOALS)


if __name__ == "__main__":
    main()
