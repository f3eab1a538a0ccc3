"""Route lines, times and areas by every mode.

Times and areas on foot come from our own walking network; lines with their turns, and everything
on wheels, from the Valhalla service on this machine. Without an answer in time a line comes from
our own network, and where that has none, or for wheels, all is by the straight line: marked as an
estimate, so that a screen can say so.
"""

import asyncio
import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import httpx
import numpy as np
from numpy.typing import NDArray

from geo import valhalla, walking_guess
from geo.manoeuvres import Turn
from geo.position import Position
from geo.walking import EtaSource, Travel, WalkingNetwork, Way
from geo.walking_reach import Area, guess

_LONGEST_S = 4 * 3600.0  # nobody is sent on a longer walk; it bounds the expansion


class Mode(StrEnum):
    """How somebody travels."""

    WALK = "walk"
    RUN = "run"
    BIKE = "bike"
    CAR = "car"


# Metres a second where nothing better is known: 5.1, 9, 15 and 30 km/h.
SPEED_MPS = {Mode.WALK: 5.1 / 3.6, Mode.RUN: 9 / 3.6, Mode.BIKE: 15 / 3.6, Mode.CAR: 30 / 3.6}


ON_FOOT = frozenset({Mode.WALK, Mode.RUN})

_COSTING = {Mode.WALK: "pedestrian", Mode.RUN: "pedestrian", Mode.BIKE: "bicycle", Mode.CAR: "auto"}


@dataclass(frozen=True, slots=True)
class Route:
    """A line past all stops; one leg between each two of them, as longitudes and latitudes."""

    legs: tuple[tuple[tuple[float, float], ...], ...]
    travel_s: float
    distance_m: float
    source: EtaSource
    turns: tuple[tuple[Turn, ...], ...] = ()  # for each leg, where the service drew the line

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
    speed_mps: float | None = None,
    deadline_s: float = 1.5,
) -> Route:
    """Find the line past two or more stops, in their order.

    `url` is the Valhalla service's address, None where there is none. Never raises for a service
    that is away, slow or without an answer.
    """
    if len(stops) < 2:
        raise ValueError("a route needs two stops or more")
    speed = speed_mps or _speed(mode, network)
    if url is not None:
        try:
            async with asyncio.timeout(deadline_s):
                found = await valhalla.trip(_asker(client, url, mode, speed), stops)
        except valhalla.Failures:
            pass  # what follows needs no service
        else:
            return Route(
                found.legs, found.travel_s, found.distance_m, EtaSource.NETWORK, found.turns
            )
    return await asyncio.to_thread(_without_service, stops, mode, network, speed)


async def times(
    client: httpx.AsyncClient,
    url: str | None,
    origin: Position,
    targets: Sequence[Position],
    *,
    mode: Mode,
    deadline_s: float = 1.5,
) -> list[Travel]:
    """Find how long it takes from the origin to every target by the service; for wheels.

    What it does not answer in time, or cannot reach, is an estimate, marked as one. Never raises
    for a service that is away.
    """
    found = await _ask(client, url, [origin], targets, mode=mode, deadline_s=deadline_s)
    rows = zip(targets, found.seconds[0].tolist(), found.metres[0].tolist(), strict=True)
    return [
        _estimate(origin, target, SPEED_MPS[mode])
        if math.isnan(seconds)
        else Travel(seconds, metres, EtaSource.NETWORK)
        for target, seconds, metres in rows
    ]


