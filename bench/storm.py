"""The socket process under stress: everybody comes back at once, ten thousand idle, some stuck.

    .venv/bin/python bench/storm.py storm [--sockets 5000]
    .venv/bin/python bench/storm.py many [--sockets 10000]
    .venv/bin/python bench/storm.py stuck [--sockets 400] [--stuck 100]

Starts a PostgreSQL and Redis and one app process; `storm` and `many` need an open-file limit of
twice the sockets for the two processes together, each half of it.

storm: phones lose their sockets, each is sent an alert, and all come back with their cursors, so
many handshakes at once as `--at-once` says. Goals: at least 1,000 a second including sign-in and
catch-up, all caught up within 30 s, alerts to others meanwhile p99 at most 3 s (from the request),
at most 40 kB a socket at rest (growth of the resident set).

many: processor time of the process while nothing happens (goal: at most 5 %), then one event to
all (goal: p99 at most 1 s from the commit).

stuck: events of 3 kB, 20 a second; then the same while a hundred more sockets read nothing. Goals:
the others' p99 at most 1.2 times what it was, each stuck one closed with 4008 within 15 s, at most
1 MB of memory for each.
"""

from __future__ import annotations

import argparse
import os
import re
import time
import uuid
from collections.abc import Sequence
from typing import Any

import crowd
import fanout
import fanout_product
import http_load
import httpx
import orjson
import position_city
import psutil
from crowd import Crowd, Opening, Phone, Poster
from http_load import percentile, say
from private_system import Service, System, servers

#: Phones that stay connected through the storm, and how they are asked meanwhile.
OTHERS = 200
ASKED_AT_ONCE = 4
ASKS_PER_S = 10.0
IDLE_S = 10.0
TEXT_BYTES = 3_000
EVENTS_PER_S = 20.0
CALM_S = 5.0
STUCK_S = 15.0
NAMED_AT_ONCE = 200


def now() -> float:
    """Read the clock."""
    return time.perf_counter()


class Asker:
    """Requests of the operator, and how the phones of a city connect."""

    def __init__(self, service: Service, city: position_city.City) -> None:
        self.service, self.city = service, city

    def signed(self) -> dict[str, str]:
        """Give the headers of a request."""
        return {
            "Authorization": f"Bearer {self.city.operator}",
            "Idempotency-Key": str(uuid.uuid4()),
        }

    def incident(self) -> str:
        """Open an incident."""
        body = {"kind": "flood", "position": {"lon": 114.3, "lat": 30.6}}
        url = f"{self.service.url}/api/v1/incidents"
        answer = httpx.post(url, json=body, headers=self.signed(), timeout=60)
        answer.raise_for_status()
        return str(answer.json()["id"])

    def alert(self, people: Sequence[str]) -> None:
        """Ask people by name, some hundreds at a time."""
        incident = self.incident()
        with httpx.Client(base_url=self.service.url, timeout=60) as client:
            for start in range(0, len(people), NAMED_AT_ONCE):
                body = {"responders": list(people[start : start + NAMED_AT_ONCE])}
                path = f"/api/v1/incidents/{incident}/alert"
                client.post(path, json=body, headers=self.signed()).raise_for_status()

    def opening(self, number: int, topic: str, cursor: Any = None) -> Opening:
        """Say how the phone of somebody is opened."""
        return Opening(
            self.service.url.replace("http", "ws", 1) + "/api/v1/live",
            headers={"Authorization": f"Bearer {self.city.tokens[number]}"},
            hello=orjson.dumps({"type": "hello", "topics": {topic: cursor}}),
            ready=b'{"type":"welcome"',
        )

    def own(self, numbers: Sequence[int]) -> list[Opening]:
        """Say how phones are opened that hear their own person."""
        return [self.opening(number, f"person:{self.city.ids[number]}") for number in numbers]


# ---- everybody comes back


def storm(system: System, args: argparse.Namespace) -> None:
    """Let everybody come back at once."""
    count = args.sockets
    city = position_city.build(system, count + OTHERS, count + OTHERS)
    with system.app() as service:
        asker = Asker(service, city)
        before = resident(service)
        phones = Crowd(lambda _phone, _payload, _at: None)
        took = phones.open(asker.own(range(count)), at_once=args.at_once)
        phones.listen(now() + 1)
        each = (resident(service) - before) / count / 1e3
        say(way="first time", per_s=round(count / took), kb_per_socket=round(each, 1))
        cursors = [orjson.loads(phone.welcome)["topics"] for phone in phones.phones]
        phones.close()
        asker.alert(city.ids[:count])
        time.sleep(1.0)
        openings = [
            asker.opening(number, *next((t, {"epoch": c["epoch"], "seq": c["seq"]})
                                        for t, c in topics.items()))
            for number, topics in enumerate(cursors)
        ]  # fmt: skip
        come_back(asker, openings, args)


