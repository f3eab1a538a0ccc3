"""Merge the defibrillators of an OpenStreetMap file into the registry of one organisation.

Only what the source changed since its last reading is taken over, so that corrections made here
survive a second import, and a second import of the same file changes nothing. A city's extract
says all there is (`merge`); a change file says what became of some objects (`apply`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import shapely
from sqlalchemy import Connection, Row, insert, select, update

from geo import aeds, osm_places, tables
from geo.basemap import Tags
from geo.osm_diff import Change
from geo.osm_read import City, Spot
from geo.position import Position

SOURCE = "osm"
_ACCESS = {
    "yes": "public",
    "permissive": "public",
    "public": "public",
    "customers": "public",
    "permit": "members",
    "members": "members",
    "private": "private",
    "no": "private",
}
_BROKEN = {"broken", "out_of_order", "out_of_service", "closed", "removed", "needs_maintenance"}
_NEAR_STREET_DEG = 0.0006  # about 60 m: further away the street's name would mislead

Value = str | bool | datetime | None


@dataclass(frozen=True, slots=True)
class AedCounts:
    """What a merge did; `gone` were withdrawn because the file no longer lists them."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0


@dataclass(frozen=True, slots=True)
class DiffCounts:
    """What a change file did; `stale` was known in a newer version, `outside` is in no city."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    stale: int = 0
    outside: int = 0


@dataclass(frozen=True, slots=True)
class Home:
    """Where the AEDs of a file belong: the organisation, the imported city, its time zone.

    `numbers` names the city where its objects have numbers of their own, not OpenStreetMap's.
    """

    org_id: UUID
    dataset_id: int
    time_zone: str
    numbers: str = ""

    def ref(self, spot: Spot) -> str:
        """Name an object as no other city's file does."""
        return f"{self.numbers}:{spot.osm_ref}" if self.numbers else spot.osm_ref

    def find(self, present: Mapping[str, Row[Any]], spot: Spot) -> Row[Any] | None:
        """Find what an earlier import made of an object."""
        former = present.get(spot.osm_ref)
        if self.numbers and former is not None and former.dataset_id != self.dataset_id:
            former = None
        return present.get(self.ref(spot), former)


def merge(conn: Connection, city: City, home: Home, *, now: datetime) -> AedCounts:
    """Bring the registry up to the file: add, change, withdraw, return what came back."""
    present = {row.source_ref: row for row in _present(conn, home)}
    added = changed = 0
    for spot in city.aeds:
        row = home.find(present, spot)
        if row is None:
            _add(conn, spot, _street_near(spot, city), home, now=now)
            added += 1
        else:
            del present[row.source_ref]
            changed += _change(conn, row, spot, now=now)
    gone = [
        row.id
        for row in present.values()
        if row.dataset_id == home.dataset_id and row.status != "withdrawn"
    ]
    if gone:
        withdrawn = {"status": "withdrawn", "gone_at": now}
        _write(conn, gone, withdrawn, reason="no longer in osm", now=now)
    unchanged = len(city.aeds) - added - changed
    return AedCounts(added, changed, unchanged, len(gone))


def apply(
    conn: Connection, changes: Sequence[Change], org_id: UUID, *, now: datetime
) -> DiffCounts:
    """Bring the registry up to the changes, newest version of each object only (`osm_diff.read`).

    What is not known is added if it lies in an imported city; what is known in the same or a newer
    version stays as it is.
    """
    cities = _cities(conn)
    present = {row.source_ref: row for row in _present(conn, Home(org_id, 0, ""))}
    done = Counter(
        _apply_one(conn, change, present.get(change.osm_ref), cities, org_id, now=now)
        for change in changes
    )
    done.pop("", None)
    return DiffCounts(**done)


def _apply_one(
    conn: Connection,
    change: Change,
    row: Row[Any] | None,
    cities: Sequence[Row[Any]],
    org_id: UUID,
    *,
    now: datetime,
) -> str:
    """Do one change; return the name of its count, empty for what is no affair of ours."""
    if row is None:
        return _apply_new(conn, change, cities, org_id, now=now) if change.is_aed else ""
    known = row.source_data or {}
    if change.version <= known.get("version", 0):
        return "stale"
    if not change.is_aed:
        if row.gone_at is not None:
            return "unchanged"
        gone = {
            "status": "withdrawn",
            "gone_at": now,
            "source_data": {**known, "version": change.version},
        }
        _write(conn, [row.id], gone, reason="no longer in osm", now=now)
        return "gone"
    spot = change.spot(known.get("lon"), known.get("lat"))
    return "changed" if _change(conn, row, spot, now=now) else "unchanged"


def _apply_new(
    conn: Connection,
    change: Change,
    cities: Sequence[Row[Any]],
    org_id: UUID,
    *,
    now: datetime,
) -> str:
    city = next((city for city in cities if change.is_inside(city)), None)
    if city is None:
        return "outside"
    home = Home(org_id, city.id, city.time_zone)
    _add(conn, change.spot(), None, home, now=now)
    return "added"


def _cities(conn: Connection) -> list[Row[Any]]:
    table = tables.dataset.c
    box = (table.west, table.south, table.east, table.north)
    return list(conn.execute(select(table.id, table.time_zone, *box).order_by(table.id)))


