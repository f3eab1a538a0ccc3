"""Share of a city that has a usable AED within a walk, for any hour of the week."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from dispatch import errors, events
from geo import coverage, dataset
from geo.coverage import Coverage
from web import fields, rights
from web.dependencies import Caller, Network, Now, View

router = APIRouter(prefix="/coverage", tags=["planner"])


class CoverageShape(fields.Shape):
    """Coverage at one time; `share` is null where there is nothing to cover.

    `demand` says what was counted: `building`, or `street` in a city without mapped buildings.
    Walks are one way along the streets, between the building and the AED.
    """

    dataset: str
    at: str
    within_s: float
    demand: str
    share: float | None
    buildings: float
    covered: float
    hexagons: dict[str, Any]
    week: list[float] | None
    week_begins: str
    time_zone: str
    aeds_used: int
    aeds_known: int
    generated_at: str
    attribution: str


@router.get("", response_model=CoverageShape, summary="Coverage of the present AEDs")
async def show(
    *,
    conn: View,
    caller: Caller,
    network: Network,
    now: Now,
    at: Annotated[fields.At | None, Query(description="usable at this time; default now")] = None,
    within_s: Annotated[float, Query(ge=30, le=3600, description="walk, one way")] = 240.0,
    city: Annotated[
        str | None, Query(alias="dataset", max_length=100, description="default: the first city")
    ] = None,
    week: Annotated[bool, Query(description="also the share for each hour of that week")] = False,
) -> Response:
    """Count the buildings within a walk of an AED that is usable then, by hexagon."""
    rights.reach(caller, rights.Action.COVERAGE_SEE)
    try:
        where = await dataset.get(conn, city)
    except dataset.DatasetMissing:
        raise errors.NotFound from None
    found = await coverage.hexagons(
        conn, network, where, within_s=within_s, with_week=week, at=at or now
    )
    return fields.send(
        {
            **_out(found),
            "week_begins": events.time(coverage.week_begins(where, at or now)),
            "time_zone": where.time_zone,
            "generated_at": events.time(now),
            "attribution": where.attribution,
        }
    )


def _out(found: Coverage) -> dict[str, Any]:
    return {
        "dataset": found.dataset,
        "at": events.time(found.at),
        "within_s": found.within_s,
        "demand": found.demand,
        "share": found.share,
        "buildings": found.weight,
        "covered": found.covered,
        "hexagons": {
            "type": "FeatureCollection",
            "features": [_feature(hexagon) for hexagon in found.hexagons],
        },
        "week": found.week,
        "aeds_used": found.aeds_used,
        "aeds_known": found.aeds_known,
    }


def _feature(hexagon: coverage.Hexagon) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": hexagon.cell,
        "geometry": {"type": "Polygon", "coordinates": [hexagon.ring()]},
        "properties": {
            "cell": hexagon.cell,
            "buildings": hexagon.weight,
            "covered": hexagon.covered,
            "share": round(hexagon.share, 4),
        },
    }
