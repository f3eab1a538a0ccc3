"""100,000 responders, of whom a thousand phones report ten times a second, and queries beside.

    .venv/bin/python bench/positions.py [--people 100000] [--sockets 1000] [--rate 10000]
        [--queries 50] [--seconds 6] [--rounds 3]

Starts a PostgreSQL and Redis of its own. By turns, in one run: the thin service takes the same
messages; the product takes them; queries for the nearest responders to the idle product, and while
it takes them. Peers in the same run: GEOADD in batches, and batches to PostgreSQL. Prints one line
of JSON each and last the ratios. The product is reached by contract routes only.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import statistics
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import http_load
import httpx
import orjson
import psycopg
import redis
import redis.asyncio
import socket_load
from private_system import Service, System, servers

from dispatch import accounts
from realtime import presence

#: A city of 53 by 44 km.
WEST, SOUTH, WIDE, HIGH = 114.0, 30.38, 0.55, 0.40
WALKS_MPS = 1.4
METRE_LAT = 1 / 111_195
METRE_LON = METRE_LAT / math.cos(math.radians(SOUTH))
LOOK_EVERY_S = 0.005
LOOKED_AT = 10
WRITE_MOST = 200
GOALS = {
    "cpu_per_message_vs_thin": 1.3, "sent_per_s": 10_000,
    "age_p99_ms": 250, "query_p99_vs_idle": 2.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class City:
    """The people: ids, where each is, and the tokens of those with a phone."""

    ids: list[str]
    places: list[tuple[float, float]]
    headings: list[tuple[float, float]]
    tokens: list[str]
    operator: str

    def at(self, number: int, passed_s: float) -> tuple[float, float]:
        """Say where somebody has walked to."""
        (lon, lat), (east, north) = self.places[number], self.headings[number]
        return lon + east * passed_s * METRE_LON, lat + north * passed_s * METRE_LAT


def build(system: System, people: int, phones: int) -> City:
    """Fill the database and Redis with people on duty."""
    dice = random.Random(3)
    places = [(WEST + WIDE * dice.random(), SOUTH + HIGH * dice.random()) for _ in range(people)]
    turns = [dice.uniform(0, 2 * math.pi) for _ in range(people)]
    headings = [(WALKS_MPS * math.cos(turn), WALKS_MPS * math.sin(turn)) for turn in turns]
    with psycopg.connect(system.database_url) as conn:
        org = conn.execute(_ORG).fetchone()
        if org is None:
            raise SystemExit("no organisation")
        lons, lats = [lon for lon, _ in places], [lat for _, lat in places]
        rows = conn.execute(_PEOPLE, {"org": org[0], "lons": lons, "lats": lats}).fetchall()
        ids = [str(row[0]) for row in sorted(rows, key=lambda row: row[1])]
        for statement in (_RESPONDERS, _CERTIFICATES, _POSITIONS):
            conn.execute(statement, {"org": org[0], "ids": ids, "lons": lons, "lats": lats})
        tokens = _tokens(conn, ids[:phones])
        boss = conn.execute(_OPERATOR, {"org": org[0]}).fetchone()
        if boss is None:
            raise SystemExit("no operator")
        [operator] = _tokens(conn, [str(boss[0])])
        conn.execute("insert into membership values (%s, %s, 'operator')", (boss[0], org[0]))
    with psycopg.connect(system.database_url, autocommit=True) as conn:
        conn.execute("vacuum analyze")
    return City(ids, places, headings, tokens, operator)


_ORG = """
insert into org (id, code, name_zh, name_en, level, path, timezone)
values (gen_random_uuid(), 'bench', '测试', 'Bench', 3, 'bench/', 'Asia/Shanghai') returning id
"""
_PEOPLE = """
with made as (
    select gen_random_uuid() as id, row_number() over () as n
    from unnest(%(lons)s::float8[], %(lats)s::float8[]))
, kept as (insert into person (id, org_id, name, is_invented)
    select id, %(org)s, 'N' || n, true from made)
