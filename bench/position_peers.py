"""What PostgreSQL and Redis do with the same positions, written straight to them in batches."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

import http_load
import position_city
import psycopg
import redis
from private_system import System


def peers(system: System, city: position_city.City, seconds: float) -> dict[str, dict[str, Any]]:
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
            query(*position_city.anywhere(dice))
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
