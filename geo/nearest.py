"""The AEDs that are nearest by walking time, each with whether it can be taken on arrival.

`Engine` answers from the index in memory; `find` by SQL, where there is no index yet. Both rank by
the same rule: along the streets where there are some, else by the straight line on the spheroid;
ties in order of id. Neither stops before nothing farther can be quicker.
"""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import aeds, nearest_kernel, nearest_tier
from geo.aeds import Aed
from geo.nearest_index import Index, Look, Near
from geo.nearest_records import Records
from geo.nearest_tier import Search
from geo.position import Position
from geo.usability import Usability, Usable
from geo.walking import EtaSource, Travel, WalkingNetwork
from geo.walking_kernel import DETOUR_FACTOR

# Streets are never shorter than the crow flies; PostGIS' spheroid and our sphere differ by 0.6 %.
_SAFE = 0.99
# When records turn out to be newer than the index so often, SQL is asked instead.
_MOST_READS = 12


@dataclass(frozen=True, slots=True)
class NearAed:
    """A device with the walk to it; `usable` is judged for the moment of arrival."""

    aed: Aed
    travel: Travel
    usable: Usability

    def arrival(self, at: datetime) -> datetime:
        """Say when somebody who leaves at `at` is there."""
        return at + timedelta(seconds=self.travel.travel_s)


class _Way(NamedTuple):
    """A way as it is ranked: seconds, metres, and where they come from."""

    seconds: float
    metres: float
    source: EtaSource

    def travel(self) -> Travel:
        return Travel(self.seconds, self.metres, self.source)


_NO_WAY = _Way(math.inf, math.inf, EtaSource.ESTIMATE)


class _Ask:
    """What is asked: the quickest `limit` within `within_s`, of those usable on arrival only."""

    def __init__(
        self,
        network: WalkingNetwork,
        origin: Position,
        *,
        within_s: float,
        limit: int,
        only_usable: bool,
        speed_mps: float | None,
        at: datetime,
    ) -> None:
        self.network, self.origin = network, origin
        self.within_s, self.limit, self.only_usable = within_s, limit, only_usable
        self.speed = speed_mps or network.speed_mps
        self.at_s = at.timestamp()
        #: Whether any time may come from streets; else the line alone decides.
        self.has_streets = bool(network.generation)
        #: Seconds that a metre of the straight line takes at least.
        self.s_per_m = (_SAFE if self.has_streets else DETOUR_FACTOR) / self.speed

    @property
    def first_look(self) -> int:
        """Say how many of the nearest are looked at first."""
        if self.has_streets:
            return max(64, 4 * self.limit)
        return self.limit + (8 if self.only_usable else 0)

    @property
    def within_m(self) -> float:
        """Give the straight line within which everything in time lies."""
        return self.within_s / self.s_per_m

    @property
    def search(self) -> Search:
        """Say what to look for in the index."""
        return Search(
            lon=nearest_tier.on_meridian(self.origin.lon),
            lat=self.origin.lat,
            most_m=self.within_m,
            is_strict=self.only_usable,
            at_s=self.at_s,
            s_per_m=self.s_per_m,
            last_s=self.at_s + self.within_s if self.has_streets else 0.0,
        )

    def ways(self, metres: Sequence[float], places: Callable[[], Sequence[Position]]) -> list[_Way]:
        """Measure the ways to places by their distances on the spheroid; infinite: not in time."""
        speed = self.speed
        straight = [
            _Way(away * DETOUR_FACTOR / speed, away * DETOUR_FACTOR, EtaSource.ESTIMATE)
            for away in metres
        ]
        if not self.has_streets or not straight:
            return straight
        # A little more time, as estimates are made again on the spheroid.
        along = self.network.times(
            self.origin, places(), within_s=self.within_s / _SAFE, speed_mps=speed
        )
        ways = (
            _NO_WAY if way is None else line if way.source is EtaSource.ESTIMATE else _along(way)
            for way, line in zip(along, straight, strict=True)
        )
        return [way if way.seconds <= self.within_s else _NO_WAY for way in ways]

    def is_settled(self, found: Sequence[NearAed], looked_m: float) -> bool:
        """Say whether even a straight street beyond what was looked at would come too late."""
        if len(found) < self.limit:
            return False
        return not self.has_streets or found[-1].travel.travel_s <= looked_m * self.s_per_m


def _along(way: Travel) -> _Way:
    return _Way(way.travel_s, way.distance_m, way.source)


