"""A made-up city of people on duty, some of them with a phone, for benches."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
import redis.asyncio
from private_system import System

from dispatch import accounts
from realtime import presence

#: A city of 53 by 44 km.
WEST, SOUTH, WIDE, HIGH = 114.0, 30.38, 0.55, 0.40
WALKS_MPS = 1.4
METRE_LAT = 1 / 111_195
METRE_LON = METRE_LAT / math.cos(math.radians(SOUTH))


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


def anywhere(dice: random.Random) -> tuple[float, float]:
    """Give a place in the city, longitude first."""
    return WEST + WIDE * dice.random(), SOUTH + HIGH * dice.random()


def build(
    system: System,
    people: int,
    phones: int,
    *,
    places: Sequence[tuple[float, float]] | None = None,
) -> City:
    """Fill the database with people on duty: at these places, else anywhere."""
    dice = random.Random(3)
    places = [anywhere(dice) for _ in range(people)] if places is None else list(places)
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
        tokens = tokens_of(conn, ids[:phones])
        boss = conn.execute(_OPERATOR, {"org": org[0]}).fetchone()
        if boss is None:
            raise SystemExit("no operator")
        [operator] = tokens_of(conn, [str(boss[0])])
        conn.execute("insert into membership values (%s, %s, 'operator')", (boss[0], org[0]))
    with psycopg.connect(system.database_url, autocommit=True) as conn:
        conn.execute(_VACUUM)
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
# These alone: an empty table that was looked at is taken for one page until autovacuum comes, and
# the checks of foreign keys would read it whole.
_VACUUM = "vacuum analyze org, person, responder, certificate, last_position, api_token, membership"
_OPERATOR = """
insert into person (id, org_id, name) values (gen_random_uuid(), %(org)s, 'Operator') returning id
"""


def tokens_of(conn: psycopg.Connection, ids: Sequence[str]) -> list[str]:
    """Give each person a token."""
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


async def show_everybody_thin(system: System, city: City, key: str) -> None:
    """Let the thin service's key hold as many people."""
    async with redis.asyncio.Redis.from_url(system.redis_url) as bus:
        for start in range(0, len(city.ids), 2_000):
            numbers = range(start, min(start + 2_000, len(city.ids)))
            await bus.geoadd(key, [value for n in numbers for value in (*city.places[n], n)])