select id, n from made
"""
_RESPONDERS = """
insert into responder (id, org_id, duty, skills)
select id, %(org)s, 'available', array['cpr'] from unnest(%(ids)s::uuid[]) as t (id)
"""
_CERTIFICATES = """
insert into certificate (id, responder_id, kind, expires_on)
select gen_random_uuid(), id, 'first_aid', '2099-01-01' from unnest(%(ids)s::uuid[]) as t (id)
"""
_POSITIONS = """
insert into last_position (responder_id, position, accuracy_m, at, received_at)
select id, st_setsrid(st_makepoint(x, y), 4326)::geography, 8, now(), now()
from unnest(%(ids)s::uuid[], %(lons)s::float8[], %(lats)s::float8[]) as t (id, x, y)
"""
_OPERATOR = """
insert into person (id, org_id, name) values (gen_random_uuid(), %(org)s, 'Operator') returning id
"""


def _tokens(conn: psycopg.Connection, ids: Sequence[str]) -> list[str]:
    secrets = [accounts.new_secret() for _ in ids]
    with conn.cursor() as cursor:
        cursor.executemany(
            "insert into api_token (token_hash, person_id, name, scopes)"
            " values (%s, %s, 'bench', '{}')",
            [(accounts.secret_hash(secret), who) for secret, who in zip(secrets, ids, strict=True)],
        )
    return secrets


async def show_everybody(system: System, city: City) -> None:
    """Let Redis know where everybody is, as their phones would have told a moment ago."""
    now = datetime.now(UTC)
    async with redis.asyncio.Redis.from_url(system.redis_url) as bus:
        for start in range(0, len(city.ids), 2_000):
            chunk = [
                presence.Place(city.ids[n], *city.places[n], 8.0, now)
                for n in range(start, min(start + 2_000, len(city.ids)))
            ]
            await presence.put_many(bus, chunk, topics={}, now=now)


# ---- the messages


class Walk:
    """Writes the messages of walkers: the product's, or the thin service's."""

    def __init__(self, city: City) -> None:
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
    queries: http_load.Load | None = None

    def figures(self) -> dict[str, Any]:
        """Sum up for a line of JSON."""
        found: dict[str, Any] = {
            "sent_per_s": round(self.sent_per_s), "us_per_message": round(self.us_per_message, 1),
            "age_p50_ms": round(http_load.percentile(self.ages_ms, 50), 1),
            "age_p99_ms": round(http_load.percentile(self.ages_ms, 99), 1),
            "ages": len(self.ages_ms), "client_us": round(self.client_cpu_us, 1),
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
    began = time.perf_counter()
    results = await asyncio.gather(
        socket_load.send(sockets, args.rate, args.seconds, write), *beside
    )
    sent, took = results[0], time.perf_counter() - began
    lost = sum(socket.is_lost for socket in sockets)
    if lost:
        raise SystemExit(f"{lost} sockets were closed by the service")
    taken = Taken(
        sent / took, cpu.seconds() / sent * 1e6, [], (time.process_time() - own) / sent * 1e6
    )
    return taken, list(results[1:])


async def look_at_ages(system: System, city: City, seconds: float) -> list[float]:
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


def queries() -> list[http_load.Ask]:
    """Make questions all over the city."""
    dice = random.Random(7)
    return [
        http_load.Ask(
            f"/api/v1/nearest/responders?lon={WEST + WIDE * dice.random():.6f}"
            f"&lat={SOUTH + HIGH * dice.random():.6f}&limit=10&within_s=900"
        )
        for _ in range(500)
    ]


def ask(service: Service, city: City, args: argparse.Namespace) -> Awaitable[http_load.Load]:
    """Ask for the nearest responders at a fixed rate; a stall counts."""
    return http_load.load(
        service.url, queries(), clients=16, seconds=args.seconds - 0.5, rate=args.queries,
        headers={"Authorization": f"Bearer {city.operator}"},
    )  # fmt: skip


# ---- one after the other


async def product_sockets(service: Service, city: City) -> list[socket_load.Socket]:
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
    system: System, product: Service, thin: Service, city: City, args: argparse.Namespace
) -> dict[str, list[Any]]:
    """Measure everything that goes over sockets, some rounds by turns."""
    walk = Walk(city)
    phones = await product_sockets(product, city)
    others = await thin_sockets(thin, len(city.tokens))
    found: dict[str, list[Any]] = {"thin": [], "product": [], "idle": [], "beside": []}
    async with httpx.AsyncClient(base_url=thin.url) as client:
        for _ in range(args.rounds):
            await show_everybody(system, city)
            found["idle"].append(await ask(product, city, args))
            await client.get("/ages")
            taken, _ = await drive(thin, others, walk.thin, args)
            taken.ages_ms = (await client.get("/ages")).json()
            found["thin"].append(taken)
            ages = look_at_ages(system, city, args.seconds)
            taken, [taken.ages_ms] = await drive(product, phones, walk.product, args, beside=[ages])
            found["product"].append(taken)
            ages = look_at_ages(system, city, args.seconds)
            taken, [taken.ages_ms, taken.queries] = await drive(
                product, phones, walk.product, args, beside=[ages, ask(product, city, args)]
            )
            found["beside"].append(taken)
            for name, rounds in found.items():
                http_load.say(way=name, **rounds[-1].figures())
    for socket in (*phones, *others):
        socket.close()
    return found


# ---- peers without a service


def peers(system: System, city: City, seconds: float) -> dict[str, dict[str, Any]]:
    """Write batches straight to Redis and to PostgreSQL while the nearest are asked for beside."""
    dice, numbers = random.Random(5), range(len(city.ids))
    bus, asker = (redis.Redis.from_url(system.redis_url) for _ in range(2))
    for start in range(0, len(numbers), 5_000):
        chunk = numbers[start : start + 5_000]
        bus.geoadd("peer", [v for n in chunk for v in (*city.places[n], n)])

    def to_redis() -> int:
        some = dice.sample(numbers, 200)
        bus.geoadd("peer", [v for n in some for v in (*city.at(n, dice.random() * 30), n)])
        return len(some)

    def ask_redis(lon: float, lat: float) -> None:
        asker.geosearch("peer", longitude=lon, latitude=lat, radius=1500, unit="m", sort="ASC",
                        count=10)  # fmt: skip

    writer, reader = (psycopg.connect(system.database_url, autocommit=True) for _ in range(2))

    def to_postgres() -> int:
        some = sorted(dice.sample(numbers, 500))
        places = [city.at(n, dice.random() * 30) for n in some]
        values = {"ids": [city.ids[n] for n in some], "xs": [x for x, _ in places],
                  "ys": [y for _, y in places]}  # fmt: skip
        writer.execute(_BATCH, values, prepare=True)
        return len(some)

    def ask_postgres(lon: float, lat: float) -> None:
        reader.execute(_NEAREST, {"x": lon, "y": lat}, prepare=True).fetchall()

    with writer, reader:
        return {
            "redis_pipe": _beside(to_redis, ask_redis, seconds),
            "pg_batch": _beside(to_postgres, ask_postgres, seconds),
        }


_BATCH = """
update last_position r
set position = st_setsrid(st_makepoint(u.x, u.y), 4326)::geography, at = now()
from unnest(%(ids)s::uuid[], %(xs)s::float8[], %(ys)s::float8[]) as u (id, x, y)
where r.responder_id = u.id
"""
_NEAREST = """
select responder_id, d from (
  select responder_id,
         position <-> st_setsrid(st_makepoint(%(x)s::float8, %(y)s::float8), 4326)::geography as d
  from last_position order by d limit 10) t
