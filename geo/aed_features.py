"""The public facts of AEDs as a long list for map programs: by box, name, state and last change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import tables, usability
from geo.usability import Usability

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list is narrowed to; `box` is west, south, east, north and may cross 180 degrees.

    `ids` leaves only those; `name` may begin or end with `*`, which stands for any text.
    """

    box: Box | None = None
    changed_from: datetime | None = None
    changed_until: datetime | None = None
    name: str | None = None
    status: str | None = None
    ids: Sequence[UUID] | None = None


@dataclass(frozen=True, slots=True)
class Feature:
    """One device with what everybody may know of it."""

    id: UUID
    org_id: UUID
    lon: float
    lat: float
    facts: dict[str, Any]
    usable: Usability


#: Never here: phones, custodians, donors, serial numbers, codes, who reported what.
PUBLIC = (
    "name", "address", "floor", "entrance", "location_note", "indoor", "access", "hours",
    "hours_note", "time_zone", "closed_from", "closed_until", "closed_note", "cabinet",
    "has_child_pads", "status", "verified_at", "is_invented", "source", "updated_at",
)  # fmt: skip

_aed = tables.aed.c
_place: sa.ColumnElement[Any] = sa.literal_column("position::geometry")
_lon, _lat = sa.func.ST_X(_place), sa.func.ST_Y(_place)
_COLUMNS = tuple(dict.fromkeys((*PUBLIC, *usability.CONDITION_COLUMNS)))
_FEATURES = sa.select(
    _aed.id, _aed.org_id, _lon.label("lon"), _lat.label("lat"), *(_aed[name] for name in _COLUMNS)
)


async def page(
    conn: AsyncConnection, wanted: Wanted, *, after: UUID | None, limit: int, at: datetime
) -> list[Feature]:
    """List devices in the order of their ids, from after one on, as usable at `at`."""
    query = _FEATURES.where(*_conditions(wanted)).order_by(_aed.id).limit(limit)
    if after is not None:
        query = query.where(_aed.id > after)
    return [_feature(row, at) for row in await conn.execute(query)]


async def count(conn: AsyncConnection, wanted: Wanted) -> int:
    """Count the devices of the whole list."""
    counted = sa.select(sa.func.count()).select_from(tables.aed).where(*_conditions(wanted))
    return int((await conn.execute(counted)).scalar_one())


async def find(conn: AsyncConnection, aed_id: UUID, *, at: datetime) -> Feature | None:
    """Give one device, None when there is none or it was withdrawn."""
    query = _FEATURES.where(_aed.id == aed_id, _aed.status != "withdrawn")
    row = (await conn.execute(query)).first()
    return None if row is None else _feature(row, at)


async def first_change(conn: AsyncConnection) -> datetime | None:
    """Say when the device was changed that was left alone for longest; None without any."""
    # Served by ix_aed_updated_at; withdrawn ones may be among them, which does no harm.
    first: datetime | None = (
        await conn.execute(sa.select(sa.func.min(_aed.updated_at)))
    ).scalar_one()
    return first


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    is_listed = _aed.status != "withdrawn"
    conditions = [is_listed if wanted.status is None else _aed.status == wanted.status]
    if wanted.status == "withdrawn":
        conditions.append(sa.false())
    if wanted.box is not None:
        conditions += _inside(wanted.box)
    if wanted.changed_from is not None:
        conditions.append(_aed.updated_at >= wanted.changed_from)
    if wanted.changed_until is not None:
        conditions.append(_aed.updated_at <= wanted.changed_until)
    if wanted.name is not None:
        conditions.append(_named(wanted.name))
    if wanted.ids is not None:
        conditions.append(_aed.id == sa.any_(sa.literal(list(wanted.ids), sa.ARRAY(sa.Uuid))))
    return conditions


def _inside(box: Box) -> list[sa.ColumnElement[bool]]:
    """Served by ix_aed_position_plane, whose boxes are rounded outward: so compared exactly too."""
    west, south, east, north = box
    parts = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    touches = (
        _place.op("&&")(sa.func.ST_MakeEnvelope(low, south, high, north, 4326))
        for low, high in parts
    )
    between = (_lon.between(low, high) for low, high in parts)
    return [sa.or_(*touches), sa.or_(*between), _lat.between(south, north)]


def _named(name: str) -> sa.ColumnElement[bool]:
    core = name.strip("*")
    if core == name:
        return _aed.name == name
    pattern = core.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    before = "%" if name.startswith("*") else ""
    return _aed.name.ilike(f"{before}{pattern}{'%' if name.endswith('*') else ''}")


def _feature(row: sa.Row[Any], at: datetime) -> Feature:
    usable = usability.judge(usability.conditions(row), at)
    facts = {name: getattr(row, name) for name in PUBLIC}
    return Feature(row.id, row.org_id, row.lon, row.lat, facts, usable)
