"""The line that somebody follows: on foot, running, by bicycle or car, past an AED if wanted.

What time within a building adds is told apart from the way: `vertical_s` and `pickup_s`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from dispatch import errors
from geo import datum, indoors, routing
from geo.indoors import Building
from geo.manoeuvres import Turn
from geo.position import Position
from geo.routing import Mode
from web import fields, rights
from web.dependencies import Caller, Crs, Http, Network, Settings
from web.plain_depends import at_once

router = APIRouter(prefix="/routes", tags=["places"])


class LineShape(fields.Shape):
    """A GeoJSON LineString."""

    type: str
    coordinates: list[list[float]]


class TurnShape(fields.Shape):
    """What to do where, in two languages, and how far it is to the next turn."""

    kind: str
    street: str | None
    at: fields.PointShape
    zh: str
    en: str
    travel_s: float
    distance_m: float


class RouteShape(fields.Shape):
    """The whole line and its legs; `source` says whether it is along streets or a guess.

    `turns` has one list for each leg, empty where the routing service did not draw the line.
    `total_s` = `travel_s` + `vertical_s` + `pickup_s`.
    """

    line: LineShape
    legs: list[LineShape]
    turns: list[list[TurnShape]]
    travel_s: float
    vertical_s: float
    pickup_s: float
    total_s: float
    distance_m: float
    source: str
    mode: str
    crs: str


def _stop(text: str, name: str, crs: datum.Crs) -> Position:
    parts = text.split(",")
    try:
        lon, lat = (float(part) for part in parts)
    except ValueError:
        raise errors.Malformed(f"{name} must be longitude,latitude") from None
    return fields.inward(Position(lon, lat), crs)


@dataclass(frozen=True, slots=True)
class _Extras:
    """What makes a journey longer or shorter than the way along the streets."""

    speed_mps: float | None
    vertical_s: float
    pickup_s: float


Speed = Annotated[
    float | None,
    Query(ge=0.3, le=5, description="of the person on foot, level ground; default by mode"),
]


def _extras(
    *,
    speed_mps: Speed = None,
    building: Annotated[
        Building | None, Query(description="what sort of place the journey ends in")
    ] = None,
    floor: Annotated[int, Query(ge=-10, le=200)] = 0,
    pickup_s: Annotated[
        float, Query(ge=0, le=900, description="to take an AED from its cabinet")
    ] = 0.0,
) -> _Extras:
    vertical_s = 0.0 if building is None else indoors.vertical_s(building, floor)
    return _Extras(speed_mps, vertical_s, pickup_s)


@router.get("", response_model=RouteShape, summary="Route line")
async def show(
    *,
    caller: Caller,
    http: Http,
    settings: Settings,
    network: Network,
    crs: Crs,
    start: Annotated[str, Query(alias="from", max_length=60, description="longitude,latitude")],
    to: Annotated[str, Query(max_length=60, description="longitude,latitude")],
    via: Annotated[
        list[str] | None,
        Query(max_length=5, description="longitude,latitude; may be repeated"),
    ] = None,
    mode: Mode = Mode.WALK,
    extras: Annotated[_Extras, Depends(at_once(_extras))],
) -> Response:
    """Find the line between two places, past others in their order; always answers."""
    rights.reach(caller, rights.Action.ROUTE_SEE)
    named = [("from", start), *(("via", stop) for stop in via or ()), ("to", to)]
    found = await routing.route(
        http,
        settings.valhalla_url or None,
        [_stop(text, name, crs) for name, text in named],
        mode=mode,
        network=network,
        speed_mps=extras.speed_mps if mode in routing.ON_FOOT else None,
    )
    total_s = found.travel_s + extras.vertical_s + extras.pickup_s
    body = {
        "line": _line(found.line),
        "legs": [_line(leg) for leg in found.legs],
        "turns": [[_turn(turn) for turn in leg] for leg in found.turns] or [[] for _ in found.legs],
        "travel_s": round(found.travel_s, 1),
        "vertical_s": round(extras.vertical_s, 1),
        "pickup_s": round(extras.pickup_s, 1),
        "total_s": round(total_s, 1),
        "distance_m": round(found.distance_m, 1),
        "source": found.source,
        "mode": mode,
    }
    return fields.send(body, crs)


def _turn(turn: Turn) -> dict[str, Any]:
    return {
        "kind": turn.kind,
        "street": turn.street,
        "at": {"type": "Point", "coordinates": list(turn.position)},
        "zh": turn.zh,
        "en": turn.en,
        "travel_s": round(turn.travel_s, 1),
        "distance_m": round(turn.distance_m, 1),
    }


def _line(points: Any) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": [list(point) for point in points]}