where d <= 1500
"""


def _beside(
    write: Callable[[], int], query: Callable[[float, float], None], seconds: float
) -> dict[str, Any]:
    """Write as fast as it goes, and ask fifty times a second in a thread beside."""
    end, latencies, dice = time.perf_counter() + seconds, list[float](), random.Random(9)

    def questions() -> None:
        due = time.perf_counter()
        while due < end:
            time.sleep(max(0.0, due - time.perf_counter()))
            query(WEST + WIDE * dice.random(), SOUTH + HIGH * dice.random())
            latencies.append((time.perf_counter() - due) * 1e3)
            due += 1 / 50

    thread = threading.Thread(target=questions)
    thread.start()
    written = 0
    while time.perf_counter() < end:
        written += write()
    thread.join()
    p99 = http_load.percentile(latencies, 99)
    return {"updates_per_s": round(written / seconds), "query_p99_ms": round(p99, 2)}


def ratios(found: dict[str, list[Any]], beside: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Compare by medians of the rounds."""

    def middle(values: Sequence[float]) -> float:
        return statistics.median(values)

    thin = middle([taken.us_per_message for taken in found["thin"]])
    ours = middle([taken.us_per_message for taken in found["product"]])
    idle = middle([load.figures()["p99_ms"] for load in found["idle"]])
    busy = middle([taken.queries.figures()["p99_ms"] for taken in found["beside"]])
    rate = middle([taken.sent_per_s for taken in found["beside"]])
    age = middle([http_load.percentile(taken.ages_ms, 99) for taken in found["beside"]])
    alone = middle([http_load.percentile(taken.ages_ms, 99) for taken in found["product"]])
    return {
        "cpu_per_message_vs_thin": round(ours / thin, 2),
        "sent_per_s": round(rate),
        "age_p99_ms": round(age, 1),
        "age_p99_alone_ms": round(alone, 1),
        "query_p99_vs_idle": round(busy / idle, 2),
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
        city = build(system, args.people, args.sockets)
        with (
            system.app() as product,
            system.peers("thin_positions", {"REDIS": system.redis_url}) as thin,
            http_load.no_collector(),
        ):
            found = http_load.run(measure(system, product, thin, city, args))
        beside = peers(system, city, args.seconds / 2)
    for name, figures in beside.items():
        http_load.say(way=name, **figures)
    http_load.say(way="ratios", **ratios(found, beside), goals=GOALS)


if __name__ == "__main__":
    main()
