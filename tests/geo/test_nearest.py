"""The nearest AEDs equal brute force by other code; what changed is known within a second."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import psycopg
import pyproj
import pytest
from live_processes import IS_LONG
from numpy.typing import NDArray

from dispatch import db
from geo import nearest, nearest_index, nearest_records
from geo.nearest import Engine, NearAed
from geo.position import Position
from geo.walking import WalkingNetwork

if TYPE_CHECKING:
    from conftest import Servers

SEED = 20261122
#: With GOLDEN_TEST_LONG=1 all ten thousand; they take a minute and a half.
AEDS, QUERIES = 100_000, 10_000 if IS_LONG else 3_000
SPEED, DETOUR = 1.4, 1.35
NO_STREETS = WalkingNetwork([], speed_mps=SPEED)
SPHEROID = pyproj.Geod(ellps="WGS84")
HERE = Position(114.3, 30.6)
#: Four weeks without a public holiday in China.
FIRST_DAY = datetime(2026, 11, 2, tzinfo=UTC)

Row = dict[str, Any]
COLUMNS = (
    "id", "org_id", "name", "position", "access", "hours", "status", "suspect_since", "taken_at",
    "pads_expire_on", "closed_from", "closed_until", "verified_at", "check_every_days", "carrier",
    "moved_at", "source", "created_at", "updated_at",
)  # fmt: skip
OFTEN: Row = {
    "org_id": UUID(int=7), "name": "AED", "access": "public", "hours": "24/7", "source": "t",
    "status": "in_service", "created_at": FIRST_DAY, "updated_at": FIRST_DAY,
}  # fmt: skip
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


def write(url: str, rows: list[Row]) -> None:
    """Put devices into the registry by COPY, as an import does."""
    with psycopg.connect(url) as conn, conn.cursor() as cursor:
        with cursor.copy(f"copy aed ({', '.join(COLUMNS)}) from stdin") as copy:
            for row in rows:
                said = {**OFTEN, **row}
                copy.write_row([said.get(name) for name in COLUMNS])
        conn.commit()
        conn.execute("analyze aed")


def point(lon: float, lat: float) -> str:
    return f"SRID=4326;POINT({lon!r} {lat!r})"


@dataclass
class Clock:
    """A clock that tests move."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Registry:
    """A database of its own with an engine on it."""

    url: str
    engine: Engine
    clock: Clock

    def run(self, statement: str, *values: object) -> None:
        with psycopg.connect(self.url) as conn:
            conn.execute(statement, values)

    def add(self, number: int, metres: float, **facts: object) -> UUID:
        """Enter a device so far north of HERE."""
        row = {"id": UUID(int=number), "position": north(metres), **facts}
        write(self.url, [row])
        return row["id"]

    async def found(self, origin: Position = HERE, **ask: Any) -> list[NearAed]:
        """Ask, a second after the last time."""
        self.clock.now += nearest_index.OLDEST_S + 0.01
        said = {"within_s": 900.0, "limit": 10, "at": FIRST_DAY, **ask}
        return await self.engine.find(NO_STREETS, origin, **said)

    async def ids(self, **ask: Any) -> list[int]:
        return [near.aed.id.int for near in await self.found(**ask)]


def north(metres: float) -> str:
    return point(HERE.lon, HERE.lat + metres / 110_850)


async def read_registry(url: str) -> AsyncIterator[Registry]:
    engine = db.make_engine(url)
    clock = Clock()
    records = nearest_records.Records(url)
    await records.open()
    asked = Engine(db.Database(engine, None).snapshot, records, clock)
    await asked.start()
    await asked.index.settle()
    yield Registry(url, asked, clock)
    await asked.index.stop()
    await records.close()
    await engine.dispose()


@pytest.fixture
async def registry(database: str) -> AsyncIterator[Registry]:
    async for made in read_registry(database):
        yield made


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


# ---- freshness


async def test_NEA_3_every_change_is_known_after_a_second(registry: Registry) -> None:
    first, second = registry.add(1, 100), registry.add(2, 200)
    assert await registry.ids() == [1, 2]
    registry.run("update aed set position = %s where id = %s", north(300), first)
    assert await registry.ids() == [2, 1]
    registry.run("update aed set suspect_since = now() where id = %s", second)
    assert [near.usable.reason for near in await registry.found()] == ["reported", "always_open"]
    assert await registry.ids(only_usable=True) == [1]
    registry.run("update aed set status = 'out_of_service' where id = %s", first)
    assert await registry.ids() == [2]
    registry.run("update aed set status = 'in_service' where id = %s", first)
    registry.run("delete from aed where id = %s", second)
    assert await registry.ids() == [1]


