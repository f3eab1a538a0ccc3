"""The line that somebody follows: on foot, running, by bicycle or car, past an AED if wanted."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from dispatch import errors
from geo import datum, routing
from geo.position import Position
from geo.routing import Mode
from web import fields, rights
from web.dependencies import Caller, Crs, Http, Network, Settings

router = APIRouter(prefix="/routes", tags=["places"])


class LineShape(fields.Shape):
    """A GeoJSON LineString."""

    type: str
    coordinates: list[list[float]]


class RouteShape(fields.Shape):
    """The whole line and its legs; `source` says whether it is along streets or a guess."""

    line: LineShape
    legs: list[LineShape]
    travel_s: float
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
    )
    body = {
        "line": _line(found.line),
        "legs": [_line(leg) for leg in found.legs],
        "travel_s": round(found.travel_s, 1),
        "distance_m": round(found.distance_m, 1),
        "source": found.source,
        "mode": mode,
    }
    return fields.send(body, crs)


def _line(points: Any) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": [list(point) for point in points]}
