"""Plans from the live system on Porto's streets: candidates, walking times and the choice.

    .venv/bin/python bench/plan_live.py [--people 100000] [--aeds 20000] [--incidents 40]
        [--stages]

GOLDEN_TEST_DATA names the folder that holds osm/porto.osm.pbf. Starts a PostgreSQL and Redis of its
own. Each plan is asked for in this process, by the clock and by this process's processor time, and
over HTTP; with `--stages` the time of each part is printed too. The goal is p95 <= 80 ms in the
process.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import http_load
import httpx
import numpy as np
import position_city
import psycopg
import redis.asyncio
from nearest import HOURS
from nearest_walking import SPEED_MPS
from private_system import Service, System, servers

from dispatch import (
    considered,
    db,
    eligibility,
    gathering,
    matching,
    plan_views,
    planning,
    policies,
    settings,
    store,
    ways,
    whereabouts,
)
from geo import aeds, walking, walking_build, walking_files

ROUNDS = 3
#: What is timed with --stages: awaited, then called.
AWAITED = (
    (policies, "effective"), (planning, "live_positions"), (whereabouts, "live_around"),
    (considered, "near"), (whereabouts, "unplaced"), (eligibility, "describe"),
    (gathering, "gather"), (aeds, "near"), (planning, "_gather"), (planning, "make"),
)  # fmt: skip
CALLED = ((ways, "measure"), (planning, "_decide"), (plan_views, "plan_out"))


def main() -> None:
    """Build the city, then measure in the process and over HTTP."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--aeds", type=int, default=20_000)
    parser.add_argument("--incidents", type=int, default=40)
    parser.add_argument("--stages", action="store_true")
    args = parser.parse_args()
    data = os.environ.get("GOLDEN_TEST_DATA")
    if data is None:
        raise SystemExit("GOLDEN_TEST_DATA must name the folder that holds osm/porto.osm.pbf")
    with servers() as system:
        folder = system.home / "data"
        streets = folder / "routing" / "walking"
        walking_build.build(Path(data) / "osm" / "porto.osm.pbf", streets, "porto")
        spots = along(streets, args.people + args.aeds + args.incidents)
        people, cabinets, patients = np.split(spots, [args.people, args.people + args.aeds])
        city = position_city.build(
            system, args.people, 0, places=[(x, y) for x, y in people.tolist()]
        )
        hang(system, cabinets.tolist())
        with system.app(folder=folder) as app:
            incidents = reported(app, city, patients.tolist())
            asyncio.run(position_city.show_everybody(system, city))
            asyncio.run(in_process(system, streets, incidents, is_staged=args.stages))
            asyncio.run(position_city.show_everybody(system, city))
            over_http(app, city, incidents)


def along(folder: Path, many: int) -> np.ndarray:
    """Scatter places some 20 m round the streets: dense where these are."""
    [(city, manifest)] = walking_files.manifests(folder).items()
    graph = walking_files.load(city, manifest)
    dice = np.random.default_rng(4)
    points = np.column_stack([graph.point_lon, graph.point_lat])
    near = points[dice.integers(0, len(points), many)]
    spots: np.ndarray = (near + dice.normal(0, 2e-4, near.shape)).round(6)
    return spots


_HANG = """
insert into aed (id, org_id, name, address, position, access, hours, status, source, created_at,
                 updated_at)
select gen_random_uuid(), (select id from org limit 1), 'AED ' || n, n || ' Road',
       st_setsrid(st_makepoint(x, y), 4326)::geography, 'public', hours, 'in_service', 'bench',
       now(), now()
from unnest(%s::float8[], %s::float8[], %s::text[]) with ordinality as t (x, y, hours, n)
"""


def hang(system: System, places: list[list[float]]) -> None:
    """Register the AEDs."""
    hours = [HOURS[n % len(HOURS)] for n in range(len(places))]
    with psycopg.connect(system.database_url) as conn:
        conn.execute(_HANG, ([x for x, _ in places], [y for _, y in places], hours))
    with psycopg.connect(system.database_url, autocommit=True) as conn:
        conn.execute("vacuum analyze")


def reported(app: Service, city: position_city.City, places: list[list[float]]) -> list[uuid.UUID]:
    """Report an incident at each place."""
    found = []
    with httpx.Client(base_url=app.url, timeout=60) as client:
        for lon, lat in places:
            answer = client.post(
                "/api/v1/incidents",
                json={
                    "kind": "cardiac_arrest",
                    "position": {"lon": lon, "lat": lat},
                    "ambulance": "notified",
                },
                headers={
                    "Authorization": f"Bearer {city.operator}",
                    "Idempotency-Key": str(uuid.uuid4()),
                },
            )
            answer.raise_for_status()
            found.append(uuid.UUID(answer.json()["id"]))
    return found


