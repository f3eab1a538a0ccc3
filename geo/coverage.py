"""Which share of the buildings has a usable AED within a walking time, at any hour of the week.

A building counts as covered when the walk, one way along the streets, between it and an AED that is
usable at that time takes at most `within_s`. Nobody's turning out or running is reckoned in.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import h3
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import aed_feed, aeds, usability
from geo.aeds import Aed
from geo.dataset import Dataset
from geo.usability import Conditions, Usable
from geo.walking import WalkingNetwork

HOURS_A_WEEK = 168
#: More hexagons than this become larger ones: a screen shows no more, and the answer stays small.
_MOST_CELLS = 3_000
_MOST_AEDS = 50_000
_KEPT_MASKS = 256
_KEPT_CITIES = 8

_Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Hexagon:
    """One H3 cell with the weight of its demand points, and of those that are covered."""

    cell: str
    weight: float
    covered: float

    @property
    def share(self) -> float:
        """Give the covered share, 0 to 1."""
        return self.covered / self.weight if self.weight else 0.0

    def ring(self) -> list[list[float]]:
        """Give the outline as a closed GeoJSON ring, longitude first."""
        corners = [[lon, lat] for lat, lon in h3.cell_to_boundary(self.cell)]
        return [*corners, corners[0]]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Coverage of one city at one time; `demand` says what was counted: building or street.

    `share` is None where there is nothing to cover. `week` begins on Monday at midnight, local.
    """

    dataset: str
    at: datetime
    within_s: float
    demand: str
    weight: float
    covered: float
    share: float | None
    hexagons: list[Hexagon]
    week: list[float] | None
    aeds_used: int
    aeds_known: int


@dataclass(frozen=True, slots=True)
class _Demand:
    """The demand points of a city as arrays; `cell_of` is each point's index into `cells`."""

    kind: str
    degrees: NDArray[np.float64]
    weights: NDArray[np.float64]
    cells: tuple[str, ...]
    cell_of: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Set:
    """Devices that are usable together; the same object for all hours with the same ones."""

    aeds: list[Aed]


