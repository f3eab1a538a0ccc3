"""The socket process under stress: everybody comes back at once, ten thousand idle, some stuck.

    .venv/bin/python bench/storm.py storm [--sockets 5000]
    .venv/bin/python bench/storm.py many [--sockets 10000]
    .venv/bin/python bench/storm.py stuck [--sockets 2000] [--rate 8] [--rounds 2]

Starts a PostgreSQL and Redis and one app process; `storm` and `many` need an open-file limit of
twice the sockets for the two processes together, each half of it.

storm: phones lose their sockets, each is sent an alert, and all come back with their cursors, so
many handshakes at once as `--at-once` says. Goals: at least 1,000 a second including sign-in and
catch-up, all caught up within 30 s, alerts to others meanwhile p99 at most 3 s (from the request),
at most 40 kB a socket at rest (growth of the resident set).

many: processor time of the process while nothing happens (goal: at most 5 %), then one event to
all (goal: p99 at most 1 s from the commit).

stuck: events of 3 kB, some a second, to all; then the same while a hundred of them read nothing, up
to the moment when these are closed. Goals: the others' p99 at most 1.2 times what it was, each
stuck one closed with 4008 within 15 s, at most 1 MB of memory for each, which is given back.
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

from realtime.protocol import Close

#: Phones that stay connected through the storm, and how they are asked meanwhile.
OTHERS = 200
ASKED_AT_ONCE = 4
ASKS_PER_S = 10.0
IDLE_S = 10.0
TEXT_BYTES = 3_000
LOOKS_PER_S = 2.0
CALM_S = 10.0
STUCK_S = 16.0
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


class Stuck:
    """Sockets that hear one incident's timeline, some of which will read nothing."""

    def __init__(self, asker: Asker, args: argparse.Namespace, metrics: int) -> None:
        self.asker, self.args, self._metrics = asker, args, metrics
        self.topic = asker.incident()
        self.sockets = Crowd(self._note)
        self.stuck: list[Phone] = []
        # Milliseconds from the request to each frame of those who read.
        self.calm: list[float] = []
        self.hung: list[float] = []
        self.most_bytes = 0
        #: When the last of the stuck was closed, by the count of the process.
        self.closed_at: float | None = None
        self._sent: dict[bytes, float] = {}
        self._times: list[float] = []
        self._seq = "0"
        self._closed_before = 0
        self.sockets.open([self._opening(number, None) for number in range(args.sockets)])
        topics = orjson.loads(self.sockets.phones[0].welcome)["topics"]
        self._epoch = topics[f"incident:{self.topic}"]["epoch"]

    def _opening(self, number: int, cursor: Any) -> Opening:
        return self.asker.opening(number, f"incident:{self.topic}", cursor)

    def join(self) -> None:
        """Let those come (again) who will be stuck; as yet they read, in small bites."""
        first, most = self.args.sockets, self.args.sockets + self.args.stuck
        cursor = {"epoch": self._epoch, "seq": self._seq} if self._seq != "0" else None
        openings = [self._opening(number, cursor) for number in range(first, most)]
        came = len(self.sockets.phones)
        self.sockets.open(openings, receive_bytes=4_096)
        self.stuck = self.sockets.phones[came:]
        self._closed_before, self.closed_at = count_closed(self._metrics), None

    def _note(self, phone: Phone, payload: bytes, at: float) -> None:
        found = re.search(rb"mark (\d{6})", payload)
        if found and phone.number < self.args.sockets and self.closed_at is None:
            self._times.append((at - self._sent[found[1]]) * 1e3)
            if phone.number == 0 and (seq := re.search(rb'"seq":"(\d+)"', payload)):
                self._seq = seq[1].decode()

    def stream(self, seconds: float) -> list[float]:
        """Write on the timeline at a rate; give the milliseconds to each frame of who reads.

        It ends early when the stuck are closed; frames that come after that do not count.
        """
        poster, began = Poster(self.sockets, self.asker.service.url, 4), now()
        self._times = []
        path = f"/api/v1/incidents/{self.topic}/timeline"
        for number in range(int(seconds * self.args.rate)):
            self.sockets.listen(began + number / self.args.rate)
            mark = b"%06d" % len(self._sent)
            self._sent[mark] = now()
            body = orjson.dumps({"text": f"mark {mark.decode()} " + "x" * TEXT_BYTES})
            poster.post(path, body, self.asker.signed())
            if number % max(1, round(self.args.rate / LOOKS_PER_S)) == 0 and self._look():
                break
        self.sockets.listen(now() + 1)
        return self._times

    def _look(self) -> bool:
        """Ask for memory and count; say whether all the stuck are closed."""
        self.most_bytes = max(self.most_bytes, resident(self.asker.service))
        if count_closed(self._metrics) - self._closed_before < self.args.stuck:
            return False
        self.closed_at = self.closed_at or now()
        return True

    def round(self) -> tuple[float | None, int, float, float]:
        """Measure while all read, then while some read nothing.

        Return after how many seconds all those were closed, how many of them were told 4008 when
        they read on, and the megabytes for each, at most and afterwards.
        """
        self.join()
        self.stream(1.0)
        self.calm += self.stream(CALM_S)
        before, hung_at = resident(self.asker.service), now()
        self.hang()
        self.hung += self.stream(STUCK_S)
        closed_s = None if self.closed_at is None else round(self.closed_at - hung_at, 1)
        most, told = self.most_bytes - before, self.read_on()
        left, each = resident(self.asker.service) - before, len(self.stuck) * 1e6
        return closed_s, told, round(most / each, 3), round(left / each, 3)

    def hang(self) -> None:
        """Have the stuck read no more."""
        self.most_bytes = 0
        for phone in self.stuck:
            self.sockets.unwatch(phone.sock)

    def read_on(self) -> int:
        """Have them read what is left; say how many were told 4008."""
        for phone in self.stuck:
            self.sockets.watch(phone.sock, phone.read)
        self.sockets.listen(now() + 5)
        return sum(phone.close_code == Close.TOO_SLOW for phone in self.stuck)


