"""The nearest AEDs equal brute force by other code."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import psycopg
import pyproj
import pytest
from live_processes import IS_LONG
from nearest_registry import (
    FIRST_DAY,
    NO_STREETS,
    SPEED,
    Registry,
    Row,
    point,
    read_registry,
    write,
)
from numpy.typing import NDArray

from dispatch import db
from geo import nearest, nearest_records
from geo.nearest import NearAed
from geo.position import Position

if TYPE_CHECKING:
    from conftest import Servers

SEED = 20261122
#: With GOLDEN_TEST_LONG=1 all ten thousand; they take a minute and a half.
AEDS, QUERIES = 100_000, 10_000 if IS_LONG else 3_000
DETOUR = 1.35
SPHEROID = pyproj.Geod(ellps="WGS84")

#: Every kind of device; `kinds_at` judges them by rules of its own.
KINDS: tuple[Row, ...] = (
    {},
    {"hours": None},
    {"hours": "Mo-Fr 08:00-18:00"},
    {"hours": "Mo-Su 22:00-06:00"},
    {"hours": "Sa-Su 10:00-16:00"},
    {"hours": "sometimes"},
    {"access": "staff"},
    {"access": "private"},
    {"suspect_since": FIRST_DAY},
    {"taken_at": FIRST_DAY},
    {"pads_expire_on": "2026-11-10"},
    {"closed_from": "2026-11-08T12:00Z", "closed_until": "2026-11-19T00:00Z"},
    {"verified_at": "2026-10-12T00:00Z", "check_every_days": 30},
    {"carrier": "taxi", "moved_at": "2026-11-12T03:00Z"},
    {"status": "out_of_service"},
)
NOT_LISTED = len(KINDS) - 1
YES, NO, UNKNOWN = "yes", "no", "unknown"


# ---- brute force


@dataclass(frozen=True)
class Crowd:
    """A hundred thousand devices as plain arrays, in the order of their latitudes."""

    number: list[int]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    kind: NDArray[np.int64]
    unit: NDArray[np.float64]


def scatter(rng: np.random.Generator) -> Crowd:
    """In China in clumps and alone, across the antimeridian, round both poles, and on one spot."""
    n = AEDS // 100
    clumps = rng.uniform((101, 23), (121, 41), (80, 2))[rng.integers(0, 80, 50 * n)]
    china = np.r_[
        clumps + rng.normal(0, 0.05, (50 * n, 2)), rng.uniform((100, 22), (122, 42), (38 * n, 2))
    ]
    china = np.r_[china, china[rng.integers(0, len(china), 2 * n)]]  # the same spot again
    edge = np.c_[rng.normal(180, 0.08, 5 * n), rng.normal(-17, 0.08, 5 * n)]
    edge[:n, 0] = 180.0
    poles = np.c_[rng.uniform(-180, 180, 5 * n), 90 - np.abs(rng.normal(0, 0.08, 5 * n))]
    poles[: 2 * n, 1] *= -1
    poles[0, 1], poles[-1, 1] = -90.0, 90.0
    places = np.r_[china, edge, poles].round(7)
    places[:, 0] = (places[:, 0] + 180) % 360 - 180
    # Elsewhere other countries' holidays would count: always open, or nobody knows.
    kind = np.r_[
        rng.integers(0, len(KINDS), len(china)), rng.integers(0, 2, len(places) - len(china))
    ]
    order = np.argsort(places[:, 1], kind="stable")
    lon, lat = places[order].T
    numbers = [int.from_bytes(rng.bytes(16)) for _ in range(AEDS)]
    return Crowd(numbers, lon, lat, kind[order], unit(lon, lat))


def unit(lon: Any, lat: Any) -> Any:
    x, y = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)], axis=-1)


def kinds_at(kind: NDArray[np.int64], at: NDArray[np.float64]) -> list[str]:
    """Judge devices by their kinds at times of the epoch, with arithmetic alone."""
    local = at + 8 * 3600
    day = (local // 86_400).astype(int)
    hour, weekday = local % 86_400 / 3600, (day + 3) % 7
    stamp = {
        text: datetime.fromisoformat(text).timestamp()
        for text in (
            "2026-11-11T00:00+08:00", "2026-11-08T12:00+00:00", "2026-11-19T00:00+00:00",
            "2026-11-11T00:00+00:00", "2026-11-12T03:30+00:00",
        )
    }  # fmt: skip
    expired, closes, opens, due, old = stamp.values()

    def or_no(is_open: NDArray[np.bool_]) -> NDArray[np.str_]:
        return np.where(is_open, YES, NO)

    def or_unknown(is_sure: NDArray[np.bool_]) -> NDArray[np.str_]:
        return np.where(is_sure, YES, UNKNOWN)

    every = np.ones(len(kind), bool)
    states = [
        or_no(every), or_unknown(~every),
        or_no((weekday < 5) & (hour >= 8) & (hour < 18)),
        or_no((hour >= 22) | (hour < 6)),
        or_no((weekday >= 5) & (hour >= 10) & (hour < 16)),
        or_unknown(~every), or_unknown(~every), or_no(~every), or_unknown(~every), or_no(~every),
        or_no(at < expired), or_no((at < closes) | (at >= opens)),
        or_unknown(at < due), or_unknown(at <= old),
    ]  # fmt: skip
    chosen: list[str] = np.choose(kind, states).tolist()
    return chosen


@dataclass(frozen=True)
class Query:
    """One question."""

    lon: float
    lat: float
    radius_m: float
    k: int
    only_usable: bool
    at: datetime

    @property
    def within_s(self) -> float:
        return self.radius_m * DETOUR / SPEED


def queries(crowd: Crowd, rng: np.random.Generator) -> list[Query]:
    n = QUERIES
    near = rng.integers(0, AEDS, n)
    lon = (crowd.lon[near] + rng.normal(0, 0.02, n) + 180) % 360 - 180
    lat = np.clip(crowd.lat[near] + rng.normal(0, 0.02, n), -90, 90)
    lon[:200] = 180.0
    lat[200:230], lat[230:260] = 90.0, -90.0
    radius = np.exp(rng.uniform(math.log(50), math.log(40_000), n))
    k, seconds = rng.integers(1, 21, n), rng.uniform(0, 24 * 86_400, n).round(3)
    rows = zip(lon, lat, radius, k, rng.random(n) < 0.6, seconds, strict=True)
    return [
        Query(
            float(x), float(y), float(r), int(k), bool(u), FIRST_DAY + timedelta(seconds=float(s))
        )
        for x, y, r, k, u, s in rows
    ]


def brute_force(crowd: Crowd, query: Query) -> list[tuple[float, int, str]]:
    """Give distance, id and state of whom the rule wants; pyproj measures."""
    reach = query.radius_m / 110_000
    first, end = np.searchsorted(crowd.lat, [query.lat - reach, query.lat + reach])
    away = np.linalg.norm(crowd.unit[first:end] - unit(query.lon, query.lat), axis=1)
    rows = first + np.flatnonzero(away * 6_371_009 <= query.radius_m * 1.01)
    rows = rows[crowd.kind[rows] != NOT_LISTED]
    n = len(rows)
    _, _, metres = SPHEROID.inv(
        np.full(n, query.lon), np.full(n, query.lat), crowd.lon[rows], crowd.lat[rows]
    )
    states = kinds_at(crowd.kind[rows], query.at.timestamp() + metres * DETOUR / SPEED)
    found = sorted(
        (m, crowd.number[row], state)
        for m, row, state in zip(metres.tolist(), rows.tolist(), states, strict=True)
        if m <= query.radius_m and (state == YES or not query.only_usable)
    )
    return found[: query.k]


@pytest.fixture(scope="module")
def crowd() -> Crowd:
    return scatter(np.random.default_rng(SEED))


@pytest.fixture(scope="module")
async def crowded(servers: Servers, crowd: Crowd) -> AsyncIterator[Registry]:
    rows = [
        {"id": UUID(int=number), "position": point(lon, lat), **KINDS[kind]}
        for number, lon, lat, kind in zip(
            crowd.number, crowd.lon.tolist(), crowd.lat.tolist(), crowd.kind.tolist(), strict=True
        )
    ]
    with servers.clone() as url:
        write(url, rows)
        async for made in read_registry(url):
            yield made


async def test_NEA_1_ten_thousand_answers_equal_brute_force(
    crowded: Registry, crowd: Crowd
) -> None:
    compared = full = 0
    for query in queries(crowd, np.random.default_rng(SEED + 1)):
        found = await crowded.engine.find(
            NO_STREETS, Position(query.lon, query.lat), within_s=query.within_s, limit=query.k,
            only_usable=query.only_usable, at=query.at,
        )  # fmt: skip
        check(found, brute_force(crowd, query), query)
        compared += len(found)
        full += len(found) == query.k
    assert compared > 3 * QUERIES
    assert full > QUERIES / 5


def check(found: list[NearAed], expected: list[tuple[float, int, str]], query: Query) -> None:
    assert len(found) == len(expected), query
    for near, (metres, number, state) in zip(found, expected, strict=True):
        assert near.travel.distance_m == pytest.approx(metres * DETOUR, abs=2e-6), query
        assert (near.aed.id.int, near.usable.state) == (number, state), query
        assert near.travel.travel_s == pytest.approx(metres * DETOUR / SPEED, abs=2e-6)
        assert near.travel.source == "estimate"


async def test_NEA_2_sql_gives_the_same_while_the_index_is_not_read(
    crowded: Registry, crowd: Crowd
) -> None:
    database = db.make_engine(crowded.url)
    async with database.connect() as conn:
        for query in queries(crowd, np.random.default_rng(SEED + 2))[::50]:
            found = await nearest.find(
                conn, NO_STREETS, Position(query.lon, query.lat), within_s=query.within_s,
                limit=query.k, only_usable=query.only_usable, at=query.at,
            )  # fmt: skip
            check(found, brute_force(crowd, query), query)
    await database.dispose()


def test_NEA_3_records_are_read_by_their_keys(crowded: Registry) -> None:
    with psycopg.connect(crowded.url) as conn:
        conn.execute("analyze aed_change")
        conn.execute("set plan_cache_mode = force_generic_plan")
        conn.execute("prepare hot (uuid[]) as " + nearest_records._SELECT.replace("%s", "$1"))
        lines = conn.execute("explain execute hot (array[gen_random_uuid()])").fetchall()
    plan = "\n".join(line[0] for line in lines)
    assert {"pk_aed", "pk_aed_change"} <= set(re.findall(r"\bpk_\w+", plan)), plan
    assert "Seq Scan" not in plan