def fields(tags: Tags) -> dict[str, Value]:
    """Say what the tags of a defibrillator mean here.

    A missing `access` is unknown; missing `opening_hours` stay unknown too, never "always".
    """
    note = tags.get("defibrillator:location") or tags.get("aed:location")
    return {
        "name": tags.get("name") or tags.get("operator") or "AED",
        "address": osm_places.address_text(tags),
        "floor": tags.get("level"),
        "location_note": note or tags.get("description"),
        "indoor": {"yes": True, "no": False}.get(tags.get("indoor", "")),
        "access": _ACCESS.get(tags.get("access", ""), "unknown"),
        "hours": tags.get("opening_hours"),
        "hours_note": "customers" if tags.get("access") == "customers" else None,
        "cabinet": _cabinet(tags),
        "status": _status(tags),
        "verified_at": _day(tags.get("check_date") or tags.get("survey:date")),
        "phone": tags.get("emergency:phone") or tags.get("phone"),
        "brand": tags.get("manufacturer") or tags.get("brand"),
        "model": tags.get("model"),
    }


def _cabinet(tags: Tags) -> str:
    said = tags.get("defibrillator:cabinet", "")
    if "defibrillator:code" in tags or "defibrillator:cabinet:code" in tags or said == "code":
        return "code"
    if tags.get("locked") == "yes":
        return "key"
    return said if said in {"none", "alarmed", "key"} else "unknown"


def _status(tags: Tags) -> str:
    return "out_of_service" if tags.get("operational_status") in _BROKEN else "in_service"


def _day(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
    except ValueError:
        # Half dates such as 2023-08 prove nothing about a day.
        return None


def _source_data(spot: Spot) -> dict[str, object]:
    version = {"version": spot.version} if spot.version else {}
    return {"lon": spot.lon, "lat": spot.lat, "tags": dict(spot.tags), **version}


def _is_same(former: Mapping[str, object], said: Mapping[str, object]) -> bool:
    """Compare what the source says of the device; a version alone says nothing of it."""
    return all(former.get(key) == said[key] for key in ("lon", "lat", "tags"))


def _present(conn: Connection, home: Home) -> Sequence[Row[tuple[object, ...]]]:
    """Lock what earlier imports brought, in whichever city: a node has one row an organisation."""
    table = tables.aed
    query = (
        select(table)
        .where(table.c.org_id == home.org_id, table.c.source == SOURCE)
        .order_by(table.c.id)
        .with_for_update(key_share=True)
    )
    return conn.execute(query).all()


def _add(conn: Connection, spot: Spot, street: str | None, home: Home, *, now: datetime) -> None:
    values = fields(spot.tags)
    values["address"] = values["address"] or street
    conn.execute(
        insert(tables.aed).values(
            **values,
            org_id=home.org_id,
            dataset_id=home.dataset_id,
            time_zone=home.time_zone,
            position=Position(spot.lon, spot.lat).ewkb(),
            source=SOURCE,
            source_ref=home.ref(spot),
            source_data=_source_data(spot),
            folded=aeds.folded(values),
            created_at=now,
            updated_at=now,
        )
    )


def _change(conn: Connection, row: Row[tuple[object, ...]], spot: Spot, *, now: datetime) -> bool:
    """Take over what the source says differently from last time; say whether anything was."""
    said, former = _source_data(spot), row.source_data or {}
    if _is_same(former, said) and row.gone_at is None:
        _note_version(conn, row, said)
        return False
    before = fields(former.get("tags", {}))
    values: dict[str, object] = {
        key: value for key, value in fields(spot.tags).items() if value != before[key]
    }
    if (former.get("lon"), former.get("lat")) != (spot.lon, spot.lat):
        values["position"] = Position(spot.lon, spot.lat).ewkb()
    if row.gone_at is not None:
        values |= {"status": fields(spot.tags)["status"], "gone_at": None}
    values |= {"source_data": said, "folded": aeds.folded({**row._asdict(), **values})}
    _write(conn, [row.id], values, reason="osm import", now=now)
    return True


def _note_version(
    conn: Connection, row: Row[tuple[object, ...]], said: Mapping[str, object]
) -> None:
    """Keep the newest version of an object that says the same: an edit of it must name that."""
    if row.source_data.get("version") != said.get("version"):
        table = tables.aed
        conn.execute(update(table).where(table.c.id == row.id).values(source_data=said))


def _write(
    conn: Connection,
    ids: Sequence[UUID],
    values: Mapping[str, object],
    *,
    reason: str,
    now: datetime,
) -> None:
    conn.execute(aeds.KEEP_FORMER, {"ids": list(ids), "actor": None, "reason": reason, "at": now})
    table = tables.aed
    conn.execute(
        update(table)
        .where(table.c.id.in_(ids))
        .values(**values, version=table.c.version + 1, updated_at=now)
    )


def _street_near(spot: Spot, city: City) -> str | None:
    """Name the closest street within some 60 m; the tags of an AED seldom hold an address."""
    here = shapely.Point(spot.lon, spot.lat)
    near = ((line.distance(here), name) for name, lines in city.streets.items() for line in lines)
    distance, name = min(near, default=(1.0, ""))
    return name if distance <= _NEAR_STREET_DEG else None
