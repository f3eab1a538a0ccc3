"""The nearest of a million AEDs over HTTP, beside its peers, in one run.

    .venv/bin/python bench/nearest.py [--aeds 1000000] [--seconds 4] [--rounds 3]
    GOLDEN_TEST_DATA=… .venv/bin/python bench/nearest.py --walking

Ours: `GET /api/v1/nearest/aeds`, 10 usable on arrival within 5 km, a bearer token with every
request, opening hours judged, the spheroid's order; from one process whose answers are never older
than a second. Beside it: the same database asked by raw SQL (KNN), Redis GEOSEARCH, and thin
FastAPI services (nearest_peers.py) that ask one SQL statement, a tree in memory, or sort by
ST_Distance. With --walking: the 30 nearest by walking time within 10 minutes on Porto's streets,
over HTTP beside /ping, and in the process beside Valhalla's matrix.
Prints one line of JSON each. Loopback only; starts its own servers and ends only those.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import http_load
import nearest_walking
import numpy as np
import psycopg
import redis
from http_load import Ask, Load, median, say
from numpy.typing import NDArray
from private_system import Service, System, servers

from dispatch import accounts, db, orgs

WITHIN_M = 5_000
WALK_MPS = 1.4167
DETOUR = 1.35
#: Half are always open; of the others some are closed whenever this runs.
HOURS = ("24/7", "24/7", "24/7", "Mo-Fr 08:00-18:00", "Mo-Su 06:00-23:00", "Sa-Su 10:00-16:00")
COLUMNS = (
    "id, org_id, name, address, position, access, hours, status, source, created_at, updated_at"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--aeds", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--walking", action="store_true", help="the streets of Porto instead")
    options = parser.parse_args()
    if options.walking:
        nearest_walking.main(options, fill, wait_for_index)
        return
    with servers() as system:
        places, good = scatter(options.aeds)
        token = fill(system, places, good)
        asked = around(places, options.queries)
        alone(system, asked, places, good)
        with (
            system.peers("nearest_peers", {"DSN": system.database_url}) as thin,
            system.app() as ours,
        ):
            over_http(thin, ours, token, asked, options)


def scatter(n: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scatter 60 % around 300 centres (8 km) and the rest over 22 by 20 degrees; 70 % are good."""
    rng = np.random.default_rng(1)
    centres = np.c_[rng.uniform(101, 121, 300), rng.uniform(23, 41, 300)]
    near = int(n * 0.6)
    around_them = centres[rng.integers(0, 300, near)] + rng.normal(0, (0.085, 0.072), (near, 2))
    anywhere = rng.uniform((100, 22), (122, 42), (n - near, 2))
    return np.r_[around_them, anywhere].round(7), rng.random(n) < 0.7


def around(places: NDArray[np.float64], n: int) -> list[tuple[float, float]]:
    """Ask some 500 m from devices that lie around the centres."""
    rng = np.random.default_rng(2)
    chosen = places[rng.integers(0, int(len(places) * 0.6), n)]
    return [(lon, lat) for lon, lat in (chosen + rng.normal(0, 0.004, (n, 2))).round(6).tolist()]


def fill(system: System, places: NDArray[np.float64], good: NDArray[np.bool_]) -> str:
    """Load the registry by COPY; give the token of somebody who may ask."""
    began = time.perf_counter()
    org_id, token = asyncio.run(_somebody(system.database_url))
    ids = np.random.default_rng(3).integers(0, 2**63, (len(places), 2)).tolist()
    now = datetime.now(UTC).isoformat()
    with (
        psycopg.connect(system.database_url) as conn,
        conn.cursor() as cursor,
        cursor.copy(f"copy aed ({COLUMNS}) from stdin") as copy,
    ):
        for i, (lon, lat) in enumerate(places.tolist()):
            number = f"{ids[i][0]:016x}{ids[i][1]:016x}"
            status = "in_service" if good[i] else "out_of_service"
            place = f"SRID=4326;POINT({lon} {lat})"
            facts = (f"AED {i}", f"{i} Road", place, "public", HOURS[i % len(HOURS)], status)
            copy.write_row((number, org_id, *facts, "bench", now, now))
    with psycopg.connect(system.database_url, autocommit=True) as conn:
        conn.execute("vacuum analyze aed")
        conn.execute("vacuum analyze aed_change")
    say(what="loaded", aeds=len(places), seconds=round(time.perf_counter() - began, 1))
    return token


async def _somebody(database_url: str) -> tuple[str, str]:
    engine, now = db.make_engine(database_url), datetime.now(UTC)
    try:
        async with db.Database(engine, None).transaction() as conn:
            org_id = await orgs.add_org(
                conn, None, code="bench", name_zh="测试", name_en="Bench", level=3
            )
            person_id = await accounts.add_person(conn, org_id, name="Bench")
            return str(org_id), await accounts.add_token(conn, person_id, name="b", now=now)
    finally:
        await engine.dispose()


# ---- without HTTP

RAW = """
select id, d from (
  select id, position <-> p as d
  from aed, (select st_setsrid(st_makepoint(%s::float8, %s::float8), 4326)::geography as p) as q
  where is_in_service order by position <-> p limit 10) as t
where d <= 5000
"""


