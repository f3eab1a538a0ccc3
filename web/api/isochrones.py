"""How far one gets in so many minutes, as areas on the map."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from geo import routing
from geo.position import Position
from geo.routing import Mode
from web import fields, rights
from web.api.routes import Speed
from web.dependencies import Caller, Crs, Http, Network, Settings

router = APIRouter(prefix="/isochrone", tags=["places"])

Minutes = Annotated[
    list[Annotated[float, Query(gt=0, le=60)]],
    Query(min_length=1, max_length=4, description="one area for each; may be repeated"),
]


class AreaGeometryShape(fields.Shape):
    """A GeoJSON MultiPolygon."""

    type: Literal["MultiPolygon"]
    coordinates: list[list[list[list[float]]]]


class AreaShape(fields.Shape):
    """A GeoJSON feature; properties `minutes`, `mode`, and `source`: network or estimate."""

    type: str
    geometry: AreaGeometryShape
    properties: dict[str, Any]


class IsochroneShape(fields.Shape):
    """A GeoJSON FeatureCollection, an area for each of the minutes in their order."""

    type: str
    features: list[AreaShape]
    crs: str


@router.get("", response_model=IsochroneShape, summary="Area reached in time")
async def show(
    *,
    caller: Caller,
    http: Http,
    settings: Settings,
    network: Network,
    crs: Crs,
    lon: float,
    lat: float,
    minutes: Minutes,
    mode: Mode = Mode.WALK,
    speed_mps: Speed = None,
) -> Response:
    """Draw the area that is reached from a place; a circle where no street tells, marked so."""
    rights.reach(caller, rights.Action.ROUTE_SEE)
    found = await routing.areas(
        http,
        settings.valhalla_url or None,
        fields.inward(Position(lon, lat), crs),
        minutes,
        mode=mode,
        network=network,
        speed_mps=speed_mps if mode in routing.ON_FOOT else None,
    )
    features = [
        {
            "type": "Feature",
            "geometry": area.geojson(),
            "properties": {
                "minutes": minute,
                "mode": mode,
                "source": "estimate" if area.is_estimate else "network",
            },
        }
        for minute, area in zip(minutes, found, strict=True)
    ]
    return fields.send({"type": "FeatureCollection", "features": features}, crs)
