"""Which cities are loaded: one row per imported file, with its box, source and attribution."""

import hashlib
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Row, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import datum, tables
from geo.position import Position, distance_m

DEFAULT_TIME_ZONE = "Asia/Shanghai"
OSM_ATTRIBUTION = "© OpenStreetMap contributors"


class DatasetMissing(LookupError):
    """No city of that name has been imported."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """An imported city; `box` is west, south, east, north in degrees."""

    id: int
    name: str
    title_zh: str
    title_en: str
    source: str
    sha256: str
    attribution: str
    licence: str
    time_zone: str
    box: tuple[float, float, float, float]
    centre: Position
    is_derived: bool
    imported_at: datetime

    @classmethod
    def from_row(cls, row: Row[tuple[object, ...]]) -> "Dataset":
        """Read one row of the dataset table."""
        return cls(
            id=row.id,
            name=row.name,
            title_zh=row.title_zh,
            title_en=row.title_en,
            source=row.source,
            sha256=row.sha256,
            attribution=row.attribution,
            licence=row.licence,
            time_zone=row.time_zone,
            box=(row.west, row.south, row.east, row.north),
            centre=Position.from_wkb(row.centre),
            is_derived=row.is_derived,
            imported_at=row.imported_at,
        )


async def list_all(conn: AsyncConnection) -> list[Dataset]:
    """List the imported cities, the first imported first."""
    rows = await conn.execute(select(tables.dataset).order_by(tables.dataset.c.id))
    return [Dataset.from_row(row) for row in rows]


async def get(conn: AsyncConnection, name: str | None) -> Dataset:
    """Give the city of that name, or the first imported one without a name.

    Raises `DatasetMissing`.
    """
    table = tables.dataset
    query = select(table).order_by(table.c.id).limit(1)
    if name is not None:
        query = query.where(table.c.name == name)
    row = (await conn.execute(query)).first()
    if row is None:
        raise DatasetMissing(name or "")
    return Dataset.from_row(row)


async def time_zone_at(conn: AsyncConnection, position: Position) -> str:
    """Name the time zone by which opening hours at that place are meant.

    That of the smallest imported city around it, else Chinese time.
    """
    table = tables.dataset
    query = select(table.c.time_zone).where(_holds(position)).order_by(_size()).limit(1)
    zone = (await conn.execute(query)).scalar()
    return str(zone) if zone is not None else DEFAULT_TIME_ZONE


def _holds(position: Position) -> ColumnElement[bool]:
    table = tables.dataset
    return and_(
        table.c.west <= position.lon,
        table.c.east >= position.lon,
        table.c.south <= position.lat,
        table.c.north >= position.lat,
    )


def _size() -> ColumnElement[float]:
    table = tables.dataset
    return (table.c.east - table.c.west) * (table.c.north - table.c.south)


def guess_time_zone(position: Position) -> str:
    """Name the time zone whose principal place is nearest; one zone for mainland China.

    A guess near borders: an import may be told the zone.
    """
    if datum.is_mainland(position.lon, position.lat):
        return DEFAULT_TIME_ZONE
    places = ((distance_m(position, place), zone) for place, zone in _zone_places())
    return min(places, default=(0.0, DEFAULT_TIME_ZONE))[1]


def _zone_places() -> Iterator[tuple[Position, str]]:
    """Yield the principal place of each zone from the system's `zone.tab`."""
    for folder in zoneinfo.TZPATH:
        table = Path(folder) / "zone.tab"
        if table.is_file():
            for line in table.read_text(encoding="utf-8").splitlines():
                if not line.startswith("#"):
                    _, place, zone = line.split("\t")[:3]
                    yield _zone_place(place), zone
            return


def _zone_place(text: str) -> Position:
    """Read ISO 6709 as `zone.tab` writes it: +DDMM+DDDMM or with seconds."""
    cut = max(text.rfind("+"), text.rfind("-"))
    return Position(_degrees(text[cut:], 3), _degrees(text[:cut], 2))


def _degrees(text: str, digits: int) -> float:
    sign, number = (-1 if text[0] == "-" else 1), text[1:].ljust(digits + 4, "0")
    whole, minutes, seconds = number[:digits], number[digits : digits + 2], number[digits + 2 :]
    return sign * (int(whole) + int(minutes) / 60 + int(seconds) / 3600)


def sha256(path: Path) -> str:
    """Give the checksum of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
