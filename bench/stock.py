"""Two hundred clients reserve from one lot; and how long a proposal for a whole flood takes.

    .venv/bin/python bench/stock.py [--seconds 4] [--rounds 2] [--clients 200]

Starts a PostgreSQL (fsync on) and Redis of its own. `POST /api/v1/reservations`, one unit each of
one lot, with a token and a fresh key each, for eight incidents by turns; beside a thin service
(thin_stock.py), and beside `select … for update` over as many connections, which wait for each
other in PostgreSQL. Goals: at least 0.6 of the thin service's, at least as many as these. In the
end the sums must be those of the claims.

The proposal: 50 depots, 50 places that need 8 items each, 1,200 lots; goal at most 1 s, the best or
with its gap.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

import http_load
import httpx
import orjson
import position_city
import psycopg
import thin_stock
from http_load import Ask, Load, say
from private_system import Service, System, servers

from dispatch import supply

ASKS_PER_S = 1_500
PLENTY = 1_000_000_000


def fill(system: System, product: Service, operator: str) -> list[str]:
    """Put plenty of one item into one depot; give the ids of eight incidents that need it."""
    with psycopg.connect(system.database_url) as conn:
        conn.execute(thin_stock.TABLES)
        conn.execute(_SHELF, {"plenty": PLENTY, "now": datetime.now(UTC)})
    found = []
    with httpx.Client(base_url=product.url, timeout=60) as client:
        for _ in range(8):
            headers = {"Authorization": f"Bearer {operator}", "Idempotency-Key": str(uuid.uuid4())}
            body = {"kind": "flood", "position": {"lon": 114.3, "lat": 30.6}}
            answer = client.post("/api/v1/incidents", json=body, headers=headers)
            answer.raise_for_status()
            found.append(str(answer.json()["id"]))
    return found


_SHELF = """
with place as (
  insert into depot (id, org_id, code, name, position)
  select gen_random_uuid(), id, 'd1', '北仓', 'POINT(114.31 30.61)' from org where code = 'bench'
  returning id, org_id)
, goods as (
  insert into item (id, org_id, code, name_zh, name_en, unit_zh, unit_en)
  select gen_random_uuid(), org_id, 'quilt', '棉被', 'Quilt', '床', 'pc' from place returning id)
, shelf as (
  insert into lot (id, depot_id, item_id, received_at)
  select gen_random_uuid(), place.id, goods.id, %(now)s from place, goods returning id)