class Engine:
    """Answers from an index in memory, or by SQL until that is read."""

    def __init__(
        self, look: Look, records: Records, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._look = look
        self.index = Index(look, records, clock)

    async def start(self) -> None:
        """Load the compiled loops, and begin to read the index."""
        await asyncio.to_thread(_warm_up)
        self.index.read_beside()

    async def find(
        self,
        network: WalkingNetwork,
        origin: Position,
        *,
        within_s: float,
        limit: int,
        only_usable: bool = False,
        speed_mps: float | None = None,
        at: datetime,
    ) -> list[NearAed]:
        """List the devices in service within `within_s`, the quickest to reach first."""
        ask = _Ask(
            network, origin, within_s=within_s, limit=limit, only_usable=only_usable,
            speed_mps=speed_mps, at=at,
        )  # fmt: skip
        most, reads = ask.first_look, 0
        while reads <= _MOST_READS and await self.index.is_fresh():
            try:
                found = _from_index(self.index, ask, most)
            except _Unread as unread:
                reads += 1
                await self.index.read(unread.missing)
                continue
            if found is not None:
                return found
            most *= 4
            await asyncio.sleep(0)
        async with self._look() as conn:
            return await _from_database(conn, ask)


def _warm_up() -> None:
    """Load the compiled loops now; the very first time on a machine they are compiled."""
    tier = nearest_tier.build(nearest_tier.points([(1, 0.0, 0.0, 1)]))
    search = Search(0.0, 0.0, 1.0, is_strict=False, at_s=0.0, s_per_m=0.0, last_s=0.0)
    found = nearest_tier.make_room(1)
    nearest_kernel.arrange(found, nearest_kernel.pick(tier, search, found, 0))
    nearest_kernel.locate(tier, np.uint64(0), np.uint64(1))
    nearest_kernel.distances(0.0, 0.0, tier.lon, tier.lat)


class _Unread(Exception):
    """These records have to be read before there is an answer."""

    def __init__(self, missing: Sequence[Near]) -> None:
        super().__init__()
        self.missing = missing


def _from_index(index: Index, ask: _Ask, most: int) -> list[NearAed] | None:
    """Answer from so many of the nearest; None when farther ones may be quicker."""
    looked = index.nearest(ask.search, most=most)
    ways = ask.ways([near.metres for near in looked], lambda: [near.position for near in looked])
    timed = list(zip(ways, looked, strict=True))
    if ask.has_streets:
        timed.sort(key=_quickest)
    found = _judged(index, ask, timed)
    is_all = len(looked) < most
    return found if is_all or ask.is_settled(found, looked[-1].metres) else None


def _quickest(timed: tuple[_Way, Near]) -> tuple[float, int]:
    return timed[0].seconds, timed[1].number


def _judged(index: Index, ask: _Ask, timed: Sequence[tuple[_Way, Near]]) -> list[NearAed]:
    """Judge in the order of time until enough are found. Raises `_Unread`."""
    found: list[NearAed] = []
    missing: list[Near] = []
    for way, near in timed:
        is_enough = len(found) + (0 if ask.only_usable else len(missing)) >= ask.limit
        if is_enough or way is _NO_WAY:
            break
        device = index.device(near)
        if device is None:
            missing.append(near)
            continue
        usable = index.judge(near, device, ask.at_s + way.seconds)
        if not ask.only_usable or usable.state is Usable.YES:
            found.append(NearAed(device.aed, way.travel(), usable))
    if missing:
        raise _Unread(missing)
    return found


async def find(
    conn: AsyncConnection,
    network: WalkingNetwork,
    origin: Position,
    *,
    within_s: float,
    limit: int,
    only_usable: bool = False,
    speed_mps: float | None = None,
    at: datetime,
) -> list[NearAed]:
    """List the devices in service within `within_s` by SQL, the quickest to reach first.

    Looks at ever more devices in the order of the straight line until no farther one can be
    quicker.
    """
    ask = _Ask(
        network, origin, within_s=within_s, limit=limit, only_usable=only_usable,
        speed_mps=speed_mps, at=at,
    )  # fmt: skip
    return await _from_database(conn, ask)


async def _from_database(conn: AsyncConnection, ask: _Ask) -> list[NearAed]:
    most = max(16, 2 * ask.limit)
    while True:
        looked = await aeds.near(conn, ask.origin, within_m=ask.within_m, limit=most)
        metres = nearest_kernel.distances(
            ask.origin.lon,
            ask.origin.lat,
            np.array([aed.lon for aed in looked]),
            np.array([aed.lat for aed in looked]),
        ).tolist()
        found = _ranked(ask, looked, metres)
        if len(looked) < most or ask.is_settled(found, max(metres)):
            return found
        most *= 4


def _ranked(ask: _Ask, looked: Sequence[Aed], metres: Sequence[float]) -> list[NearAed]:
    ways = ask.ways(metres, lambda: [aed.position for aed in looked])
    timed = [pair for pair in zip(ways, looked, strict=True) if pair[0] is not _NO_WAY]
    found = []
    for way, aed in sorted(timed, key=lambda pair: (pair[0].seconds, pair[1].id)):
        usable = aeds.usable(aed, datetime.fromtimestamp(ask.at_s + way.seconds, UTC))
        if not ask.only_usable or usable.state is Usable.YES:
            found.append(NearAed(aed, way.travel(), usable))
    return found[: ask.limit]