def stuck(system: System, args: argparse.Namespace) -> None:
    """Let some sockets read nothing, again and again."""
    most = args.sockets + args.stuck
    city = position_city.build(system, most, most)
    fanout_product.make_operators(system, city)
    port = http_load.free_port()
    os.environ["GOLDEN_METRICS_PORT"] = str(port)
    with system.app() as service, http_load.no_collector():
        game = Stuck(Asker(service, city), args, port)
        cpu, began = http_load.Cpu(service.pid), now()
        rounds = [game.round() for _ in range(args.rounds)]
        after_s, told_4008, mb_each, mb_each_left = zip(*rounds, strict=True)
        calm, hung = percentile(game.calm, 99), percentile(game.hung, 99)
        say(
            way="stuck", others=args.sockets, stuck=args.stuck, events_per_s=args.rate,
            calm_p50_ms=round(percentile(game.calm, 50), 1), calm_p99_ms=round(calm, 1),
            p50_ms=round(percentile(game.hung, 50), 1), p99_ms=round(hung, 1),
            ratio=round(hung / calm, 2), all_closed_after_s=after_s, told_4008=told_4008,
            mb_each=mb_each, mb_each_left=mb_each_left,
            server_percent=round(cpu.seconds() / (now() - began) * 100),
            others_lost=sum(phone.is_lost for phone in game.sockets.phones[: args.sockets]),
            goals={"ratio": 1.2, "all_closed_after_s": 15, "mb_each": 1},
        )  # fmt: skip
        game.sockets.close()


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
    parser.add_argument("--rate", type=float, default=8.0, help="stuck: events a second")
    parser.add_argument("--rounds", type=int, default=2, help="stuck: how often they hang")
    parser.add_argument("--at-once", type=int, default=1_000, help="handshakes under way")
    args = parser.parse_args()
    args.sockets = args.sockets or {"storm": 5_000, "many": 10_000, "stuck": 2_000}[args.what]
    with servers(track_commit_timestamp="on") as system:
        {"storm": storm, "many": many, "stuck": stuck}[args.what](system, args)


if __name__ == "__main__":
    main()