async def in_process(
    system: System, streets: Path, incidents: list[uuid.UUID], *, is_staged: bool
) -> None:
    """Plan each incident as the route does; the first round only warms up."""
    network = walking.WalkingNetwork.load(streets, speed_mps=SPEED_MPS)
    network.warm_up()
    matching.warm_up()
    base = planning.policy_of(settings.Settings())
    engine = db.make_engine(system.database_url)
    # As the program does: else the garbage of a whole city is gone through every few plans.
    gc.collect()
    gc.freeze()
    took: list[float] = []
    cpu: list[float] = []
    people: list[int] = []
    async with redis.asyncio.Redis.from_url(system.redis_url) as bus:
        for turn in range(ROUNDS):
            stages: dict[str, list[float]] = {}
            with timed(stages) if is_staged and turn else contextlib.nullcontext():
                for incident in incidents:
                    began, began_cpu = time.perf_counter(), time.process_time()
                    made = await plan(engine, bus, incident, base, network)
                    if turn:
                        took.append((time.perf_counter() - began) * 1e3)
                        cpu.append((time.process_time() - began_cpu) * 1e3)
                        people.append(len(made.chosen) + len(made.excluded) + len(made.aside))
            for name, spans in stages.items():
                p50, p95 = np.percentile(spans, [50, 95])
                http_load.say(stage=name, p50_ms=round(p50, 1), p95_ms=round(p95, 1))
    await engine.dispose()
    say("in the process", took, cpu_p95_ms=round(float(np.percentile(cpu, 95)), 1), goal=80)
    http_load.say(people_p50=float(np.median(people)), people_most=max(people))


async def plan(
    engine: Any,
    bus: redis.asyncio.Redis,
    incident: uuid.UUID,
    base: matching.Policy,
    network: walking.WalkingNetwork,
) -> planning.Plan:
    """Do what `GET /incidents/{id}/plan` does between its rights and its answer."""
    now = datetime.now(UTC)
    async with db.Database(engine, None).snapshot() as conn:
        known = await store.get_incident(conn, incident)
        policy = await policies.effective(conn, known, base=base, now=now)
        live = await planning.live_positions(
            conn, incident, bus, policy=policy, network=network, known=known, now=now
        )
        return await planning.make(
            conn, incident, policy=policy, network=network, live=live, known=known, now=now
        )


@contextlib.contextmanager
def timed(stages: dict[str, list[float]]) -> Iterator[None]:
    """Time each part of a plan, the parts within it included."""
    kept = [(place, name, getattr(place, name)) for place, name in (*AWAITED, *CALLED)]

    def awaited(name: str, function: Any) -> Any:
        async def run(*args: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return await function(*args, **named)
            finally:
                stages.setdefault(name, []).append((time.perf_counter() - began) * 1e3)

        return run

    def called(name: str, function: Any) -> Any:
        def run(*args: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*args, **named)
            finally:
                stages.setdefault(name, []).append((time.perf_counter() - began) * 1e3)

        return run

    for place, name, function in kept:
        wrap = awaited if (place, name) in AWAITED else called
        setattr(place, name, wrap(name, function))
    try:
        yield
    finally:
        for place, name, function in kept:
            setattr(place, name, function)


def over_http(app: Service, city: position_city.City, incidents: list[uuid.UUID]) -> None:
    """Ask the app for each plan; the first round only warms up."""
    took, size = [], 0
    with httpx.Client(base_url=app.url, timeout=60) as client:
        for turn in range(ROUNDS):
            for incident in incidents:
                began = time.perf_counter()
                answer = client.get(
                    f"/api/v1/incidents/{incident}/plan",
                    headers={"Authorization": f"Bearer {city.operator}"},
                )
                answer.raise_for_status()
                if turn:
                    took.append((time.perf_counter() - began) * 1e3)
                    size = max(size, len(answer.content))
    say("GET /incidents/{id}/plan", took, most_kb=round(size / 1024))


def say(what: str, took: list[float], **more: Any) -> None:
    """Print the percentiles."""
    p50, p95, most = np.percentile(took, [50, 95, 100])
    http_load.say(
        what=what, plans=len(took), p50_ms=round(p50, 1), p95_ms=round(p95, 1),
        max_ms=round(most, 1), **more,
    )  # fmt: skip


if __name__ == "__main__":
    main()
