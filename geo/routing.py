"""Route lines on foot, at a run, by bike and by car: from the Valhalla service on this machine.

Without an answer in time the line comes from our own walking network, and where that has none, or
for wheels, it is the straight one: marked as an estimate, so that a screen can say so.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import httpx
from pydantic import BaseModel, Field, ValidationError

from geo.position import Position, distance_m
from geo.walking import EtaSource, Travel, WalkingNetwork, Way
from geo.walking_kernel import DETOUR_FACTOR

_LONGEST_S = 4 * 3600.0  # nobody is sent on a longer walk; it bounds the expansion
_POLYLINE_DEGREE = 1e6  # Valhalla's lines count millionths of a degree


class Mode(StrEnum):
    """How somebody travels."""

    WALK = "walk"
    RUN = "run"
    BIKE = "bike"
    CAR = "car"


# Metres a second where nothing better is known: 5.1, 9, 15 and 30 km/h.
SPEED_MPS = {Mode.WALK: 5.1 / 3.6, Mode.RUN: 9 / 3.6, Mode.BIKE: 15 / 3.6, Mode.CAR: 30 / 3.6}


@dataclass(frozen=True, slots=True)
class Route:
    """A line past all stops; one leg between each two of them, as longitudes and latitudes."""

    legs: tuple[tuple[tuple[float, float], ...], ...]
    travel_s: float
    distance_m: float
    source: EtaSource

    @property
    def line(self) -> list[tuple[float, float]]:
        """Give the whole line; where legs meet, the point stands once."""
        points = [*self.legs[0]]
        for leg in self.legs[1:]:
            points += leg[1:] if leg[0] == points[-1] else leg
        return points


async def route(
    client: httpx.AsyncClient,
    url: str | None,
    stops: Sequence[Position],
    *,
    mode: Mode = Mode.WALK,
    network: WalkingNetwork | None = None,
    deadline_s: float = 1.5,
) -> Route:
    """Find the line past two or more stops, in their order.

    `url` is the Valhalla service's address, None where there is none. Never raises for a service
    that is away, slow or without an answer.
    """
    if len(stops) < 2:
        raise ValueError("a route needs two stops or more")
    if url is not None:
        walk_mps = network.speed_mps if network is not None else SPEED_MPS[Mode.WALK]
        speed = walk_mps if mode is Mode.WALK else SPEED_MPS[mode]
        try:
            async with asyncio.timeout(deadline_s):
                return await _ask(client, url, stops, mode, speed)
        except (httpx.HTTPError, TimeoutError, ValidationError):
            pass  # what follows needs no service
    return await asyncio.to_thread(_without_service, stops, mode, network)


def _without_service(
    stops: Sequence[Position], mode: Mode, network: WalkingNetwork | None
) -> Route:
    ways = [_way(a, b, mode, network) for a, b in pairwise(stops)]
    is_found = all(way.travel.source is EtaSource.NETWORK for way in ways)
    return Route(
        legs=tuple(tuple((p.lon, p.lat) for p in way.line) for way in ways),
        travel_s=sum(way.travel.travel_s for way in ways),
        distance_m=sum(way.travel.distance_m for way in ways),
        source=EtaSource.NETWORK if is_found else EtaSource.ESTIMATE,
    )


def _way(a: Position, b: Position, mode: Mode, network: WalkingNetwork | None) -> Way:
    if network is not None and mode in (Mode.WALK, Mode.RUN):
        speed = network.speed_mps if mode is Mode.WALK else SPEED_MPS[mode]
        found = network.way(a, b, within_s=_LONGEST_S, speed_mps=speed)
        if found is not None:
            return found
    metres = distance_m(a, b) * DETOUR_FACTOR
    return Way((a, b), Travel(metres / SPEED_MPS[mode], metres, EtaSource.ESTIMATE))


class _Summary(BaseModel):
    time: float  # seconds
    length: float  # kilometres


class _Leg(BaseModel):
    shape: str


class _Trip(BaseModel):
    legs: list[_Leg] = Field(min_length=1)
    summary: _Summary


class _Answer(BaseModel):
    trip: _Trip


_COSTING = {Mode.WALK: "pedestrian", Mode.RUN: "pedestrian", Mode.BIKE: "bicycle", Mode.CAR: "auto"}


async def _ask(
    client: httpx.AsyncClient, url: str, stops: Sequence[Position], mode: Mode, speed_mps: float
) -> Route:
    costing = _COSTING[mode]
    options: dict[str, float] = {"use_ferry": 0.0}
    if costing == "pedestrian":
        options["walking_speed"] = round(speed_mps * 3.6, 2)
    body = {
        "locations": [{"lon": stop.lon, "lat": stop.lat} for stop in stops],
        "costing": costing,
        "costing_options": {costing: options},
        "directions_type": "none",
        "units": "kilometers",
    }
    response = await client.post(f"{url.rstrip('/')}/route", json=body)
    response.raise_for_status()
    trip = _Answer.model_validate_json(response.content).trip
    return Route(
        legs=tuple(tuple(_decoded(leg.shape)) for leg in trip.legs),
        travel_s=trip.summary.time,
        distance_m=trip.summary.length * 1000,
        source=EtaSource.NETWORK,
    )


def _decoded(shape: str) -> list[tuple[float, float]]:
    """Read an encoded polyline: differences of latitude and longitude in turns, 5 bits a letter."""
    points: list[tuple[float, float]] = []
    lat = lon = value = shift = 0
    is_lat = True
    for letter in shape:
        bits = ord(letter) - 63
        value |= (bits & 31) << shift
        shift += 5
        if bits >= 32:
            continue
        step = ~(value >> 1) if value & 1 else value >> 1
        value = shift = 0
        if is_lat:
            lat += step
        else:
            lon += step
            points.append((lon / _POLYLINE_DEGREE, lat / _POLYLINE_DEGREE))
        is_lat = not is_lat
    return points
