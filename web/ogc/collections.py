"""The collections: what stands in them, who may read them, and how a feature is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from fastapi import Request
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import depots, orgs
from geo import aed_features, usability
from geo.aed_features import Feature, Wanted
from web import auth, rights, tiles
from web.ogc import query
from web.ogc.query import Query
from web.rights import Action

Item = dict[str, Any]
_MOST_ORGS = 20_000


@dataclass(frozen=True, slots=True)
class About:
    """What a collection says of itself; `filters` are properties that can be asked for."""

    id: str
    title: str
    description: str
    filters: Mapping[str, Collection[str]]
    is_public: bool = True
    has_times: bool = False


AEDS = About(
    "aeds",
    "AED 自动体外除颤器 · AEDs",
    "公开登记的 AED 及其当前是否可用。"
    " The public facts of every registered AED, and whether it can be taken now."
    " `datetime` 按最后修改时间筛选 · goes by the last change.",
    {
        "name": (),
        "status": ("in_service", "out_of_service"),
        "usable": tuple(state.value for state in usability.Usable),
    },
    has_times=True,
)
DEPOTS = About(
    "depots",
    "仓库 · Depots",
    "本机构的物资仓库（须登录）。 The warehouses of your organisations; for those signed in.",
    {"code": (), "name": ()},
    is_public=False,
)
ORGS = About(
    "orgs",
    "机构 · Organisations",
    "红十字会机构树，无位置。 The tree of organisations, without positions.",
    {"code": (), "name": (), "level": ("1", "2", "3", "4", "5")},
)
ALL = (AEDS, DEPOTS, ORGS)


@dataclass(frozen=True, slots=True)
class Reader:
    """One request: a look at the database, who is looking, and when."""

    request: Request
    conn: AsyncConnection
    caller: auth.Caller | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """A page of features, how many match in all, and where the next page begins."""

    items: Sequence[Item]
    matched: int
    next: str | None


def visible(caller: auth.Caller | None) -> list[About]:
    """List the collections that the caller may read."""
    return [about for about in ALL if about.is_public or _paths(caller)]


def find(name: str) -> About | None:
    """Give the collection of this name."""
    return next((about for about in ALL if about.id == name), None)


def require(about: About, caller: auth.Caller | None) -> None:
    """Let the caller read the collection. Raises NotSignedIn or NotAllowed."""
    if about.is_public:
        return
    if caller is None:
        raise auth.NotSignedIn
    rights.reach(caller, Action.STOCK_SEE)


async def items(reader: Reader, about: About, asked: Query) -> Found:
    """Read a page of a collection."""
    if about is AEDS:
        return await _aeds(reader, asked)
    everything = await _small(reader, about)
    return _page([item for item in everything if _matches(item, asked)], asked)


async def item(reader: Reader, about: About, fid: str) -> Item | None:
    """Read one feature; None when there is none of this id."""
    if about is not AEDS:
        return next((each for each in await _small(reader, about) if each["id"] == fid), None)
    try:
        found = await aed_features.find(reader.conn, UUID(fid), at=reader.now)
    except ValueError:
        return None
    return None if found is None else (await _written(reader, [found]))[0]


async def extent(reader: Reader, about: About) -> dict[str, Any]:
    """Say where and when the features of a collection are."""
    box: Sequence[float] | None = None
    since: datetime | None = None
    if about is AEDS:
        box = tiles.tiles_of(reader.request).aeds.extent()
        since = await aed_features.first_change(reader.conn)
    elif about is DEPOTS:
        box = _around([each["geometry"]["coordinates"] for each in await _small(reader, about)])
    said: dict[str, Any] = {
        "spatial": {"bbox": [list(box or (-180.0, -90.0, 180.0, 90.0))], "crs": query.CRS84}
    }
    if about.has_times:
        trs = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"
        said["temporal"] = {"interval": [[since, None]], "trs": trs}
    return said


def _around(places: Sequence[Sequence[float]]) -> Sequence[float] | None:
    if not places:
        return None
    lons, lats = zip(*places, strict=True)
    return min(lons), min(lats), max(lons), max(lats)


# ---- AEDs


async def _aeds(reader: Reader, asked: Query) -> Found:
    wanted = Wanted(
        box=asked.box,
        changed_from=asked.begins,
        changed_until=asked.ends,
        name=asked.filters.get("name"),
        status=asked.filters.get("status"),
    )
    after = None if asked.after is None else _uuid(asked.after)
    state = asked.filters.get("usable")
    matched: int | None = None
    if state is not None:
        # The copy in memory has judged them all; a query could judge none.
        held = tiles.tiles_of(reader.request).aeds
        ids = await held.ids(usability.Usable(state), box=asked.box, now=reader.now)
        if wanted == Wanted():
            matched = len(ids)
            first = 0 if after is None else int(np.searchsorted(ids, after.bytes, "right"))
            ids = ids[first : first + asked.limit + 1]
        wanted = replace(wanted, ids=_uuids(ids))
    if matched is None:
        matched = await aed_features.count(reader.conn, wanted)
    found = await aed_features.page(
        reader.conn, wanted, after=after, limit=asked.limit + 1, at=reader.now
    )
    shown = found[: asked.limit]
    cursor = str(shown[-1].id) if len(found) > len(shown) else None
    return Found(await _written(reader, shown), matched, cursor)


def _uuids(ids: NDArray[np.bytes_]) -> list[UUID]:
    raw = ids.tobytes()
    return [UUID(bytes=raw[at : at + 16]) for at in range(0, len(raw), 16)]


def _uuid(cursor: str) -> UUID:
    try:
        return UUID(cursor)
    except ValueError:
        raise query.BadParameter("cursor must come from a next link") from None


async def _written(reader: Reader, found: Sequence[Feature]) -> list[Item]:
    names = {org.id: org for org in await orgs.list_orgs(reader.conn, [""], limit=_MOST_ORGS)}
    return [_aed(feature, names.get(feature.org_id)) for feature in found]


def _aed(feature: Feature, org: orgs.Org | None) -> Item:
    properties = {
        **feature.facts,
        "usable": feature.usable.state.value,
        "usable_reason": feature.usable.reason.value,
        "usable_until": feature.usable.until,
        "org": None if org is None else org.code,
        "org_name_zh": None if org is None else org.name_zh,
        "org_name_en": None if org is None else org.name_en,
    }
    return _feature(str(feature.id), [feature.lon, feature.lat], properties)


def _feature(fid: str, place: list[float] | None, properties: Mapping[str, Any]) -> Item:
    geometry = None if place is None else {"type": "Point", "coordinates": place}
    return {"type": "Feature", "id": fid, "geometry": geometry, "properties": properties}


# ---- small ones: read whole and narrowed here


async def _small(reader: Reader, about: About) -> list[Item]:
    if about is DEPOTS:
        found = await depots.list_depots(reader.conn, _paths(reader.caller))
        written = [_depot(depot) for depot in found]
    else:
        every = await orgs.list_orgs(reader.conn, [""], limit=_MOST_ORGS)
        written = [_org(org) for org in every]
    return sorted(written, key=lambda each: str(each["id"]))


def _paths(caller: auth.Caller | None) -> list[str]:
    if caller is None:
        return []
    try:
        return rights.reach(caller, Action.STOCK_SEE)
    except rights.NotAllowed:
        return []


def _depot(depot: depots.Depot) -> Item:
    facts = ("code", "name", "name_en", "address", "hours", "is_invented")
    properties = {name: getattr(depot, name) for name in facts}
    place = [depot.position.lon, depot.position.lat]
    return _feature(str(depot.id), place, {**properties, "org": depot.org_code})


def _org(org: orgs.Org) -> Item:
    facts = {
        "code": org.code, "name": org.name_zh, "name_en": org.name_en, "level": org.level,
        "parent": org.parent, "timezone": org.timezone,
        "is_demo": org.is_demo,
    }  # fmt: skip
    return _feature(org.code, None, facts)


def _matches(item: Item, asked: Query) -> bool:
    """Tell whether a feature is wanted; without place or time, box and time leave it in."""
    said = item["properties"]
    if any(str(said[name]) != value for name, value in asked.filters.items()):
        return False
    return asked.box is None or item["geometry"] is None or _is_inside(item, asked.box)


def _is_inside(item: Item, box: query.Box) -> bool:
    lon, lat = item["geometry"]["coordinates"]
    west, south, east, north = box
    across = west <= lon <= east if west <= east else lon >= west or lon <= east
    return bool(south <= lat <= north and across)


def _page(found: Sequence[Item], asked: Query) -> Found:
    rest = [each for each in found if asked.after is None or each["id"] > asked.after]
    shown = rest[: asked.limit]
    return Found(shown, len(found), shown[-1]["id"] if len(rest) > len(shown) else None)
