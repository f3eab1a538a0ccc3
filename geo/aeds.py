"""The AED registry: add, change, move, withdraw, list; who is usable when.

Every change keeps the former row, so the registry can be read as it was (`aed_history`). What
people find, say and do stands beside: `aed_checks`, `aed_reports`, `aed_uses`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import dataset, search, tables, usability
from geo.position import Position
from geo.usability import Access, Conditions, Status, Usability

Box = tuple[float, float, float, float]


class Cabinet(StrEnum):
    """What holds it; the code of a code lock is a secret of its own table."""

    NONE = "none"
    ALARMED = "alarmed"
    CODE = "code"
    KEY = "key"
    UNKNOWN = "unknown"


class AedMissing(LookupError):
    """There is no AED with this id."""


class NotMobile(ValueError):
    """The device hangs at one place; only one with a carrier travels."""


class StaleAed(Exception):
    """Somebody changed the AED since it was read; `present` is what it is now."""

    def __init__(self, present: "Aed") -> None:
        super().__init__(f"version is {present.version} now")
        self.present = present


@dataclass(frozen=True, slots=True)
class Aed:
    """One device as the registry has it."""

    id: UUID
    org_id: UUID
    name: str
    address: str | None
    floor: str | None
    entrance: str | None
    location_note: str | None
    indoor: bool | None
    phone: str | None
    position: Position
    source_crs: str
    raw_lon: float | None
    raw_lat: float | None
    accuracy_m: float | None
    position_method: str | None
    access: Access
    hours: str | None
    hours_note: str | None
    time_zone: str
    closed_from: datetime | None
    closed_until: datetime | None
    closed_note: str | None
    cabinet: Cabinet
    brand: str | None
    model: str | None
    serial: str | None
    pads_expire_on: date | None
    child_pads_expire_on: date | None
    has_child_pads: bool | None
    battery_expires_on: date | None
    installed_on: date | None
    acquired: str | None
    donor: str | None
    carrier: str | None
    moved_at: datetime | None
    status: Status
    suspect_since: datetime | None
    taken_at: datetime | None
    verified_at: datetime | None
    check_every_days: int | None
    source: str
    source_ref: str | None
    is_invented: bool
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_row(cls, row: Row[Any]) -> "Aed":
        """Read a row of the aed table."""
        values = {name: getattr(row, name) for name in _FIELDS}
        values["position"] = Position.from_wkb(row.position)
        values["access"] = Access(row.access)
        values["cabinet"] = Cabinet(row.cabinet)
        values["status"] = Status(row.status)
        # Rows of the history from before there were such columns.
        values["source_crs"] = row.source_crs or "wgs84"
        return cls(**values)

    @property
    def lon(self) -> float:
        """Give the longitude in degrees."""
        return self.position.lon

    @property
    def lat(self) -> float:
        """Give the latitude in degrees."""
        return self.position.lat

    @property
    def conditions(self) -> Conditions:
        """Give what decides about its use."""
        return usability.conditions(self)

    @property
    def check_due_at(self) -> datetime | None:
        """Say when somebody has to look next; never looked at, it was due when it was entered."""
        if self.check_every_days is None:
            return None
        due_at = usability.check_due_at(self.verified_at, self.check_every_days)
        return self.created_at if due_at is None else due_at


_FIELDS = tuple(field.name for field in fields(Aed))


def usable(aed: Aed, at: datetime) -> Usability:
    """Say whether whoever arrives at `at` can take the device, and until when that holds."""
    return usability.judge(aed.conditions, at)


async def add(
    conn: AsyncConnection,
    org_id: UUID,
    facts: Mapping[str, object],
    *,
    source: str = "manual",
    source_ref: str | None = None,
    is_invented: bool = False,
    now: datetime,
) -> Aed:
    """Enter a device; `facts` are column values and must hold `name` and `position`.

    Its opening hours are meant in the time zone of the place, unless `time_zone` is among them.
    """
    values = {"moved_at": now, **_columns(facts)}
    position = Position.from_wkb(values["position"])
    if "time_zone" not in values:
        values["time_zone"] = await dataset.time_zone_at(conn, position)
    values["folded"] = folded(values)
    statement = insert(tables.aed).values(
        **values,
        org_id=org_id,
        source=source,
        source_ref=source_ref,
        is_invented=is_invented,
        created_at=now,
        updated_at=now,
    )
    return Aed.from_row((await conn.execute(statement.returning(tables.aed))).one())


async def find(conn: AsyncConnection, aed_id: UUID) -> Aed | None:
    """Give the device as it is, None when there is none with this id."""
    row = (await conn.execute(select(tables.aed).where(tables.aed.c.id == aed_id))).first()
    return None if row is None else Aed.from_row(row)


async def get(conn: AsyncConnection, aed_id: UUID) -> Aed:
    """Give the device as it is. Raises `AedMissing`."""
    aed = await find(conn, aed_id)
    if aed is None:
        raise AedMissing(str(aed_id))
    return aed


# Served by ix_aed_position_plane with a box, by the primary key without. Lists of a past day read
# the whole registry: what a row was then may have lain elsewhere.
_LIST = text("""
select aed.* from aed
where status <> 'withdrawn'
  and (cast(:org as uuid) is null or org_id = :org)
  and (cast(:after as uuid) is null or id > :after)
  and position::geometry && ST_MakeEnvelope(:west, :south, :east, :north, 4326)
