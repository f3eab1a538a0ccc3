"""The AEDs that are nearest by walking time, each with whether it can be taken on arrival."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from geo import aeds
from geo.aeds import Aed
from geo.position import Position, distance_m
from geo.usability import Usability, Usable
from geo.walking import Travel, WalkingNetwork

#: More devices than this around one place are not looked at; the farthest are left out.
_MOST = 1_000
# Streets are never shorter than the crow flies; PostGIS' spheroid and our sphere differ by 0.6 %.
_SAFE = 0.99


@dataclass(frozen=True, slots=True)
class NearAed:
    """A device with the walk to it; `usable` is judged for the moment of arrival."""

    aed: Aed
    travel: Travel
    usable: Usability


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
    """List the devices in service within `within_s` on foot, the quickest to reach first.

    Looks at ever more devices in the order of the straight line until no farther one can be
    quicker. Ties in order of id.
    """
    speed = speed_mps or network.speed_mps
    pick = max(16, 2 * limit)
    while True:
        some = await aeds.near(conn, origin, within_m=within_s * speed / _SAFE, limit=pick)
        found = _timed(network, origin, some, within_s=within_s, speed_mps=speed, at=at)
        if only_usable:
            found = [near for near in found if near.usable.state is Usable.YES]
        is_all = len(some) < pick or pick >= _MOST
        if is_all or _is_settled(found, limit, distance_m(origin, some[-1].position), speed):
            return found[:limit]
        pick = min(_MOST, 4 * pick)


def _timed(
    network: WalkingNetwork,
    origin: Position,
    some: Sequence[Aed],
    *,
    within_s: float,
    speed_mps: float,
    at: datetime,
) -> list[NearAed]:
    places = [aed.position for aed in some]
    travels = network.times(origin, places, within_s=within_s, speed_mps=speed_mps)
    found = [
        NearAed(aed, travel, aeds.usable(aed, at + timedelta(seconds=travel.travel_s)))
        for aed, travel in zip(some, travels, strict=True)
        if travel is not None
    ]
    return sorted(found, key=lambda near: (near.travel.travel_s, near.aed.id))


def _is_settled(found: Sequence[NearAed], limit: int, looked_m: float, speed_mps: float) -> bool:
    """Say whether even a straight street beyond what was looked at would come too late."""
    if len(found) < limit:
        return False
    return found[limit - 1].travel.travel_s <= looked_m * _SAFE / speed_mps
