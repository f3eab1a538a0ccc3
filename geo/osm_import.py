"""Load one OpenStreetMap file: base map, addresses, facilities, AEDs, demand, walking network.

Runs in the command line's process on a synchronous connection, in one transaction per city: an
import that fails leaves the city as it was, and tiles show the old map until the new one is whole.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import h3
import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection, create_engine, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from geo import dataset, osm_aeds, osm_places, osm_read, tables
from geo.osm_aeds import AedCounts
from geo.osm_read import City
from geo.position import Position

#: Cells of about 130 m: small enough that a hexagon is a block, large enough to hold houses.
H3_RESOLUTION = 10
_MERCATOR_RADIUS_M = 6_378_137.0
_BATCH = 5_000
#: One import at a time in a database; the number only has to be ours.
LOCK = 4_712_012

Progress = Callable[[str, float], None]


class ImportRunning(RuntimeError):
    """Another import holds the lock; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a file becomes: the city's short name, titles, time zone, and whose AEDs they are.

    `time_zone=None` keeps that of an earlier import, else guesses it from the place.
    `org_id=None` leaves the AEDs of the file out.
    """

    name: str
    title_zh: str
    title_en: str
    time_zone: str | None = None
    org_id: UUID | None = None
    attribution: str = dataset.OSM_ATTRIBUTION
    is_derived: bool = False


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """What one import put into the database; `features` by layer."""

    dataset_id: int
    name: str
    time_zone: str
    features: dict[str, int]
    addresses: int
    facilities: int
    demand_points: int
    aeds: AedCounts


def import_osm(
    database_url: str,
    path: Path,
    target: Target,
    *,
    progress: Progress,
    before_commit: Callable[[], object] = lambda: None,
    now: datetime,
) -> ImportCounts:
    """Load a `.osm.pbf`, `.osm` or `.osm.gz` file as the city `target.name`.

    A second import replaces the city's base map and addresses, keeps the history of its AEDs and
    changes nothing when the file is the same. `before_commit` is called when all is written; if it
    raises, nothing is. Raises `osm_read.UnreadableFile`, `ImportRunning`.
    """
    progress("read", 0.0)
    city = osm_read.read(path)
    progress("read", 1.0)
    url = database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url, connect_args={"options": "-c timezone=UTC -c jit=off"})
    try:
        with engine.begin() as conn:
            counts = _load(_Job(conn, city, target, path, now), progress)
            before_commit()
            return counts
    finally:
        engine.dispose()


@dataclass(frozen=True, slots=True)
class _Job:
    conn: Connection
    city: City
    target: Target
    path: Path
    now: datetime


def _load(job: _Job, progress: Progress) -> ImportCounts:
    """Write a city that was read; the transaction makes it visible as a whole."""
    conn, city = job.conn, job.city
    if not conn.execute(select(func.pg_try_advisory_xact_lock(LOCK))).scalar():
        raise ImportRunning("another import is running; try again when it has ended")
    zone = _time_zone(job)
    dataset_id = _record(job, zone)
    for table in (tables.base_feature, tables.address, tables.facility, tables.demand_point):
        conn.execute(delete(table).where(table.c.dataset_id == dataset_id))
    counts = ImportCounts(
        dataset_id=dataset_id,
        name=job.target.name,
        time_zone=zone,
        features=_load_features(conn, dataset_id, city, progress),
        addresses=_load_addresses(conn, dataset_id, city),
        facilities=_load_facilities(conn, dataset_id, city),
        demand_points=_load_demand(conn, dataset_id, city),
        aeds=_merge_aeds(job, dataset_id, zone),
    )
    for statement in _ANALYZE:
        conn.execute(statement)
    progress("write", 1.0)
    return counts


# Without fresh statistics the first tiles after an import are drawn by sequential scans.
_ANALYZE = [text("analyze base_feature"), text("analyze address"), text("analyze aed")]


def _merge_aeds(job: _Job, dataset_id: int, zone: str) -> AedCounts:
    org_id = job.target.org_id
    if org_id is None:
        return AedCounts()
    numbers = job.target.name if job.target.is_derived else ""
    home = osm_aeds.Home(org_id, dataset_id, zone, numbers)
    return osm_aeds.merge(job.conn, job.city, home, now=job.now)


def _time_zone(job: _Job) -> str:
    table = tables.dataset
    earlier = select(table.c.time_zone).where(table.c.name == job.target.name)
    return (
        job.target.time_zone
        or job.conn.execute(earlier).scalar()
        or dataset.guess_time_zone(_centre(job.city))
    )


def _centre(city: City) -> Position:
    west, south, east, north = city.box
    return Position((west + east) / 2, (south + north) / 2)


def _record(job: _Job, zone: str) -> int:
    target = job.target
    west, south, east, north = job.city.box
    values = {
        "title_zh": target.title_zh,
        "title_en": target.title_en,
        "source": job.path.name,
        "sha256": dataset.sha256(job.path),
        "attribution": target.attribution,
        "time_zone": zone,
        "west": west,
        "south": south,
        "east": east,
        "north": north,
        "centre": _centre(job.city).ewkb(),
        "is_derived": target.is_derived,
        "counts": dict(Counter(feature.drawn.layer for feature in job.city.features)),
        "imported_at": job.now,
    }
    statement = (
        insert(tables.dataset)
        .values(name=target.name, **values)
        .on_conflict_do_update(index_elements=["name"], set_=values)
        .returning(tables.dataset.c.id)
    )
    return int(job.conn.execute(statement).scalar_one())


_FEATURES = (
    "copy base_feature (dataset_id, layer, kind, detail, name, name_zh, name_en, minzoom, rank,"
    " level, is_tunnel, is_bridge, osm_ref, geom) from stdin"
)


def _load_features(
    conn: Connection, dataset_id: int, city: City, progress: Progress
) -> dict[str, int]:
    def rows() -> Iterable[Sequence[object]]:
        for start in range(0, len(city.features), _BATCH):
            batch = city.features[start : start + _BATCH]
            for feature, shape in zip(batch, _mercator(batch), strict=True):
                drawn = feature.drawn
                yield (
                    *(dataset_id, drawn.layer, drawn.kind, drawn.detail, *feature.names),
                    *(drawn.minzoom, drawn.rank, feature.level, feature.is_tunnel),
                    *(feature.is_bridge, feature.osm_ref, shape),
                )
            progress("write", start / len(city.features))

    _copy(conn, _FEATURES, rows())
    return dict(Counter(feature.drawn.layer for feature in city.features))


def _mercator(features: Sequence[osm_read.Feature]) -> list[str]:
    """Project a batch to web Mercator and give it as EWKB in hexadecimal."""
    shapes = shapely.from_wkb([feature.shape for feature in features])
    projected = shapely.set_srid(shapely.transform(shapes, _project), 3857)
    return list(shapely.to_wkb(projected, hex=True, include_srid=True))


def _project(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    radians = np.radians(np.clip(degrees, [-180, -85.05], [180, 85.05]))
    north = np.log(np.tan(np.pi / 4 + radians[:, 1] / 2))
    return _MERCATOR_RADIUS_M * np.column_stack([radians[:, 0], north])


_ADDRESSES = (
    "copy address (dataset_id, text, folded, street, housenumber, kind, rank, position) from stdin"
)


def _load_addresses(conn: Connection, dataset_id: int, city: City) -> int:
    rows = [
        (dataset_id, *entry[:6], _point(entry.lon, entry.lat)) for entry in osm_places.entries(city)
    ]
    return _copy(conn, _ADDRESSES, rows)


_FACILITIES = "copy facility (dataset_id, kind, name, name_en, osm_ref, position) from stdin"


def _load_facilities(conn: Connection, dataset_id: int, city: City) -> int:
    rows = [
        (
            *(dataset_id, spot.kind, spot.tags.get("name"), spot.tags.get("name:en")),
            *(spot.osm_ref, _point(spot.lon, spot.lat)),
        )
        for spot in city.facilities
    ]
    return _copy(conn, _FACILITIES, rows)


_DEMAND = "copy demand_point (dataset_id, kind, cell, weight, position) from stdin"


def _load_demand(conn: Connection, dataset_id: int, city: City) -> int:
    """Every building counts once; a file of streets alone lets each street piece stand in."""
    kind, points = ("building", city.buildings)
    if not points:
        kind, points = ("street", city.street_middles)
    rows = [
        (dataset_id, kind, h3.latlng_to_cell(lat, lon, H3_RESOLUTION), 1.0, _point(lon, lat))
        for lon, lat in points
    ]
    return _copy(conn, _DEMAND, rows)


def _point(lon: float, lat: float) -> str:
    return f"SRID=4326;POINT({lon:.7f} {lat:.7f})"


def _copy(conn: Connection, statement: str, rows: Iterable[Sequence[object]]) -> int:
    """Stream rows through COPY on the driver's own connection; the transaction is the same."""
    count = 0
    driver: Any = conn.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count