async def test_NEA_3_what_a_long_transaction_changed_is_known_once_it_commits(
    registry: Registry,
) -> None:
    registry.add(1, 100)
    with psycopg.connect(registry.url) as long:
        long.execute("update aed set name = 'long' where id = %s", [UUID(int=1)])
        for number in range(2, 5):  # others begin and commit meanwhile
            registry.add(number, 100 * number)
            assert (await registry.found())[0].aed.name == "AED"
        long.commit()
    assert [near.aed.name for near in await registry.found()] == ["long", "AED", "AED", "AED"]


async def test_NEA_3_within_the_second_the_database_is_not_asked(registry: Registry) -> None:
    registry.add(1, 100)
    await registry.ids()
    registry.add(2, 50)
    registry.clock.now -= nearest_index.OLDEST_S  # no time has passed since the last look
    assert await registry.ids() == [1]
    assert await registry.ids() == [2, 1]


async def test_NEA_3_many_changes_are_put_in_order_beside(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest_index, "MOST_APART", 20)
    for number in range(1, 60):
        registry.add(number, 10 * number)
        if number % 7 == 0:
            registry.run("update aed set position = %s where id = %s", north(1), UUID(int=number))
        await registry.engine.index.settle()
        exact = sorted(range(1, number + 1), key=lambda n: (1 if n % 7 == 0 else 10 * n, n))
        assert await registry.ids(limit=200) == exact


async def test_NEA_3_after_an_import_everything_is_read_again(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest_index, "MOST_NEWS", 10)
    registry.add(1, 100)
    assert await registry.ids() == [1]
    write(registry.url, [{"id": UUID(int=n), "position": north(n)} for n in range(200, 240)])
    assert await registry.ids(limit=3) == [1, 200, 201]  # whoever answers, the index or SQL


# ---- the rest


async def test_NEA_4_a_rare_one_is_found_behind_thousands(registry: Registry) -> None:
    rng = np.random.default_rng(1)
    shut = [
        {
            "id": UUID(int=n), "position": point(HERE.lon + x, HERE.lat + y),
            "hours": ("Mo-Fr 01:00-02:00", None)[n % 2],
        }
        for n, (x, y) in enumerate(rng.normal(0, 0.02, (3_000, 2)).tolist(), 1)
    ]  # fmt: skip
    write(registry.url, shut)
    registry.add(10_000, 9_000)
    registry.add(10_001, 9_500)
    ask = {"within_s": 7_200.0, "limit": 5, "only_usable": True, "at": FIRST_DAY}
    assert await registry.ids(**ask, speed_mps=SPEED * 2) == [10_000, 10_001]
    assert await registry.ids(**ask, speed_mps=SPEED) == []


async def test_NEA_4_ties_stand_in_the_order_of_their_ids(registry: Registry) -> None:
    numbers = [(number * 2**101 + 17) % 2**128 for number in range(1, 60)]
    write(registry.url, [{"id": UUID(int=n), "position": north(50)} for n in numbers])
    for limit in (1, 7, 59, 200):
        assert await registry.ids(limit=limit) == sorted(numbers)[:limit]


async def test_NEA_3_a_judgement_ends_when_the_hours_do(registry: Registry) -> None:
    registry.add(1, 100, hours="Mo-Su 08:00-18:00", pads_expire_on="2026-11-04")
    opens = datetime(2026, 11, 3, 0, 0, tzinfo=UTC)  # 08:00 there
    for minutes, state in (
        (-5, NO),
        (0, YES),
        (595, YES),
        (599, NO),
        (601, NO),
        (-3, NO),
        (1, YES),
    ):
        found = await registry.found(at=opens + timedelta(minutes=minutes))
        assert found[0].usable.state == state, minutes
        assert found[0].usable == nearest_index.usability.judge(
            found[0].aed.conditions, found[0].arrival(opens + timedelta(minutes=minutes))
        )
    expired = await registry.found(at=opens + timedelta(days=2))
    assert expired[0].usable.reason == "expired"


def test_NEA_3_records_are_read_by_their_keys(crowded: Registry) -> None:
    with psycopg.connect(crowded.url) as conn:
        conn.execute("analyze aed_change")
        conn.execute("set plan_cache_mode = force_generic_plan")
        conn.execute("prepare hot (uuid[]) as " + nearest_records._SELECT.replace("%s", "$1"))
        lines = conn.execute("explain execute hot (array[gen_random_uuid()])").fetchall()
    plan = "\n".join(line[0] for line in lines)
    assert {"pk_aed", "pk_aed_change"} <= set(re.findall(r"\bpk_\w+", plan)), plan
    assert "Seq Scan" not in plan
