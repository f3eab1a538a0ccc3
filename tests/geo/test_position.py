"""Positions: what is refused, what a position measures, how it crosses the edges."""

import math
from typing import cast

import pytest
import sqlalchemy
from geoalchemy2 import Geography
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import position
from geo.position import BadPosition, Position

positions = st.builds(Position, st.floats(-180, 180), st.floats(-90, 90))
inhabited = st.builds(Position, st.floats(-179, 179), st.floats(-65, 75))


@pytest.mark.parametrize(
    ("lon", "lat", "field"),
    [
        (180.1, 0.0, "lon"),
        (0.0, 90.1, "lat"),
        (43.73, 107.4, "lat"),  # latitude first: the usual mistake
        (math.nan, 0.0, "lon"),
        (0.0, math.inf, "lat"),
        (False, 0.0, "lon"),
        ("7.4", 43.7, "lon"),
        (7.4, None, "lat"),
    ],
)
def test_what_cannot_be_a_position_is_refused_by_name(lon: object, lat: object, field: str) -> None:
    with pytest.raises(BadPosition, match=field) as refused:
        Position(cast("float", lon), cast("float", lat))
    assert refused.value.field == field


@pytest.mark.parametrize(
    "obj",
    [
        None,
        [7.4, 43.7],
        {"type": "Polygon", "coordinates": [7.4, 43.7]},
        {"type": "Point"},
        {"type": "Point", "coordinates": [7.4]},
        {"type": "Point", "coordinates": "7.4,43.7"},
        {"type": "Point", "coordinates": [7.4, 43.7, 12.0, 0.0]},
    ],
)
def test_only_a_geojson_point_is_a_position(obj: object) -> None:
    with pytest.raises(BadPosition):
        Position.from_geojson(obj)


def test_a_height_is_dropped() -> None:
    point = {"type": "Point", "coordinates": [7, 43.7, 60.0]}
    assert Position.from_geojson(point) == Position(7.0, 43.7)


@given(positions)
def test_a_position_survives_geojson_and_wkb(place: Position) -> None:
    assert Position.from_geojson(place.geojson()) == place
    element = place.ewkb()
    assert Position.from_wkb(element) == place
    assert Position.from_wkb(element.desc) == place


async def test_a_position_survives_the_database(conn: AsyncConnection) -> None:
    place = Position(7.4215871, 43.7349052)
    column = sqlalchemy.cast(place.ewkb(), Geography("POINT", 4326)).label("place")
    row = (await conn.execute(sqlalchemy.select(column))).one()
    assert Position.from_wkb(row.place) == place


@given(positions, positions)
def test_distance_is_symmetric_and_bounded(a: Position, b: Position) -> None:
    metres = position.distance_m(a, b)
    assert metres == pytest.approx(position.distance_m(b, a), abs=1e-6)
    assert 0 <= metres <= math.pi * position.EARTH_RADIUS_M * 1.000001


def test_distances_that_can_be_checked_by_hand() -> None:
    quarter = math.pi / 2 * position.EARTH_RADIUS_M
    assert position.distance_m(Position(0, 0), Position(90, 0)) == pytest.approx(quarter)
    assert position.distance_m(Position(0, 0), Position(0, 90)) == pytest.approx(quarter)
    assert position.distance_m(Position(179.5, 0), Position(-179.5, 0)) == pytest.approx(
        quarter / 90
    )


@pytest.mark.parametrize(
    ("lon", "lat", "name"),
    [(0, 1, "n"), (1, 1, "ne"), (1, 0, "e"), (1, -1, "se"), (0, -1, "s"), (-1, -1, "sw"),
     (-1, 0, "w"), (-1, 1, "nw"), (0.3, 1, "n"), (0.5, 1, "ne"), (-0.3, 1, "n")],
)  # fmt: skip
def test_bearing_names_the_direction(lon: float, lat: float, name: str) -> None:
    here = Position(7.42, 43.73)
    there = Position(here.lon + lon / 100 / math.cos(math.radians(here.lat)), here.lat + lat / 100)
    assert position.bearing(here, there) == name


@given(inhabited, st.sampled_from([300.0, 600.0, 1000.0]))
def test_coarse_is_stable_and_near(place: Position, cell_m: float) -> None:
    centre = position.coarse(place, cell_m=cell_m)
    assert centre == position.coarse(place, cell_m=cell_m)
    assert position.coarse(centre, cell_m=cell_m) == centre
    assert position.distance_m(place, centre) <= cell_m * 0.75  # half the diagonal, and some


@given(inhabited, st.floats(-250, 250), st.floats(-250, 250))
def test_coarse_hides_where_in_the_cell_somebody_is(
    place: Position, east_m: float, north_m: float
) -> None:
    centre = position.coarse(place)
    degree_m = math.radians(position.EARTH_RADIUS_M)
    lon = centre.lon + east_m / degree_m / math.cos(math.radians(centre.lat))
    assert position.coarse(Position(lon, centre.lat + north_m / degree_m)) == centre


def test_coarse_moves_by_more_than_200_m_on_average() -> None:
    places = [Position(7.4 + i / 3000, 43.7 + j / 3000) for i in range(100) for j in range(100)]
    moved = [position.distance_m(place, position.coarse(place)) for place in places]
    assert sum(moved) / len(moved) > 200


@given(inhabited, inhabited, st.floats(0, 1e7))
def test_near_is_what_the_distance_says(a: Position, b: Position, within_m: float) -> None:
    assert position.is_near(a, b, within_m) == (position.distance_m(a, b) <= within_m)
