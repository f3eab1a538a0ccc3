"""One event to five thousand sockets, with and without acks, and alerts to thirty of them.

    .venv/bin/python bench/fanout.py [--sockets 5000] [--rounds 6] [--repeat 2]
    .venv/bin/python bench/fanout.py --shape some [--addressed 30] [--rate 20] [--seconds 4]

Starts a PostgreSQL and Redis of its own. The product, bytes written to open sockets (raw_write.py)
and the peers that are installed (fanout_peers.py says how) take turns in one run, each with frames
as long as the product's. Counted is until the last socket has the frame, from the commit for the
product and from the asking for a peer, medians over all rounds. `acks`: every socket answers at
once; the product records each in the database and confirms it, and `recorded` is when all are.

`--shape some`: alerts to named people, 20 a second, from the commit to each frame. The product has
one process with the sockets and one that takes the requests.

Goals: with acks at most 1.3 times picows and 1.0 times ws and Socket.IO; without at most 1.5 times
raw_write and 0.8 times the best that a browser can speak to (picows is a library such as ours, so
that is ws or Socket.IO); addressed, p99 at most 1.5 times raw_write and no more than any peer.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import fanout_peers
import fanout_product
import http_load
import position_city
from crowd import Crowd, Phone
from fanout_peers import Peer
from fanout_product import Product
from http_load import say
from private_system import System, servers

ROUND_WITHIN_S = 10.0
RECORDED_WITHIN_S = 30.0
PAUSE_S = 0.1
Target = Peer | Product


@dataclass
class Found:
    """What one target was seen to do; milliseconds."""

    last: list[float] = field(default_factory=list)
    each: list[float] = field(default_factory=list)
    recorded: list[float] = field(default_factory=list)
    server_us: list[float] = field(default_factory=list)
    client_us: list[float] = field(default_factory=list)
    lost: int = 0

    def figures(self) -> dict[str, object]:
        """Sum up for a line of JSON."""
        told: dict[str, object] = {
            "last_ms": round(statistics.median(self.last), 1),
            "last_min_max_ms": [round(min(self.last), 1), round(max(self.last), 1)],
            "p50_ms": round(http_load.percentile(self.each, 50), 2),
            "p99_ms": round(http_load.percentile(self.each, 99), 2),
            "server_us": round(statistics.median(self.server_us), 1),
            "client_us": round(statistics.median(self.client_us), 1),
            "lost": self.lost,
        }
        if self.recorded:
            told["recorded_ms"] = round(statistics.median(self.recorded), 1)
        return told


class Game:
    """A target with its crowd; who has heard what, and when."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.crowd = Crowd(self._heard)
        self.at: dict[int, float] = {}

    def _heard(self, phone: Phone, payload: bytes, at: float) -> None:
        if self.target.is_event(payload):
            if self.target.ack:
                phone.say(self.target.answer(phone, payload))
            self.at.setdefault(phone.number, at)  # an alert without an ack is sent again

    def to_all(self, rounds: int, found: Found, *, ack: bool) -> None:
        """Send one alert to everybody, again and again; the first is to warm up."""
        self.target.ack, count = ack, len(self.crowd.phones)
        for number in range(rounds + 1):
            self.target.prepare(self.crowd)
            self.at = {}
            cpu, own, asked = http_load.Cpu(self.target.pid), time.process_time(), _now()
            self.target.publish(None)
            self.crowd.listen(_now() + ROUND_WITHIN_S, lambda: len(self.at) >= count)
            self.crowd.listen(_now() + RECORDED_WITHIN_S, self.target.is_settled)
            self.crowd.listen(_now() + PAUSE_S)
            if number:
                self._note(found, asked, count, (cpu.seconds(), time.process_time() - own))
                if ack and isinstance(self.target, Product):
                    began = self.target.began([asked])[0]
                    found.recorded.append((self.target.settled_at - began) * 1e3)

    def _note(self, found: Found, asked: float, count: int, cpu: tuple[float, float]) -> None:
        began = self.target.began([asked])[0]
        times = [(at - began) * 1e3 for at in self.at.values()]
        found.lost += count - len(times)
        found.last.append(max(times))
        found.each += times
        found.server_us.append(cpu[0] / count * 1e6)
        found.client_us.append(cpu[1] / count * 1e6)

    def to_some(self, groups: Sequence[Sequence[int]], rate: float, found: Found) -> None:
        """Send alerts to some at a rate, whether those before have arrived or not."""
        self.target.ack, self.at = False, {}
        self.target.prepare(self.crowd)
        cpu, own = http_load.Cpu(self.target.pid), time.process_time()
        asked, start = [], _now() + 0.2
        for number, group in enumerate(groups):
            self.crowd.listen(start + number / rate)
            asked.append(_now())
            self.target.publish(group)
        self.crowd.listen(_now() + 1.5)
        spent = (cpu.seconds(), time.process_time() - own)
        for began, group in zip(self.target.began(asked), groups, strict=True):
            times = [(self.at[number] - began) * 1e3 for number in group if number in self.at]
            found.lost += len(group) - len(times)
            found.each += times
            found.last.append(max(times, default=float("nan")))
        sent = sum(len(group) for group in groups)
        found.server_us.append(spent[0] / sent * 1e6)
        found.client_us.append(spent[1] / sent * 1e6)