def alone(
    system: System,
    asked: Sequence[tuple[float, float]],
    places: NDArray[np.float64],
    good: NDArray[np.bool_],
) -> None:
    """Time the limits below any service: one client, no HTTP."""
    with psycopg.connect(system.database_url, autocommit=True) as conn:
        cursor = conn.cursor(binary=True)
        say(
            what="raw SQL KNN, psycopg, one client",
            **timed(asked, lambda at: cursor.execute(RAW, at, prepare=True).fetchall()),
        )
    with redis.Redis.from_url(system.redis_url) as client:
        rows = places.tolist()
        flat = [v for i in np.flatnonzero(good).tolist() for v in (*rows[i], i)]
        for first in range(0, len(flat), 6_000):
            client.geoadd("aed", flat[first : first + 6_000])
        say(what="Redis GEOSEARCH, one client", **timed(asked, lambda at: search(client, at)))
        client.delete("aed")


def search(client: redis.Redis, at: tuple[float, float]) -> object:
    ask = ("FROMLONLAT", *at, "BYRADIUS", WITHIN_M, "m", "ASC", "COUNT", 10, "WITHDIST")
    return client.execute_command("GEOSEARCH", "aed", *ask)


def timed(
    things: Sequence[tuple[float, float]], work: Callable[[tuple[float, float]], object]
) -> dict[str, float]:
    for thing in things[:50]:
        work(thing)
    took = []
    for thing in things:
        began = time.perf_counter()
        work(thing)
        took.append((time.perf_counter() - began) * 1e3)
    return {f"p{p}_ms": round(http_load.percentile(took, p), 3) for p in (50, 99)}


# ---- over HTTP


def over_http(
    thin: Service,
    ours: Service,
    token: str,
    asked: Sequence[tuple[float, float]],
    options: argparse.Namespace,
) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    within_s = round(WITHIN_M * DETOUR / WALK_MPS, 2)
    plain = [f"lon={lon}&lat={lat}" for lon, lat in asked]
    mine = [Ask(f"/api/v1/nearest/aeds?{q}&usable=yes&within_s={within_s}") for q in plain]
    wait_for_index(ours, mine[0], headers)

    def service(at: Service, asks: Sequence[Ask], clients: int) -> Callable[[], object]:
        sent = headers if at is ours else {}
        return lambda: http_load.load(
            at.url, asks, clients=clients, seconds=options.seconds, headers=sent, server=at.pid
        )

    thin_asks = [Ask(f"/sql?{q}") for q in plain]
    fresh = {
        "ours, nobody asked there before": http_load.run(
            http_load.once(ours.url, mine, headers=headers)
        ),
        "thin SQL, the first time": http_load.run(http_load.once(thin.url, thin_asks)),
    }
    for name, took in fresh.items():
        say(what=name, clients=1, p50_ms=round(http_load.percentile(took, 50), 3))
    for clients in (1, 8, 32):
        found = http_load.alternate(
            {
                "ours": service(ours, mine, clients),
                "thin SQL": service(thin, [Ask(f"/sql?{q}") for q in plain], clients),
                "thin tree": service(thin, [Ask(f"/tree?{q}") for q in plain], clients),
                "ping": service(thin, [Ask("/ping")], clients),
            },
            rounds=options.rounds,
        )
        report(found, clients)
    naive = http_load.run(
        http_load.load(thin.url, [Ask(f"/naive?{q}") for q in plain[:3]], clients=1, seconds=4.0)
    )
    say(what="naive: ORDER BY ST_Distance", clients=1, **naive.figures())
    rates = {
        name: http_load.run(
            http_load.load(
                at.url, asks, clients=16, seconds=options.seconds, rate=300, headers=sent
            )
        )
        for name, at, asks, sent in (
            ("ours", ours, mine, headers),
            ("thin SQL", thin, [Ask(f"/sql?{q}") for q in plain], {}),
        )
    }
    for name, load in rates.items():
        say(what=f"{name}, 300 a second", **load.figures())


def wait_for_index(ours: Service, ask: Ask, headers: dict[str, str]) -> None:
    """Wait until the process answers from memory: then a thousand answers take no second."""
    began = time.perf_counter()
    while time.perf_counter() - began < 120:
        one = http_load.run(
            http_load.load(ours.url, [ask], clients=1, seconds=0.3, headers=headers)
        )
        if median([one], "p50_ms") < 1.0:
            break
        time.sleep(0.2)
    features = json.loads(one.sample)["features"]
    states = {feature["properties"]["usable"] for feature in features}
    say(
        what="ready",
        after_s=round(time.perf_counter() - began, 1),
        found=len(features),
        usable=sorted(states),
    )


def report(found: dict[str, list[Load]], clients: int) -> None:
    for name, loads in found.items():
        say(
            what=name,
            clients=clients,
            p50_ms=median(loads, "p50_ms"),
            p99_ms=median(loads, "p99_ms"),
            per_s=median(loads, "per_s"),
            per_s_spread=http_load.spread(loads, "per_s"),
            statuses=loads[-1].statuses,
            client_cpu_us=median(loads, "client_cpu_us"),
            server_cpu_us=median(loads, "server_cpu_us"),
        )

    def over(peer: str, what: str) -> float:
        pairs = zip(found["ours"], found[peer], strict=True)
        return round(statistics.median(a.figures()[what] / b.figures()[what] for a, b in pairs), 3)

    say(
        what="ratios",
        clients=clients,
        p50_over_thin_sql={"is": over("thin SQL", "p50_ms"), "goal": "<= 1.25"},
        per_s_over_thin_sql={"is": over("thin SQL", "per_s"), "goal": ">= 0.85"},
        per_s_over_thin_tree={"is": over("thin tree", "per_s"), "goal": ">= 0.85"},
        cpu_over_thin_sql=over("thin SQL", "server_cpu_us"),
        cpu_over_thin_tree=over("thin tree", "server_cpu_us"),
    )


if __name__ == "__main__":
    main()