_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class _Kept(OrderedDict[_Key, _Value]):
    """What was computed last, under keys that name everything it was computed from."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def keep(self, key: _Key, value: _Value) -> _Value:
        self[key] = value
        self.move_to_end(key)
        if len(self) > self._most:
            self.popitem(last=False)
        return value


# City, state of the registry, how far around the city.
_RegistryKey = tuple[int, str, float]

_cities: _Kept[tuple[int, str, datetime], _Demand] = _Kept(_KEPT_CITIES)
_registries: _Kept[_RegistryKey, list[Aed]] = _Kept(_KEPT_CITIES)
_weeks: _Kept[tuple[_RegistryKey, datetime], list[_Set]] = _Kept(_KEPT_CITIES)
_masks: _Kept[tuple[object, ...], _Mask] = _Kept(_KEPT_MASKS)


async def hexagons(
    conn: AsyncConnection,
    network: WalkingNetwork,
    city: Dataset,
    *,
    within_s: float,
    with_week: bool = False,
    at: datetime,
) -> Coverage:
    """Compute the coverage of a city at a time; with the week, for each hour of that week too.

    Hours at which the same devices are usable share one computation, and it is kept until a device,
    the city or the network changes; so a second look costs two short queries.
    """
    demand = await _demand(conn, city)
    key, known = await _known(conn, city, within_m=within_s * network.speed_mps)
    measure = _measure(network, city, demand, within_s)
    usable = _usable(known, [at])[at]
    mask = await measure(usable)
    total, covered = float(demand.weights.sum()), float(demand.weights[mask].sum())
    week = None
    if with_week and total:
        sets = await _usable_in_week(key, known, _week(city, at))
        weights = {
            chosen: float(demand.weights[await measure(chosen)].sum())
            for chosen in dict.fromkeys(sets)
        }
        week = [weights[chosen] / total for chosen in sets]
    return Coverage(
        dataset=city.name,
        at=at,
        within_s=within_s,
        demand=demand.kind,
        weight=total,
        covered=covered,
        share=covered / total if total else None,
        hexagons=_by_cell(demand, mask),
        week=week,
        aeds_used=len(usable.aeds),
        aeds_known=len(known),
    )


def week_begins(city: Dataset, at: datetime) -> datetime:
    """Give the Monday, 00:00 local, of the week around a time."""
    local = at.astimezone(ZoneInfo(city.time_zone))
    monday = local - timedelta(days=local.weekday())
    return monday.replace(hour=0, minute=0, second=0, microsecond=0)


def _week(city: Dataset, at: datetime) -> list[datetime]:
    monday = week_begins(city, at)
    # Wall-clock arithmetic: on the two odd days of the year the hours are still those of the clock.
    return [monday + timedelta(hours=hour) for hour in range(HOURS_A_WEEK)]


async def _usable_in_week(
    registry: _RegistryKey, known: Sequence[Aed], week: Sequence[datetime]
) -> list[_Set]:
    """Say for each hour which devices are usable; kept until the registry changes."""
    key = (registry, week[0])
    if key not in _weeks:
        usable = await asyncio.to_thread(_usable, known, week)
        return _weeks.keep(key, [usable[hour] for hour in week])
    return _weeks[key]


def _usable(known: Sequence[Aed], moments: Sequence[datetime]) -> dict[datetime, _Set]:
    """Say for each moment which devices are usable.

    Devices that share their conditions are judged once; moments at which the same ones are usable
    share one answer.
    """
    groups: dict[Conditions, list[Aed]] = {}
    for aed in known:
        groups.setdefault(aed.conditions, []).append(aed)
    states = [_states(conditions, moments) for conditions in groups]
    answers: dict[tuple[bool, ...], _Set] = {}
    usable = {}
    for moment in moments:
        pattern = tuple(state[moment] for state in states)
        if pattern not in answers:
            chosen = zip(groups.values(), pattern, strict=True)
            answers[pattern] = _Set([aed for group, is_so in chosen if is_so for aed in group])
        usable[moment] = answers[pattern]
    return usable


def _states(conditions: Conditions, moments: Sequence[datetime]) -> dict[datetime, bool]:
    """Judge every moment; an answer holds until it says it ends, so most hours need no judging."""
    states: dict[datetime, bool] = {}
    judged, since = usability.judge(conditions, moments[0]), moments[0]
    for moment in moments:
        holds = since <= moment < (judged.until or since + usability.LOOK_AHEAD)
        if not holds:
            judged, since = usability.judge(conditions, moment), moment
        states[moment] = judged.state is Usable.YES
    return states


def _measure(
    network: WalkingNetwork, city: Dataset, demand: _Demand, within_s: float
) -> Callable[[_Set], Awaitable[_Mask]]:
    """Make the function that says which points a set of devices covers."""

    async def measure(chosen: _Set) -> _Mask:
        devices = tuple((aed.id, aed.version) for aed in chosen.aeds)
        key = (city.id, city.sha256, city.imported_at, network.generation, within_s, devices)
        if key in _masks:
            return _masks[key]
        places = [aed.position for aed in chosen.aeds]
        if not places or not len(demand.degrees):
            return np.zeros(len(demand.degrees), dtype=np.bool_)
        # In a thread, as everything long here: an alert must not wait for a planner.
        seconds = await asyncio.to_thread(network.reach, places, demand.degrees, within_s)
        return _masks.keep(key, seconds <= within_s)

    return measure


def _by_cell(demand: _Demand, mask: _Mask) -> list[Hexagon]:
    count = len(demand.cells)
    weight = np.bincount(demand.cell_of, demand.weights, minlength=count)
    covered = np.bincount(demand.cell_of, demand.weights * mask, minlength=count)
    return [
        Hexagon(cell, float(its), float(reached))
        for cell, its, reached in zip(demand.cells, weight, covered, strict=True)
    ]


async def _known(
    conn: AsyncConnection, city: Dataset, *, within_m: float
) -> tuple[_RegistryKey, list[Aed]]:
    """List the devices in and around a city from which somebody in it can be reached."""
    key = (city.id, await aed_feed.registry_mark(conn), within_m)
    if key in _registries:
        return key, _registries[key]
    west, south, east, north = city.box
    wide = within_m / 111_000 / max(0.05, np.cos(np.radians(max(abs(south), abs(north)))))
    high = within_m / 110_000
    box = (
        max(-180.0, west - wide),
        max(-90.0, south - high),
        min(180.0, east + wide),
        min(90.0, north + high),
    )
    return key, _registries.keep(key, await aeds.list_page(conn, box=box, limit=_MOST_AEDS))


# One row a point; served by ix_demand_point_dataset_id.
_POINTS = text("""
select kind, cell, weight, ST_X(position::geometry) as lon, ST_Y(position::geometry) as lat
from demand_point where dataset_id = :dataset
order by id
""")


async def _demand(conn: AsyncConnection, city: Dataset) -> _Demand:
    key = (city.id, city.sha256, city.imported_at)
    if key in _cities:
        return _cities[key]
    rows = (await conn.execute(_POINTS, {"dataset": city.id})).all()
    cells, cell_of = _cells([row.cell for row in rows])
    demand = _Demand(
        kind=rows[0].kind if rows else "building",
        degrees=np.array([(row.lon, row.lat) for row in rows], dtype=np.float64).reshape(-1, 2),
        weights=np.array([row.weight for row in rows], dtype=np.float64),
        cells=cells,
        cell_of=cell_of,
    )
    return _cities.keep(key, demand)


def _cells(cells: list[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Give the distinct cells, made larger until a screen can show them, and each point's index."""
    while len(set(cells)) > _MOST_CELLS:
        parents = {cell: h3.cell_to_parent(cell) for cell in set(cells)}
        cells = [parents[cell] for cell in cells]
    distinct = sorted(set(cells))
    index = {cell: number for number, cell in enumerate(distinct)}
    return tuple(distinct), np.array([index[cell] for cell in cells], dtype=np.int64)