async def matrix(
    client: httpx.AsyncClient,
    url: str | None,
    sources: Sequence[Position],
    targets: Sequence[Position],
    *,
    mode: Mode,
    network: WalkingNetwork,
    within_s: float,
    speed_mps: float | None = None,
    deadline_s: float = 10.0,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Find the seconds from every source (row) to every target; and which are estimates.

    nan is beyond `within_s`. On foot from our network, on wheels from the service.
    """
    speed = speed_mps or _speed(mode, network)
    if mode in ON_FOOT:
        return await asyncio.to_thread(
            network.marked_matrix, sources, targets, within_s=within_s, speed_mps=speed
        )
    found = await _ask(client, url, sources, targets, mode=mode, deadline_s=deadline_s)
    seconds, is_guess = found.seconds, np.isnan(found.seconds)
    walking_guess.fill(seconds, is_guess, _columns(sources), _columns(targets))
    seconds[is_guess] /= SPEED_MPS[mode]
    seconds[seconds > within_s] = np.nan
    return seconds, is_guess


async def areas(
    client: httpx.AsyncClient,
    url: str | None,
    origin: Position,
    minutes: Sequence[float],
    *,
    mode: Mode,
    network: WalkingNetwork,
    speed_mps: float | None = None,
    deadline_s: float = 3.0,
) -> list[Area]:
    """Draw what is reached within so many minutes, in their order."""
    speed = speed_mps or _speed(mode, network)
    within_s = [60 * minute for minute in minutes]
    if mode in ON_FOOT:
        return await asyncio.to_thread(network.isochrone, origin, within_s, speed_mps=speed)
    if url is not None:
        try:
            async with asyncio.timeout(deadline_s):
                found = await valhalla.areas(_asker(client, url, mode, speed), origin, minutes)
        except (*valhalla.Failures, KeyError, ValueError):
            pass
        else:
            return [Area(shape, is_estimate=False) for shape in found]
    return [guess(origin, limit_s * speed) for limit_s in within_s]


async def _ask(
    client: httpx.AsyncClient,
    url: str | None,
    sources: Sequence[Position],
    targets: Sequence[Position],
    *,
    mode: Mode,
    deadline_s: float,
) -> valhalla.Times:
    found = valhalla.unknown(len(sources), len(targets))
    if url is not None:
        with contextlib.suppress(*valhalla.Failures):
            async with asyncio.timeout(deadline_s):
                await valhalla.fill(
                    _asker(client, url, mode, SPEED_MPS[mode]), sources, targets, found
                )
    return found


def _asker(client: httpx.AsyncClient, url: str, mode: Mode, speed_mps: float) -> valhalla.Asker:
    return valhalla.Asker(client, url, _COSTING[mode], speed_mps)


def _speed(mode: Mode, network: WalkingNetwork | None) -> float:
    """On foot as fast as this installation says."""
    if mode is Mode.WALK and network is not None:
        return network.speed_mps
    return SPEED_MPS[mode]


def _columns(places: Sequence[Position]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    lon = np.array([place.lon for place in places], np.float64)
    return lon, np.array([place.lat for place in places], np.float64)


def _estimate(origin: Position, target: Position, speed_mps: float) -> Travel:
    metres = walking_guess.metres(origin, target)
    return Travel(metres / speed_mps, metres, EtaSource.ESTIMATE)


def _without_service(
    stops: Sequence[Position], mode: Mode, network: WalkingNetwork | None, speed_mps: float
) -> Route:
    ways = [_way(a, b, mode, network, speed_mps) for a, b in pairwise(stops)]
    is_found = all(way.travel.source is EtaSource.NETWORK for way in ways)
    return Route(
        legs=tuple(tuple((p.lon, p.lat) for p in way.line) for way in ways),
        travel_s=sum(way.travel.travel_s for way in ways),
        distance_m=sum(way.travel.distance_m for way in ways),
        source=EtaSource.NETWORK if is_found else EtaSource.ESTIMATE,
    )


def _way(
    a: Position, b: Position, mode: Mode, network: WalkingNetwork | None, speed_mps: float
) -> Way:
    if network is not None and mode in ON_FOOT:
        found = network.way(a, b, within_s=_LONGEST_S, speed_mps=speed_mps)
        if found is not None:
            return found
    return Way((a, b), _estimate(a, b, speed_mps))