order by id
limit :limit
""")
WORLD: Box = (-180.0, -90.0, 180.0, 90.0)


async def list_page(
    conn: AsyncConnection,
    *,
    box: Box = WORLD,
    org_id: UUID | None = None,
    after: UUID | None = None,
    limit: int = 200,
) -> list[Aed]:
    """List devices in the order of their ids, withdrawn ones left out.

    `box` is west, south, east, north; west may be larger than east across the antimeridian.
    """
    west, south, east, north = box
    binds = {"south": south, "north": north, "org": org_id, "after": after, "limit": limit}
    if west <= east:
        rows = await conn.execute(_LIST, {"west": west, "east": east, **binds})
        return [Aed.from_row(row) for row in rows]
    left = await conn.execute(_LIST, {"west": west, "east": 180.0, **binds})
    right = await conn.execute(_LIST, {"west": -180.0, "east": east, **binds})
    both = {row.id: Aed.from_row(row) for row in (*left, *right)}
    return sorted(both.values(), key=lambda aed: aed.id)[:limit]


# Served by ix_aed_position_in_service. `<->` measures on the sphere and picks; ST_Distance, on
# the spheroid, gives the order. Without ST_DWithin a rare match would walk the whole index.
_NEAR = text("""
select * from (
  select aed.*, ST_Distance(position, place.point) as away_m
  from aed, (select ST_MakePoint(:lon, :lat)::geography as point) as place
  where is_in_service and ST_DWithin(position, place.point, :within_m)
  order by position <-> place.point, id
  limit :pick
) as picked
order by away_m, id
limit :limit
""")


async def near(
    conn: AsyncConnection, position: Position, *, within_m: float, limit: int
) -> list[Aed]:
    """List the devices in service that are nearest as the crow flies; ties in order of id."""
    binds = {"lon": position.lon, "lat": position.lat, "within_m": within_m}
    # The sphere's order differs from the spheroid's by 0.3 % at most: a fifth more is plenty.
    rows = await conn.execute(_NEAR, {**binds, "limit": limit, "pick": limit + limit // 5 + 4})
    return [Aed.from_row(row) for row in rows]


async def lock(conn: AsyncConnection, aed_id: UUID) -> Aed:
    """Give the device and keep others from changing it until the end. Raises `AedMissing`."""
    query = select(tables.aed).where(tables.aed.c.id == aed_id).with_for_update(key_share=True)
    row = (await conn.execute(query)).first()
    if row is None:
        raise AedMissing(str(aed_id))
    return Aed.from_row(row)


# The row as it is, before it is changed.
KEEP_FORMER = text("""
insert into aed_history (aed_id, version, row, actor_id, reason, at)
select id, version, to_jsonb(aed), cast(:actor as uuid), :reason, :at
from aed where id = any(cast(:ids as uuid[]))
""")


async def change(
    conn: AsyncConnection,
    aed_id: UUID,
    changes: Mapping[str, object],
    *,
    version: int,
    actor_id: UUID | None,
    reason: str = "changed",
    now: datetime,
) -> Aed:
    """Change columns of a device that is still at `version`, and keep the former row.

    A change of status by hand settles every doubt. Raises `AedMissing`, `StaleAed`.
    """
    present = await lock(conn, aed_id)
    if present.version != version:
        raise StaleAed(present)
    return await change_locked(conn, present, changes, actor_id=actor_id, reason=reason, now=now)


async def change_locked(
    conn: AsyncConnection,
    present: Aed,
    changes: Mapping[str, object],
    *,
    actor_id: UUID | None,
    reason: str,
    now: datetime,
) -> Aed:
    """Change columns of a device that `lock` gave, and keep the former row; as `change`."""
    if not changes:
        return present
    kept = {"ids": [present.id], "actor": actor_id, "reason": reason, "at": now}
    await conn.execute(KEEP_FORMER, kept)
    values = _columns(changes)
    if "status" in values:
        values.setdefault("suspect_since", None)
    if "position" in values:
        values.setdefault("moved_at", now)
    words = {"name": present.name, "address": present.address}
    values["folded"] = folded({**words, "location_note": present.location_note, **values})
    table = tables.aed
    statement = update(table).where(table.c.id == present.id).returning(table)
    changed = statement.values(**values, version=present.version + 1, updated_at=now)
    return Aed.from_row((await conn.execute(changed)).one())


async def move(
    conn: AsyncConnection,
    aed_id: UUID,
    position: Position,
    *,
    at: datetime,
    accuracy_m: float | None = None,
    source_crs: str = "wgs84",
    raw: Position | None = None,
    now: datetime,
) -> Aed:
    """Say where a device that travels is; neither version nor history, it moves all the time.

    A place that is older than the one known is left out. Raises `AedMissing`, `NotMobile`.
    """
    present = await lock(conn, aed_id)
    if present.carrier is None or present.status is Status.WITHDRAWN:
        raise NotMobile(str(aed_id))
    if present.moved_at is not None and at < present.moved_at:
        return present
    said = raw or position
    values = {
        "position": position.ewkb(),
        "moved_at": at,
        "accuracy_m": accuracy_m,
        "position_method": "carrier",
        "source_crs": source_crs,
        "raw_lon": said.lon,
        "raw_lat": said.lat,
        "updated_at": now,
    }
    table = tables.aed
    statement = update(table).where(table.c.id == aed_id).returning(table)
    return Aed.from_row((await conn.execute(statement.values(**values))).one())


async def withdraw(
    conn: AsyncConnection, aed_id: UUID, *, actor_id: UUID | None, now: datetime
) -> Aed:
    """Take a device out of the registry for good; its history stays, repeating does nothing.

    Raises `AedMissing`.
    """
    present = await lock(conn, aed_id)
    if present.status is Status.WITHDRAWN:
        return present
    return await change(
        conn,
        aed_id,
        {"status": Status.WITHDRAWN},
        version=present.version,
        actor_id=actor_id,
        reason="withdrawn",
        now=now,
    )


def folded(values: Mapping[str, object]) -> str:
    """Give the searchable form of a device's words, from its columns."""
    words = (values.get(key) for key in ("name", "address", "location_note"))
    return search.fold(" ".join(str(word) for word in words if word))


def _columns(facts: Mapping[str, object]) -> dict[str, Any]:
    """Turn values into what columns take."""
    return {
        key: value.ewkb() if isinstance(value, Position) else value for key, value in facts.items()
    }
