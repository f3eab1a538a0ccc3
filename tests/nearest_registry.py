"""A registry of AEDs with the engine that answers from memory, on a clock that tests move."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from dispatch import db
from geo import nearest_index, nearest_records
from geo.nearest import Engine, NearAed
from geo.position import Position
from geo.walking import WalkingNetwork

SPEED = 1.4
NO_STREETS = WalkingNetwork([], speed_mps=SPEED)
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
