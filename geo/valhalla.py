"""What the Valhalla service on this machine is asked: lines with turns, matrices, areas.

Whoever asks sets a deadline and knows what to do without an answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from geo import manoeuvres
from geo.manoeuvres import Turn
from geo.position import Position

_POLYLINE_DEGREE = 1e6  # Valhalla's lines count millionths of a degree
_MOST_PAIRS = 20_000  # asked for at once; one question must not keep the service for seconds

#: What an answer that cannot be used raises.
Failures = (httpx.HTTPError, TimeoutError, ValidationError)

Line = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Asker:
    """The service's address, a client, and how somebody travels."""

    client: httpx.AsyncClient
    url: str
    costing: str  # pedestrian, bicycle, auto
    speed_mps: float  # of pedestrians; the others go as the streets let them

    def costs(self) -> dict[str, Any]:
        """Say how one travels, as the service wants to hear it."""
        if self.costing == "pedestrian":  # they may take ferries, as in our own network
            options = {"walking_speed": round(self.speed_mps * 3.6, 2)}
        else:
            options = {"use_ferry": 0.0}
        return {"costing": self.costing, "costing_options": {self.costing: options}}

    async def post(self, action: str, body: dict[str, Any]) -> httpx.Response:
        """Ask; raises what httpx raises, also for a refusal."""
        response = await self.client.post(f"{self.url.rstrip('/')}/{action}", json=body)
        response.raise_for_status()
        return response


class _Summary(BaseModel):
    time: float  # seconds
    length: float  # kilometres


class _Manoeuvre(BaseModel):
    type: int
    time: float
    length: float
    begin_shape_index: int
    street_names: list[str] = []


class _Leg(BaseModel):
    shape: str
    maneuvers: list[_Manoeuvre] = []


class _Trip(BaseModel):
    legs: list[_Leg] = Field(min_length=1)
    summary: _Summary


class _Answer(BaseModel):
    trip: _Trip


class _Durations(BaseModel):
    durations: list[list[float | None]]
    distances: list[list[float | None]]


class _Matrix(BaseModel):
    sources_to_targets: _Durations


@dataclass(frozen=True, slots=True)
class Trip:
    """A line in legs with its turns; seconds and metres in all."""

    legs: tuple[Line, ...]
    turns: tuple[tuple[Turn, ...], ...]
    travel_s: float
    distance_m: float


async def trip(asker: Asker, stops: Sequence[Position]) -> Trip:
    """Find the line past all stops. Raises one of `Failures`."""
    body = {
        "locations": _places(stops),
        "directions_type": "maneuvers",
        "units": "kilometers",
        **asker.costs(),
    }
    response = await asker.post("route", body)
    found = _Answer.model_validate_json(response.content).trip
    lines = [tuple(_decoded(leg.shape)) for leg in found.legs]
    return Trip(
        legs=tuple(lines),
        turns=tuple(_turns(leg, line) for leg, line in zip(found.legs, lines, strict=True)),
        travel_s=found.summary.time,
        distance_m=found.summary.length * 1000,
    )


def _turns(leg: _Leg, line: Line) -> tuple[Turn, ...]:
    return tuple(
        Turn(
            kind=manoeuvres.kind_of(turn.type),
            street=turn.street_names[0] if turn.street_names else None,
            position=line[min(turn.begin_shape_index, len(line) - 1)],
            travel_s=turn.time,
            distance_m=turn.length * 1000,
        )
        for turn in leg.maneuvers
    )


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds and metres, a row for each source; nan where the service knows no way."""

    seconds: NDArray[np.float64]
    metres: NDArray[np.float64]


def unknown(sources: int, targets: int) -> Times:
    """Give a matrix without any answer."""
    return Times(np.full((sources, targets), np.nan), np.full((sources, targets), np.nan))


async def fill(
    asker: Asker, sources: Sequence[Position], targets: Sequence[Position], times: Times
) -> None:
    """Fill a matrix in place, so that a caller whose time runs out keeps what is there.

    One place that cannot be joined to the others fails a whole question: it is then asked again
    in halves, until the place is alone. Raises `httpx.HTTPError` for a service that is away.
    """
    waiting = [(0, len(sources), 0, len(targets))]
    while waiting:
        first, last, left, right = waiting.pop()
        rows, columns = last - first, right - left
        if not rows or not columns:
            continue
        if rows * columns <= _MOST_PAIRS:
            part = await _durations(asker, sources[first:last], targets[left:right])
            if part is not None:
                times.seconds[first:last, left:right] = part.seconds
                times.metres[first:last, left:right] = part.metres
                continue
        if rows * columns == 1:
            continue
        if rows > columns:
            middle = (first + last) // 2
            waiting += [(middle, last, left, right), (first, middle, left, right)]
        else:
            middle = (left + right) // 2
            waiting += [(first, last, middle, right), (first, last, left, middle)]


async def _durations(
    asker: Asker, sources: Sequence[Position], targets: Sequence[Position]
) -> Times | None:
    body = {
        "sources": _places(sources),
        "targets": _places(targets),
        "verbose": False,
        "units": "kilometers",
        **asker.costs(),
    }
    try:
        response = await asker.post("sources_to_targets", body)
    except httpx.HTTPStatusError as refusal:
        if refusal.response.status_code == httpx.codes.BAD_REQUEST:
            return None
        raise
    found = _Matrix.model_validate_json(response.content).sources_to_targets
    seconds, metres = np.array(found.durations, float), np.array(found.distances, float)
    return Times(seconds, metres * 1000)


async def areas(
    asker: Asker, origin: Position, minutes: Sequence[float]
) -> list[shapely.MultiPolygon]:
    """Draw what is reached within so many minutes. Raises one of `Failures`, or ValueError."""
    body = {
        "locations": _places([origin]),
        "contours": [{"time": minute} for minute in minutes],
        "polygons": True,
        **asker.costs(),
    }
    response = await asker.post("isochrone", body)
    found = {
        round(float(feature["properties"]["contour"]), 3): _several(feature["geometry"])
        for feature in response.json()["features"]
    }
    return [found[round(minute, 3)] for minute in minutes]


def _several(geometry: dict[str, Any]) -> shapely.MultiPolygon:
    parts = geometry["coordinates"]
    if geometry["type"] == "Polygon":
        parts = [parts]
    return shapely.MultiPolygon([shapely.Polygon(rings[0], rings[1:]) for rings in parts])


def _places(stops: Sequence[Position]) -> list[dict[str, float]]:
    return [{"lon": stop.lon, "lat": stop.lat} for stop in stops]


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
