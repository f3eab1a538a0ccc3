"""Map tiles for people who are signed in: coverage, depots, and volunteers as counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import crowd, depots, errors
from geo import coverage, dataset, mvt
from geo.dataset import Dataset
from geo.mvt import Frame
from web import fields, rights, tiles
from web.dependencies import Caller, Network, Now, View
from web.rights import Action

router = APIRouter(tags=["tiles"])

#: Farther out a tile would hold a whole province of cells.
RESPONDERS_FROM_ZOOM = 8
# About the caller's own organisation: no shared cache may keep it.
_PRIVATE = "private, max-age=2"


@router.get(
    "/tiles/responders/{z}/{x}/{y}.mvt",
    summary="A vector tile (MVT) of how many volunteers are about",
    response_class=Response,
    responses=tiles.ANSWERS,
)
async def responder_tile(
    *, request: Request, conn: View, caller: Caller, now: Now, z: int, x: int, y: int
) -> Response:
    """Draw hexagons of 900 m with the number of people who can be asked, five and more; from z8."""
    paths = rights.reach(caller, Action.RESPONDER_SEE)
    frame = Frame(*tiles.cell_of(z, x, y))
    found = []
    if z >= RESPONDERS_FROM_ZOOM:
        found = await crowd.cells(conn, paths, _box(frame), now=now)
    shapes = (
        mvt.polygon(frame, cell.ring(), {"cell": cell.cell, "count": cell.count}) for cell in found
    )
    return await _answer(request, mvt.layer("responders", filter(None, shapes)))


@router.get(
    "/tiles/depots/{z}/{x}/{y}.mvt",
    summary="A vector tile (MVT) of the depots",
    response_class=Response,
    responses=tiles.ANSWERS,
)
async def depot_tile(
    *, request: Request, conn: View, caller: Caller, z: int, x: int, y: int
) -> Response:
    """Draw the depots of the caller's organisations."""
    paths = rights.reach(caller, Action.STOCK_SEE)
    frame = Frame(*tiles.cell_of(z, x, y))
    shapes = [
        mvt.point(
            frame,
            depot.position.lon,
            depot.position.lat,
            {
                "id": str(depot.id),
                "code": depot.code,
                "name": depot.name,
                "name_en": depot.name_en,
                "org": depot.org_code,
                "invented": depot.is_invented or None,
            },
        )
        for depot in await depots.list_depots(conn, paths)
        if mvt.is_inside(frame, depot.position.lon, depot.position.lat)
    ]
    return await _answer(request, mvt.layer("depots", shapes))


@router.get(
    "/tiles/coverage/{z}/{x}/{y}.mvt",
    summary="A vector tile (MVT) of the share of buildings near a usable AED",
    response_class=Response,
    responses=tiles.ANSWERS,
)
async def coverage_tile(
    *,
    request: Request,
    conn: View,
    caller: Caller,
    network: Network,
    now: Now,
    z: int,
    x: int,
    y: int,
    at: Annotated[fields.At | None, Query(description="usable at this time; default now")] = None,
    within_s: Annotated[float, Query(ge=30, le=3600, description="walk, one way")] = 240.0,
    city: Annotated[
        str | None, Query(alias="dataset", max_length=100, description="default: every city")
    ] = None,
) -> Response:
    """Draw the hexagons of `GET /api/v1/coverage`, of all cities that reach into the tile."""
    rights.reach(caller, Action.COVERAGE_SEE)
    frame = Frame(*tiles.cell_of(z, x, y))
    shapes: list[mvt.Shape] = []
    for where in _touching(frame, await _cities(conn, city)):
        found = await coverage.hexagons(conn, network, where, within_s=within_s, at=at or now)
        shapes += filter(None, (_hexagon(frame, each) for each in found.hexagons))
    return await _answer(request, mvt.layer("coverage", shapes))


async def _cities(conn: AsyncConnection, name: str | None) -> Sequence[Dataset]:
    if name is None:
        return await dataset.list_all(conn)
    try:
        return [await dataset.get(conn, name)]
    except dataset.DatasetMissing:
        raise errors.NotFound from None


def _touching(frame: Frame, cities: Sequence[Dataset]) -> list[Dataset]:
    west, south, east, north = _box(frame)
    return [
        city
        for city in cities
        if city.box[0] <= east and west <= city.box[2]
        and city.box[1] <= north and south <= city.box[3]
    ]  # fmt: skip


def _hexagon(frame: Frame, hexagon: coverage.Hexagon) -> mvt.Shape | None:
    ring = [(lon, lat) for lon, lat in hexagon.ring()]
    facts: dict[str, mvt.Value | None] = {
        "cell": hexagon.cell,
        "buildings": hexagon.weight,
        "covered": hexagon.covered,
        "share": round(hexagon.share, 4),
    }
    return mvt.polygon(frame, ring, facts)


def _box(frame: Frame) -> tuple[float, float, float, float]:
    """Give west, south, east, north of a tile in degrees."""
    side = 1 << frame.z
    west, north = mvt.degrees(frame.x / side, frame.y / side)
    east, south = mvt.degrees((frame.x + 1) / side, (frame.y + 1) / side)
    return west, south, east, north


async def _answer(request: Request, content: bytes) -> Response:
    return await tiles.answer(request, tiles.send_layer(content), _PRIVATE)