insert into movement (id, lot_id, kind, quantity, at)
select gen_random_uuid(), id, 'receive', %(plenty)s, %(now)s from shelf
"""


def asks(operator: str, incidents: Sequence[str], count: int) -> list[Ask]:
    """Write requests for one unit each, with keys of their own."""
    found = []
    for number in range(count):
        body = {"incident": incidents[number % 8], "item": "quilt", "quantity": 1}
        headers = {"Authorization": f"Bearer {operator}", "Idempotency-Key": str(uuid.uuid4())}
        found.append(Ask("/api/v1/reservations", "POST", orjson.dumps(body), headers))
    return found


# ---- as many connections that wait for each other


async def _one(database: str, until: float, counts: list[int]) -> None:
    async with await psycopg.AsyncConnection.connect(database, prepare_threshold=0) as conn:
        while time.perf_counter() < until:
            async with conn.transaction():
                row = await (await conn.execute(_LOCK)).fetchone()
                if row is None or row[0] < 1:
                    raise SystemExit("nothing left")
                await conn.execute(_TAKE)
                await conn.execute(_NOTE)
            counts.append(1)


_LOCK = "select on_hand - reserved from thin.balance where lot_id = 2 for update"
_TAKE = "update thin.balance set reserved = reserved + 1 where lot_id = 2"
_NOTE = "insert into thin.reservation (lot_id, quantity, payload) values (2, 1, '{}')"


async def for_update(database: str, clients: int, seconds: float) -> float:
    """Reserve over so many connections; reservations a second."""
    counts: list[int] = []
    began = time.perf_counter()
    until = began + seconds
    await asyncio.gather(*(_one(database, until, counts) for _ in range(clients)))
    return len(counts) / (time.perf_counter() - began)


# ---- the measuring


def reserve(system: System, product: Service, thin: Service, args: argparse.Namespace) -> None:
    """Let all take turns, print medians and ratios, and compare what was answered and stored."""
    city = position_city.build(system, 10, 1)
    incidents = fill(system, product, city.operator)
    many = int(ASKS_PER_S * (args.seconds + 1))
    more = {"clients": args.clients, "seconds": args.seconds}
    bare = [Ask("/reservations", "POST", asks("-", incidents, 1)[0].body)]
    found = http_load.alternate(
        {
            "thin": lambda: http_load.load(thin.url, bare, server=thin.pid, **more),
            "ours": lambda: http_load.load(
                product.url, asks(city.operator, incidents, many), server=product.pid, **more
            ),
        },
        rounds=args.rounds,
    )
    rate = asyncio.run(for_update(system.database_url, args.clients, args.seconds))
    for name, loads in found.items():
        show(name, loads)
    ours = http_load.median(found["ours"], "per_s")
    say(way="for update", connections=args.clients, per_s=round(rate, 1))
    say(
        way="ratios",
        thin=round(ours / http_load.median(found["thin"], "per_s"), 3),
        for_update=round(ours / rate, 3),
        goals={"thin": 0.6, "for_update": 1.0},
    )
    compare(system)


def show(name: str, loads: Sequence[Load]) -> None:
    """Print the medians of one way."""
    medians = {what: round(http_load.median(loads, what), 2)
               for what in ("per_s", "p50_ms", "p99_ms", "server_cpu_us")}  # fmt: skip
    say(way=name, **medians, statuses=loads[0].figures()["statuses"])


def compare(system: System) -> None:
    """Say what is reserved, and what the claims are that it is the sum of."""
    with psycopg.connect(system.database_url) as conn:
        row = conn.execute(
            "select (select sum(reserved) from balance)::int,"
            " (select sum(quantity) from reservation where status = 'active')::int"
        ).fetchone()
    reserved, claimed = row or (0, 0)
    say(way="stored", reserved=reserved, claimed=claimed, is_equal=reserved == claimed)


def propose(rounds: int) -> None:
    """Propose what goes where in a flood, anew each time."""
    for seed in range(rounds):
        dice = random.Random(seed)
        lots = [
            supply.Lot((depot, item, nth), depot, item, dice.randint(20, 400),
                       dice.uniform(3_600, 1e7))
            for depot in range(50) for item in range(8) for nth in range(3)
        ]  # fmt: skip
        needs = [
            supply.Need((place, item), item, dice.randint(50, 1_500), dice.randint(1, 4),
                        dice.choice([0.0, 86_400.0]))
            for place in range(50) for item in range(8)
        ]  # fmt: skip
        spots = [complex(dice.random(), dice.random()) for _ in range(100)]
        ways = {
            depot: {
                (place, item): 60 + 7_000 * abs(spots[depot] - spots[50 + place])
                for place in range(50) for item in range(8)
            }
            for depot in range(50)
        }  # fmt: skip
        began = time.perf_counter()
        answer = supply.solve(lots, needs, ways)
        say(
            way="proposal", seconds=round(time.perf_counter() - began, 3), gap=answer.gap,
            flows=len(answer.flows), short=sum(answer.short.values()), goals={"seconds": 1.0},
        )  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--clients", type=int, default=200)
    args = parser.parse_args()
    propose(3)
    with servers(max_connections=str(args.clients + 100)) as system:
        environment = {"DATABASE": system.database_url}
        with psycopg.connect(system.database_url) as conn:
            conn.execute(thin_stock.TABLES)
        with system.app() as product, system.peers("thin_stock", environment) as thin:
            reserve(system, product, thin, args)


if __name__ == "__main__":
    main()