def come_back(asker: Asker, openings: list[Opening], args: argparse.Namespace) -> None:
    """Open all sockets with their cursors while others are asked; print what came of it."""
    heard: dict[int, float] = {}
    alerted: dict[int, float] = {}
    count = len(openings)

    def note(phone: Phone, payload: bytes, at: float) -> None:
        if b'"alert_sent"' in payload[:300]:
            (alerted if phone.number < OTHERS else heard).setdefault(phone.number, at)

    incidents = [asker.incident() for _ in range(OTHERS // ASKED_AT_ONCE)]
    sockets = Crowd(note)
    sockets.open(asker.own(range(count, count + OTHERS)))
    calls = Calls(asker, Poster(sockets, asker.service.url, 8), incidents, count)
    cpu, began = http_load.Cpu(asker.service.pid), now()
    with http_load.no_collector():
        sockets.open(openings, at_once=args.at_once, beside=calls.due)
        ready = now() - began
        while len(heard) < count and now() < began + 60:
            calls.due()
            sockets.listen(now() + 0.02)
    spent, caught = cpu.seconds(), max(heard.values()) - began
    sockets.listen(now() + 1.5)
    times = [(alerted[n] - at) * 1e3 for n, at in calls.asked.items() if n in alerted]
    say(
        way="storm", sockets=count, at_once=args.at_once, signed_in_s=round(ready, 2),
        caught_up_s=round(caught, 2), per_s=round(len(heard) / caught), missing=count - len(heard),
        turned_away=sockets.refused, server_ms_each=round(spent / count * 1e3, 2),
        alerts=len(calls.asked), alerts_lost=len(calls.asked) - len(times),
        alert_p50_ms=round(percentile(times, 50)), alert_p99_ms=round(percentile(times, 99)),
        goals={"per_s": 1000, "caught_up_s": 30, "alert_p99_ms": 3000, "kb_per_socket": 40},
    )  # fmt: skip
    sockets.close()


class Calls:
    """Alerts to those who stayed, at their times."""

    def __init__(self, asker: Asker, poster: Poster, incidents: Sequence[str], first: int) -> None:
        self._asker, self._poster, self._incidents, self._first = asker, poster, incidents, first
        self._began = now()
        self._done = 0
        #: When each of those who stayed was asked.
        self.asked: dict[int, float] = {}

    def due(self) -> None:
        """Send what is due."""
        while self._done < len(self._incidents) and now() >= self._began + self._done / ASKS_PER_S:
            at = self._began + self._done / ASKS_PER_S
            numbers = range(self._done * ASKED_AT_ONCE, (self._done + 1) * ASKED_AT_ONCE)
            people = [self._asker.city.ids[self._first + number] for number in numbers]
            path = f"/api/v1/incidents/{self._incidents[self._done]}/alert"
            body = orjson.dumps({"responders": people})
            self._poster.post(path, body, self._asker.signed())
            self.asked.update(dict.fromkeys(numbers, at))
            self._done += 1


# ---- ten thousand


def many(system: System, args: argparse.Namespace) -> None:
    """Hold many sockets in one process, and reach all."""
    count = args.sockets
    city = position_city.build(system, count, count)
    fanout_product.make_operators(system, city)
    with system.app() as service:
        product = fanout_product.Product(system, city, service, service)
        product.set_up(acks=False)
        before = resident(service)
        game = fanout.Game(product)
        took = game.crowd.open(product.own_openings(count), at_once=args.at_once)
        game.crowd.listen(now() + 3)
        each = (resident(service) - before) / count / 1e3
        cpu = http_load.Cpu(service.pid)
        game.crowd.listen(now() + IDLE_S)
        idle = cpu.seconds() / IDLE_S * 100
        say(way="idle", sockets=count, cpu_percent=round(idle, 1), kb_per_socket=round(each, 1),
            opened_per_s=round(count / took), goals={"cpu_percent": 5})  # fmt: skip
        rehello(game.crowd, product.openings(count))
        found = fanout.Found()
        game.to_all(3, found, ack=False)
        say(way="to all", sockets=count, goals={"p99_ms": 1000}, **found.figures())
        game.crowd.close()


def rehello(phones: Crowd, openings: Sequence[Opening]) -> None:
    """Have every socket hear other topics; return when all are welcome."""
    welcome: set[int] = set()
    former = phones.heard

    def note(phone: Phone, payload: bytes, _at: float) -> None:
        if payload.startswith(b'{"type":"welcome"'):
            welcome.add(phone.number)

    phones.heard = note
    for number, (phone, opening) in enumerate(zip(phones.phones, openings, strict=True), 1):
        phone.say(crowd.frame(opening.hello or b""))
        phones.listen(now() + 60, lambda sent=number: sent - len(welcome) < 500)  # type: ignore[misc]  # bound now
    phones.listen(now() + 60, lambda: len(welcome) >= len(phones.phones))
    phones.listen(now() + 1)
    phones.heard = former


# ---- the stuck


def stuck(system: System, args: argparse.Namespace) -> None:
    """Let some sockets read nothing."""
    count, most = args.sockets, args.sockets + args.stuck
    city = position_city.build(system, most, most)
    fanout_product.make_operators(system, city)
    port = http_load.free_port()
    os.environ["GOLDEN_METRICS_PORT"] = str(port)
    with system.app() as service:
        asker = Asker(service, city)
        topic = asker.incident()
        times: list[float] = []
        sent: dict[bytes, float] = {}

        def note(_phone: Phone, payload: bytes, at: float) -> None:
            if found := re.search(rb"mark (\d{6})", payload):
                times.append((at - sent[found[1]]) * 1e3)

        sockets = Crowd(note)
        openings = [asker.opening(number, f"incident:{topic}") for number in range(most)]
        sockets.open(openings[:count])
        stream(sockets, asker, topic, sent, 1.0)
        times.clear()
        stream(sockets, asker, topic, sent, CALM_S)
        calm = percentile(times, 99)
        times.clear()
        before = resident(service)
        hang(sockets, openings[count:])
        closed = stream(sockets, asker, topic, sent, STUCK_S, metrics=port)
        grown = (resident(service) - before) / args.stuck / 1e6
        p99 = percentile(times, 99)
        say(
            way="stuck", others=count, stuck=args.stuck, calm_p99_ms=round(calm, 1),
            p99_ms=round(p99, 1), ratio=round(p99 / calm, 2),
            closed_4008=max(closed.values(), default=0), others_lost=sockets.lost,
            all_closed_after_s=next((at for at, n in closed.items() if n >= args.stuck), None),
            mb_each=round(grown, 3), goals={"ratio": 1.2, "all_closed_after_s": 15, "mb_each": 1},
        )  # fmt: skip
        sockets.close()


def hang(sockets: Crowd, openings: Sequence[Opening]) -> None:
    """Open sockets with small windows and read them no more."""
    first = len(sockets.phones)
    sockets.open(openings, receive_bytes=4_096)
    for phone in sockets.phones[first:]:
        sockets.unwatch(phone.sock)


def stream(
    sockets: Crowd,
    asker: Asker,
    topic: str,
    sent: dict[bytes, float],
    seconds: float,
    *,
    metrics: int | None = None,
) -> dict[float, int]:
    """Write on the timeline at a rate; say how many were closed with 4008 after how long."""
    poster, began = Poster(sockets, asker.service.url, 4), now()
    closed: dict[float, int] = {}
    for number in range(int(seconds * EVENTS_PER_S)):
        sockets.listen(began + number / EVENTS_PER_S)
        mark = b"%06d" % len(sent)
        sent[mark] = now()
        body = orjson.dumps({"text": f"mark {mark.decode()} " + "x" * TEXT_BYTES})
        poster.post(f"/api/v1/incidents/{topic}/timeline", body, asker.signed())
        if metrics is not None and number % 10 == 0:
            closed[round(now() - began, 1)] = count_closed(metrics)
    sockets.listen(now() + 1)
    if metrics is not None:
        closed[round(now() - began, 1)] = count_closed(metrics)
    return closed


def count_closed(port: int) -> int:
    """Ask the process how many it closed as too slow."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    found = re.search(r'golden_sockets_closed_total\{code="4008"\} ([\d.]+)', text)
    return int(float(found[1])) if found else 0


def resident(service: Service) -> int:
    """Say how many bytes of memory the process holds."""
    return int(psutil.Process(service.pid).memory_info().rss)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=("storm", "many", "stuck"))
    parser.add_argument("--sockets", type=int)
    parser.add_argument("--stuck", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=1_000, help="handshakes under way")
    args = parser.parse_args()
    args.sockets = args.sockets or {"storm": 5_000, "many": 10_000, "stuck": 400}[args.what]
    with servers(track_commit_timestamp="on") as system:
        {"storm": storm, "many": many, "stuck": stuck}[args.what](system, args)


if __name__ == "__main__":
    main()