def _now() -> float:
    return time.perf_counter()


def play(target: Target, args: argparse.Namespace, found: dict[str, Found]) -> None:
    """Take one target's turn."""
    game = Game(target)
    is_some = args.shape == "some"
    if is_some and isinstance(target, Product):
        game.crowd.open(target.own_openings(args.sockets))
    else:
        game.crowd.open(target.openings(args.sockets))
    game.crowd.listen(_now() + 0.5)
    with http_load.no_collector():
        if is_some:
            game.to_some(groups(args), args.rate, found["some"])
        else:
            game.to_all(args.rounds, found["plain"], ack=False)
            game.to_all(args.rounds, found["acks"], ack=True)
    if game.crowd.lost:
        raise SystemExit(f"{game.crowd.lost} sockets were closed")
    game.crowd.close()


def groups(args: argparse.Namespace) -> list[list[int]]:
    """Share the phones out over the alerts, each once."""
    numbers, size = list(range(args.sockets)), args.addressed
    random.Random(11).shuffle(numbers)
    most = min(int(args.rate * args.seconds), args.sockets // size)
    return [numbers[n * size : (n + 1) * size] for n in range(most)]


@contextmanager
def product_of(system: System, args: argparse.Namespace) -> Iterator[Product]:
    """Run the product, ready to be measured."""
    city = position_city.build(system, args.sockets, args.sockets)
    fanout_product.make_operators(system, city)
    with system.app() as sockets, system.app() as requests:
        product = Product(system, city, sockets, requests)
        is_some = args.shape == "some"
        product.set_up(acks=not is_some, waves=len(groups(args)) if is_some else 0)
        yield product


def measure(system: System, args: argparse.Namespace) -> dict[str, dict[str, Found]]:
    """Let the product and the peers take turns; each shape's findings by target."""
    shapes = ("some",) if args.shape == "some" else ("plain", "acks")
    peers = {}
    for name, (_, command) in fanout_peers.known().items():
        if isinstance(command, str):
            say(way=name, note=f"not measured: {command}")
        else:
            peers[name] = {shape: Found() for shape in shapes}
    ours = {shape: Found() for shape in shapes}
    with product_of(system, args) as product:
        for _ in range(args.repeat):
            play(product, args, ours)
            product.free_everybody() if args.shape == "some" else None
            for name, found in peers.items():
                with fanout_peers.running(name, args.length) as peer:
                    play(peer, args, found)
    return {"ours": ours, **peers}


def judge(found: dict[str, dict[str, Found]]) -> None:
    """Print the figures and the ratios."""
    for shape in found["ours"]:
        for name, by_shape in found.items():
            say(shape=shape, way=name, **by_shape[shape].figures())
        what = "p99_ms" if shape == "some" else "last_ms"
        ours = found["ours"][shape].figures()[what]
        ratios = {
            name: round(float(str(ours)) / float(str(by_shape[shape].figures()[what])), 2)
            for name, by_shape in found.items()
            if name != "ours"
        }
        say(way="ratios", shape=shape, of=what, **ratios, goals=GOALS[shape])


GOALS = {
    "plain": {"raw_write": 1.5, "best of ws_node and socketio": 0.8},
    "acks": {"picows": 1.3, "ws_node": 1.0, "socketio": 1.0},
    "some": {"raw_write": 1.5, "picows": 1.0, "ws_node": 1.0, "socketio": 1.0},
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--shape", choices=("all", "some"), default="all")
    parser.add_argument("--sockets", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=6, help="alerts to all in one turn")
    parser.add_argument("--repeat", type=int, default=2, help="turns of each")
    parser.add_argument("--length", type=int, default=700, help="bytes of a peer's alert")
    parser.add_argument("--addressed", type=int, default=30)
    parser.add_argument("--rate", type=float, default=20, help="alerts a second")
    parser.add_argument("--seconds", type=float, default=4)
    args = parser.parse_args()
    with servers(track_commit_timestamp="on") as system:
        judge(measure(system, args))


if __name__ == "__main__":
    main()
