"""Addresses, streets, places and AEDs by what somebody types."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from geo import search
from geo.position import Position
from web import fields
from web.dependencies import Crs, View

router = APIRouter(prefix="/search", tags=["places"])


class PlaceShape(fields.Shape):
    """One answer; `kind` is address, street, place, poi or aed."""

    text: str
    kind: str
    position: fields.PointShape


class PlacesShape(fields.Shape):
    """The answers that fit best, best first."""

    items: list[PlaceShape]
    crs: str


@router.get("", response_model=PlacesShape, summary="Find an address or place")
async def find(
    *,
    conn: View,
    crs: Crs,
    q: Annotated[str, Query(max_length=200, description="words in any order, a house number too")],
    lon: Annotated[float | None, Query(description="prefer places near here")] = None,
    lat: float | None = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> Response:
    """Find by the beginnings of words, Chinese or Latin; typing errors are forgiven. Public."""
    near = None
    if lon is not None and lat is not None:
        near = fields.inward(Position(lon, lat), crs)
    found = await search.find(conn, q, near=near, limit=limit)
    items = [
        {"text": place.text, "kind": place.kind, "position": place.position.geojson()}
        for place in found
    ]
    return fields.send({"items": items}, crs)
