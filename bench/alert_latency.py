"""From the request that alerts to the frame on each phone: 5,000 connected, 30 addressed, 20/s.

    .venv/bin/python bench/alert_latency.py [--phones 5000] [--addressed 30] [--rate 20]
        [--seconds 6] [--rounds 1]

Starts a PostgreSQL and Redis of its own. In one run: the product with named responders and by
policy; a thin service that commits the same rows and does nothing else (thin_alerts.py); and bytes
written to as many open sockets (raw_write.py). The goal: p99 of the product with named responders
is at most twice the sum of the p99 of these two. By policy the plan comes on top of it.

Each service is asked `WARM` times before, which does not count: every connection has met every
statement then. One app process of the product and one of the thin service. `cpu_ms` is the
processor time of that process per request: it is what is left of the gap when nothing waits, and it
includes the frames and the heartbeats of every connected phone. At 20 requests/s a process is full
at 50 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import http_load
import httpx
import orjson
import position_city
import psycopg
import socket_load
import thin_alerts
from private_system import Service, System, servers

from web.commands import process

HEADERS = {"Content-Type": "application/json"}
#: Requests before those that count; eight at once, as many as the product has connections.
WARM = 24
AT_ONCE = 8


class Journal:
    """When each wave was asked for, and when each phone heard of its own."""

    def __init__(self) -> None:
        self.wave_of: dict[int, int] = {}
        self.asked: dict[int, float] = {}
        self.answered: dict[int, float] = {}
        self.heard: dict[int, float] = {}
        self.cpu_s = 0.0

    def note(self, phone: int, frame: bytes) -> None:
        """Take the first alert of a phone."""
        if b"alert_sent" in frame:
            self.heard.setdefault(phone, time.perf_counter())

    def figures(self) -> dict[str, Any]:
        """Sum up: milliseconds from the request to each frame, and to the answer."""
        reached = [
            (at - self.asked[self.wave_of[phone]]) * 1e3
            for phone, at in self.heard.items()
            if phone in self.wave_of
        ]
        answers = [(at - self.asked[wave]) * 1e3 for wave, at in self.answered.items()]
        return {
            "waves": len(self.asked), "addressed": len(self.wave_of), "reached": len(reached),
            **{f"frame_p{p}_ms": round(http_load.percentile(reached, p), 1) for p in (50, 95, 99)},
            **{f"post_p{p}_ms": round(http_load.percentile(answers, p), 1) for p in (50, 99)},
            "cpu_ms": round(self.cpu_s / max(1, len(self.asked)) * 1e3, 1),
        }  # fmt: skip


Post = Callable[[int], tuple[str, bytes, dict[str, str]]]


async def play(service: Service, journal: Journal, waves: int, rate: float, post: Post) -> None:
    """Send the requests at their times, whether the ones before are answered or not."""
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64, keepalive_expiry=2)
    async with httpx.AsyncClient(base_url=service.url, limits=limits, timeout=30) as client:

        async def ask(wave: int) -> None:
            path, body, headers = post(wave)
            answer = await client.post(path, content=body, headers=HEADERS | headers)
            if answer.status_code >= 300:
                raise SystemExit(f"{path}: {answer.status_code} {answer.text[:300]}")

        for first in range(waves, waves + WARM, AT_ONCE):
            await asyncio.gather(*(ask(wave) for wave in range(first, first + AT_ONCE)))
        await asyncio.sleep(1.0)
        await asyncio.gather(*(client.get("/livez") for _ in range(16)))  # connections are open
        cpu, began = http_load.Cpu(service.pid), time.perf_counter()

        async def one(wave: int) -> None:
            await asyncio.sleep(max(0.0, began + wave / rate - time.perf_counter()))
            journal.asked[wave] = time.perf_counter()
            await ask(wave)
            journal.answered[wave] = time.perf_counter()

        await asyncio.gather(*(one(wave) for wave in range(waves)))
    await asyncio.sleep(1.0)  # for the last frames
    journal.cpu_s = cpu.seconds()


def groups(args: argparse.Namespace) -> list[list[int]]:
    """Share the phones out over the waves, each once."""
    phones = list(range(args.phones))
    random.Random(11).shuffle(phones)
    size, most = args.addressed, int(args.rate * args.seconds) + WARM
    return [phones[n * size : (n + 1) * size] for n in range(min(most, args.phones // size))]


def counted(waves: Sequence[Sequence[int]]) -> dict[int, int]:
    """Say of each phone in which wave it is asked; the last `WARM` waves do not count."""
    return {phone: n for n, group in enumerate(waves[:-WARM]) for phone in group}


async def open_incidents(url: str, city: position_city.City, waves: int) -> list[str]:
    """Open an incident for each wave, spread over the city."""
    dice, found = random.Random(5), []
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        for _ in range(waves):
            lon, lat = position_city.anywhere(dice)
            body = {"kind": "cardiac_arrest", "position": {"lon": lon, "lat": lat}}
            answer = await client.post(
                "/api/v1/incidents", json=body | {"ambulance": "notified"}, headers=signed(city)
            )
            answer.raise_for_status()
            found.append(answer.json()["id"])
    return found


def signed(city: position_city.City) -> dict[str, str]:
    """Give the headers of a request by the operator."""
    return {"Authorization": f"Bearer {city.operator}", "Idempotency-Key": str(uuid.uuid4())}


async def listen(
    product: Service, city: position_city.City, journals: list[Journal]
) -> list[socket_load.Socket]:
    """Connect every phone; what it hears goes to the latest journal."""

    def make(number: int) -> tuple[str, dict[str, str], bytes]:
        hello = orjson.dumps({"type": "hello", "topics": {f"person:{city.ids[number]}": None}})
        headers = {"Authorization": f"Bearer {city.tokens[number]}"}
        return product.url.replace("http", "ws", 1) + "/api/v1/live", headers, hello

    def heard(phone: int, frame: bytes) -> None:
        journals[-1].note(phone, frame)  # of the turn that is on

    return await socket_load.connect_all(len(city.tokens), make, heard)


async def named(
    product: Service, city: position_city.City, journals: list[Journal], args: argparse.Namespace
) -> Journal:
    """Alert thirty people by name, again and again."""
    waves = groups(args)
    incidents = await open_incidents(product.url, city, len(waves))
    journal = Journal()
    journal.wave_of = counted(waves)
    journals.append(journal)

    def post(wave: int) -> tuple[str, bytes, dict[str, str]]:
        people = [city.ids[phone] for phone in waves[wave]]
        body = orjson.dumps({"responders": people})
        return f"/api/v1/incidents/{incidents[wave]}/alert", body, signed(city)

    await play(product, journal, len(waves) - WARM, args.rate, post)
    return journal


async def by_policy(
    product: Service, city: position_city.City, journals: list[Journal], args: argparse.Namespace
) -> Journal:
    """Alert by policy; whom it chose is read from the answers of the database afterwards."""
    waves = int(args.rate * args.seconds)
    incidents = await open_incidents(product.url, city, waves + WARM)
    journal = Journal()
    journals.append(journal)

    def post(wave: int) -> tuple[str, bytes, dict[str, str]]:
        return f"/api/v1/incidents/{incidents[wave]}/alert", b"{}", signed(city)

    await play(product, journal, waves, args.rate, post)
    number = {who: n for n, who in enumerate(city.ids)}
    with psycopg.connect(args.database) as conn:
        rows = conn.execute(
            "select incident_id::text, responder_id::text from alert where incident_id = any(%s)",
            ([uuid.UUID(item) for item in incidents],),
        ).fetchall()
    at = {item: wave for wave, item in enumerate(incidents[:waves])}
    journal.wave_of = {number[who]: at[incident] for incident, who in rows if incident in at}
    return journal


def written_rows(database: str) -> list[bytes]:
    """Copy the shape of the tables, and give the rows of each wave as the product wrote them."""
    with psycopg.connect(database) as conn:
        conn.execute("create schema if not exists thin")
        for name in thin_alerts.TABLES:
            conn.execute(f"create table if not exists thin.{name} (like {name} including all)")
        rows = conn.execute(_ROWS).fetchall()
    return [row[0].encode() for row in rows]


_ROWS = """
select jsonb_build_object(
  'wave', (select jsonb_agg(to_jsonb(t)) from wave t where t.id = wave.id),
  'alert', (select jsonb_agg(to_jsonb(t)) from alert t where t.wave_id = wave.id),
  'delivery', (select jsonb_agg(to_jsonb(t)) from delivery t join alert a on a.id = t.alert_id
               where a.wave_id = wave.id),
  'allocation', (select jsonb_agg(to_jsonb(t)) from allocation t where t.wave_id = wave.id),
  'timer', (select coalesce(jsonb_agg(to_jsonb(t)), '[]') from timer t
            where t.incident_id = wave.incident_id),
  'line', (select jsonb_agg(to_jsonb(t)) from line t where t.incident_id = wave.incident_id
           and t.kind = 'wave_sent'),
  'topic_clock', (select coalesce(jsonb_agg(to_jsonb(t)), '[]') from topic_clock t join alert a
                  on t.topic = 'person:' || a.responder_id where a.wave_id = wave.id),
  'event', (select coalesce(jsonb_agg(to_jsonb(t)), '[]') from event t join alert a
            on t.topic = 'person:' || a.responder_id where a.wave_id = wave.id
            and t.kind = 'alert_sent')
)::text
from wave where exists (select from alert where alert.wave_id = wave.id) order by wave.id
"""


async def thin_commit(service: Service, rows: Sequence[bytes], rate: float) -> Journal:
    """Have the same rows committed by the thin service at the same rate."""
    journal = Journal()
    await play(service, journal, len(rows) - WARM, rate, lambda wave: ("/alert", rows[wave], {}))
    return journal


@contextmanager
def raw_writer() -> Any:
    """Run raw_write.py."""
    port = http_load.free_port()
    argv = (sys.executable, str(Path(__file__).with_name("raw_write.py")), str(port))
    program = process.Program("raw_write", argv)
    child = program.spawn(subprocess.DEVNULL)
    try:
        time.sleep(1.5)
        yield Service(f"http://127.0.0.1:{port}", child.pid)
    finally:
        program.stop(child)


async def raw_write(service: Service, args: argparse.Namespace) -> Journal:
    """Have bytes written to the same number of sockets at the same rate."""
    waves, journal = groups(args), Journal()
    journal.wave_of = counted(waves)
    address = service.url.replace("http", "ws", 1)
    sockets = await socket_load.connect_all(
        args.phones, lambda number: (f"{address}/{number}", {}, None), journal.note
    )
    for socket in sockets:
        socket.is_answered.set_result(b"")
    await play(
        service, journal, len(waves) - WARM, args.rate,
        lambda wave: ("/", orjson.dumps(waves[wave]), {}),
    )  # fmt: skip
    for socket in sockets:
        socket.close()
    return journal


async def product_turns(
    product: Service, city: position_city.City, args: argparse.Namespace
) -> dict[str, dict[str, Any]]:
    """Measure both ways of asking, with every phone connected."""
    journals = [Journal()]
    sockets = await listen(product, city, journals)
    found = {}
    for name, turn in (("named", named), ("by_policy", by_policy)):
        found[name] = (await turn(product, city, journals, args)).figures()
        http_load.say(way=name, **found[name])
        _free_everybody(args.database)
    if lost := sum(socket.is_lost for socket in sockets):
        raise SystemExit(f"{lost} sockets were closed by the service")
    for socket in sockets:
        socket.close()
    return found


def _free_everybody(database: str) -> None:
    """End all alerts between two turns, as if nobody had answered."""
    with psycopg.connect(database) as conn:
        conn.execute(
            "update alert set status = 'timed_out'"
            " where status in ('pending','notified','delivered','seen')"
        )
        conn.execute("delete from timer")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--phones", type=int, default=5_000)
    parser.add_argument("--addressed", type=int, default=30)
    parser.add_argument("--rate", type=float, default=20, help="waves a second")
    parser.add_argument("--seconds", type=float, default=6)
    args = parser.parse_args()
    with servers() as system, http_load.no_collector():
        args.database = system.database_url
        measure(system, args)


def measure(system: System, args: argparse.Namespace) -> None:
    """Take the turns one after the other, so that each has the machine for itself."""
    city = position_city.build(system, args.phones, args.phones)
    with system.app() as product:
        found = http_load.run(product_turns(product, city, args))
    rows = written_rows(system.database_url)
    with system.peers("thin_alerts", {"DATABASE": system.database_url}) as thin:
        commit = http_load.run(thin_commit(thin, rows[: len(groups(args))], args.rate)).figures()
    http_load.say(way="thin_commit", **commit)
    with raw_writer() as writer:
        raw = http_load.run(raw_write(writer, args)).figures()
    http_load.say(way="raw_write", **raw)
    limit = commit["post_p99_ms"] + raw["frame_p99_ms"]
    http_load.say(
        way="ratios", thin_plus_raw_p99_ms=round(limit, 1),
        named_p99=round(found["named"]["frame_p99_ms"] / limit, 2),
        by_policy_p99=round(found["by_policy"]["frame_p99_ms"] / limit, 2),
        goals={"named_p99": 2.0},
    )  # fmt: skip


if __name__ == "__main__":
    main()
