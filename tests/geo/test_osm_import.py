"""One OpenStreetMap file becomes base map, addresses, facilities, AEDs and demand, or nothing."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import bourg
import psycopg
import pytest
import shapely
from psycopg.rows import namedtuple_row

from geo import basemap, coastline, dataset, osm_import, osm_places, osm_read
from geo.osm_import import ImportCounts, Target
from geo.position import Position

ORG = UUID(int=7)
Import = Callable[..., ImportCounts]


@pytest.fixture
def load(database: str, tmp_path: Path, now: datetime) -> Import:
    """Import a town into a fresh database, some days after `now`."""

    def work(place: bourg.Town, *, days: int = 0, org: UUID | None = ORG) -> ImportCounts:
        target = Target("bourg", "小镇", "Bourg", time_zone="Europe/Paris", org_id=org)
        return osm_import.import_osm(
            database, place.write(tmp_path / "town.osm"), target,
            progress=lambda _stage, _share: None, now=now + timedelta(days=days),
        )  # fmt: skip

    return work


def rows(database: str, query: str) -> list[Any]:
    with psycopg.connect(database, row_factory=namedtuple_row) as conn:
        return conn.execute(query).fetchall()  # type: ignore[call-overload]  # literals of tests


# ---- reading


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> osm_read.City:
    return osm_read.read(bourg.small_town().write(tmp_path_factory.mktemp("town") / "town.osm"))


def test_everything_drawn_is_in_the_layer_that_the_style_knows(city: osm_read.City) -> None:
    drawn = Counter((feature.drawn.layer, feature.drawn.kind) for feature in city.features)
    assert drawn == {
        ("road", "primary"): 1,
        ("road", "footway"): 1,
        ("road", "minor"): 1,
        ("rail", "rail"): 1,
        ("building", "building"): 4,
        ("green", "park"): 1,
        ("poi", "park"): 1,
        ("water", "lake"): 1,
        ("water", "sea"): 1,
        ("boundary", "country"): 1,
        ("place", "town"): 1,
    }


def test_tunnels_lie_below_and_bridges_above(city: osm_read.City) -> None:
    levels = {feature.drawn.kind: feature.level for feature in city.features}
    assert (levels["minor"], levels["primary"], levels["rail"]) == (-1, 0, 1)


def test_names_in_other_languages_are_kept_where_they_differ(city: osm_read.City) -> None:
    names = {feature.names[0]: feature.names for feature in city.features}
    assert names["中山大道"] == ("中山大道", None, "Zhongshan Avenue")
    assert names["Grande Rue"] == ("Grande Rue", None, None)


def test_a_multipolygon_keeps_its_hole(city: osm_read.City) -> None:
    lake = next(f for f in city.features if f.drawn.kind == "lake")
    shape = shapely.from_wkb(lake.shape)
    here = bourg.at(15.7, 12.7)
    assert not shape.contains(shapely.Point(here.lon, here.lat))
    assert shape.area == pytest.approx((4 - 0.25) * 1e-6, rel=1e-6)


@pytest.mark.parametrize(
    ("key", "value", "extra", "expected"),
    [
        ("building", "no", {}, None),
        ("building", "yes", {"location": "underground"}, None),
        ("highway", "footway", {}, None),
        ("highway", "pedestrian", {"area": "yes"}, ("land", "square")),
        ("leisure", "pitch", {}, ("green", "pitch")),
        ("natural", "water", {}, ("water", "lake")),
        ("amenity", "hospital", {}, None),
        ("shop", "mall", {"name": "Shops"}, None),
    ],
)
def test_what_is_filled(
    key: str, value: str, extra: dict[str, str], expected: tuple[str, str] | None
) -> None:
    drawn = basemap.area({key: value, **extra}, of_relation=False)
    assert (drawn and (drawn.layer, drawn.kind)) == expected


def test_hospitals_and_shops_get_no_label() -> None:
    for tags in ({"amenity": "hospital"}, {"shop": "bakery"}, {"tourism": "hotel"}):
        assert basemap.label({"name": "X", **tags}) is None


def test_sea_is_on_the_right_of_the_shore(city: osm_read.City) -> None:
    sea = shapely.from_wkb(next(f.shape for f in city.features if f.drawn.kind == "sea"))
    for place, is_wet in ((bourg.at(8, 1), True), (bourg.at(8, 10), False)):
        assert sea.contains(shapely.Point(place.lon, place.lat)) == is_wet


@pytest.mark.parametrize("is_island", [True, False])
def test_a_ring_of_shore_is_an_island_or_a_bay(is_island: bool) -> None:
    ring = [(4.0, 4.0), (6.0, 4.0), (6.0, 6.0), (4.0, 6.0), (4.0, 4.0)]  # anticlockwise
    shore = shapely.LineString(ring if is_island else ring[::-1])
    pieces = coastline.sea([shore], (0.0, 0.0, 10.0, 10.0))
    assert sum(piece.area for piece in pieces) == pytest.approx(96.0 if is_island else 4.0)


def test_no_shore_no_sea() -> None:
    assert coastline.sea([], (0.0, 0.0, 1.0, 1.0)) == []


def test_addresses_read_as_signs_do(city: osm_read.City) -> None:
    texts = {(entry.text, entry.kind) for entry in osm_places.entries(city)}
    assert texts == {
        ("7 Grande Rue", "address"),
        ("9 Grande Rue", "address"),
        ("中山大道12号", "address"),
        ("Grande Rue", "street"),
        ("Montée", "street"),
        ("中山大道", "street"),
        ("Hôpital Saint-Éloi", "poi"),
        ("Caserne", "poi"),
        ("Parc du Château", "poi"),
        ("Au Pain, Grande Rue", "poi"),
        ("Bourg", "place"),
    }


def test_one_name_far_apart_is_two_streets() -> None:
    here = shapely.LineString([(7.0, 43.0), (7.001, 43.0)])
    next_to_it = shapely.LineString([(7.002, 43.0), (7.003, 43.0)])
    far = shapely.LineString([(7.2, 43.0), (7.201, 43.0)])
    assert len(osm_read.street_points([here, next_to_it, far])) == 2


def test_a_file_without_bounds_takes_the_box_of_its_streets(tmp_path: Path) -> None:
    place = bourg.Town()
    place.way([(1, 1), (3, 4)], {"highway": "residential"})
    place.node(900, 900, {"place": "town", "name": "Elsewhere"})
    path = place.write(tmp_path / "town.osm")
    path.write_text(path.read_text().replace("<bounds", "<ignored"))
    low, high = bourg.at(1, 1), bourg.at(3, 4)
    assert osm_read.read(path).box == (low.lon, low.lat, high.lon, high.lat)


@pytest.mark.parametrize("content", ["", "<osm version='0.6'></osm>", "<osm><node", "PK\x03\x04"])
def test_a_file_that_is_no_map_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "town.osm"
    path.write_text(content)
    with pytest.raises(osm_read.UnreadableFile):
        osm_read.read(path)


@pytest.mark.parametrize(
    ("lon", "lat", "zone"),
    [
        (7.42, 43.73, "Europe/Monaco"),
        (114.3, 30.6, "Asia/Shanghai"),
        (87.6, 43.8, "Asia/Shanghai"),
        (-8.6, 41.1, "Europe/Lisbon"),
        (139.7, 35.6, "Asia/Tokyo"),
    ],
)
def test_the_time_zone_is_guessed_from_the_place(lon: float, lat: float, zone: str) -> None:
    assert dataset.guess_time_zone(Position(lon, lat)) == zone


# ---- loading


def test_an_import_fills_every_table(load: Import, database: str) -> None:
    counts = load(bourg.small_town())
    assert (counts.addresses, counts.facilities, counts.demand_points) == (11, 2, 4)
    assert (counts.aeds.added, counts.time_zone) == (2, "Europe/Paris")
    assert sum(counts.features.values()) == 14
    kinds = rows(database, "select kind from facility order by kind")
    assert [row.kind for row in kinds] == ["fire_station", "hospital"]
    city = rows(database, "select * from dataset")[0]
    assert city.attribution == "© OpenStreetMap contributors"
    assert (city.west, city.south, city.east, city.north) == bourg.BOX
    assert len(city.sha256) == 64


def test_geometry_is_projected_to_web_mercator(load: Import, database: str) -> None:
    load(bourg.small_town())
    found = rows(
        database,
        "select ST_X(ST_Transform(geom, 4326)) as lon, ST_Y(ST_Transform(geom, 4326)) as lat"
        " from base_feature where layer = 'place'",
    )
    here = bourg.at(9, 11)
    assert (found[0].lon, found[0].lat) == (pytest.approx(here.lon), pytest.approx(here.lat))


def test_tags_become_facts_and_what_is_missing_stays_unknown(load: Import, database: str) -> None:
    load(bourg.small_town())
    first, second = rows(database, "select * from aed order by source_ref")
    assert (first.access, first.hours) == ("public", "Mo-Fr 08:00-18:00")
    assert first.verified_at.date().isoformat() == "2026-05-01"
    assert first.source_data["tags"]["colour"] == "green"
    assert (second.access, second.hours, second.indoor) == ("unknown", None, True)
    assert {first.address, second.address} == {"Grande Rue"}
    assert (first.org_id, first.time_zone, first.is_invented) == (ORG, "Europe/Paris", False)


def test_a_second_import_changes_nothing(load: Import, database: str) -> None:
    load(bourg.small_town())
    before = rows(database, "select * from aed order by id")
    counts = load(bourg.small_town(), days=1)
    assert (counts.aeds.added, counts.aeds.changed, counts.aeds.unchanged) == (0, 0, 2)
    assert rows(database, "select * from aed order by id") == before
    assert rows(database, "select * from aed_history") == []
    assert rows(database, "select count(*) from base_feature")[0].count == 14
    assert rows(database, "select count(*) from dataset")[0].count == 1


def test_what_the_source_changed_is_taken_over_with_its_history(
    load: Import, database: str, now: datetime
) -> None:
    load(bourg.small_town())
    changed = bourg.small_town()
    changed.nodes[0] = changed.nodes[0].replace("08:00-18:00", "07:00-20:00")
    counts = load(changed, days=1)
    assert (counts.aeds.changed, counts.aeds.unchanged) == (1, 1)
    found = rows(database, "select hours, version from aed where source_ref = 'node/1'")[0]
    assert (found.hours, found.version) == ("Mo-Fr 07:00-20:00", 2)
    former = rows(database, "select version, row, at from aed_history")
    assert [(row.version, row.row["hours"]) for row in former] == [(1, "Mo-Fr 08:00-18:00")]
    assert former[0].at == now + timedelta(days=1)


def test_a_correction_made_here_survives(load: Import, database: str) -> None:
    load(bourg.small_town())
    with psycopg.connect(database) as conn:
        conn.execute("update aed set hours = '24/7', name = 'Mairie' where source_ref = 'node/1'")
    changed = bourg.small_town()
    changed.nodes[0] = changed.nodes[0].replace('v="yes"', 'v="private"')
    load(changed, days=1)
    found = rows(database, "select hours, name, access from aed where source_ref = 'node/1'")[0]
    assert (found.hours, found.name, found.access) == ("24/7", "Mairie", "private")


def test_a_device_that_left_the_source_is_withdrawn_and_may_come_back(
    load: Import, database: str
) -> None:
    load(bourg.small_town())
    without = bourg.small_town()
    without.nodes[0] = without.nodes[0].replace("defibrillator", "siren")
    assert load(without, days=1).aeds.gone == 1
    assert load(without, days=2).aeds.gone == 0
    query = "select status, version from aed where source_ref = 'node/1'"
    assert tuple(rows(database, query)[0]) == ("withdrawn", 2)
    assert load(bourg.small_town(), days=3).aeds.changed == 1
    assert tuple(rows(database, query)[0]) == ("in_service", 3)


def test_a_device_withdrawn_by_hand_stays_withdrawn(load: Import, database: str) -> None:
    load(bourg.small_town())
    with psycopg.connect(database) as conn:
        conn.execute("update aed set status = 'withdrawn' where source_ref = 'node/1'")
    load(bourg.small_town(), days=1)
    query = "select status from aed where source_ref = 'node/1'"
    assert rows(database, query)[0].status == "withdrawn"


def test_devices_of_other_sources_and_organisations_are_left_alone(
    load: Import, database: str
) -> None:
    load(bourg.small_town())
    load(bourg.small_town(), org=UUID(int=8))
    assert rows(database, "select count(*) from aed")[0].count == 4
    without = bourg.small_town()
    without.nodes[0] = without.nodes[0].replace("defibrillator", "siren")
    load(without, days=1)
    withdrawn = rows(database, "select org_id from aed where status = 'withdrawn'")
    assert [row.org_id for row in withdrawn] == [ORG]


def test_without_an_organisation_the_devices_are_left_out(load: Import, database: str) -> None:
    assert load(bourg.small_town(), org=None).aeds.added == 0
    assert rows(database, "select * from aed") == []


def test_without_buildings_each_street_piece_stands_in(load: Import, database: str) -> None:
    place = bourg.Town()
    place.way([(2, 10), (18, 10)], {"highway": "primary"})
    place.way([(2, 12), (18, 12)], {"highway": "steps"})
    place.way([(2, 13), (18, 13)], {"highway": "service"})
    assert load(place).demand_points == 1
    assert rows(database, "select kind from demand_point")[0].kind == "street"


def test_an_import_that_fails_leaves_the_city_as_it_was(load: Import, database: str) -> None:
    load(bourg.small_town())
    with psycopg.connect(database) as conn:
        conn.execute(
            "create function refuse() returns trigger language plpgsql as"
            " $$ begin raise exception 'disk full'; end $$"
        )
        conn.execute(
            "create trigger refuse before insert on demand_point execute function refuse()"
        )
    larger = bourg.small_town()
    larger.block(8, 10.2, {"building": "yes"})
    with pytest.raises(Exception, match="disk full"):
        load(larger, days=1)
    assert rows(database, "select count(*) from base_feature")[0].count == 14
    assert rows(database, "select count(*) from demand_point")[0].count == 4


def test_two_imports_do_not_meet(load: Import, database: str) -> None:
    with psycopg.connect(database) as other:
        other.execute("select pg_advisory_xact_lock(%s)", (osm_import.LOCK,))
        with pytest.raises(osm_import.ImportRunning):
            load(bourg.small_town())
    load(bourg.small_town())


@pytest.mark.real_data
def test_the_whole_of_monaco(database: str, now: datetime) -> None:
    path = Path(os.environ["GOLDEN_TEST_DATA"]) / "osm" / "monaco.osm.pbf"
    target = Target("monaco", "摩纳哥", "Monaco", org_id=uuid4())
    stages: list[str] = []
    counts = osm_import.import_osm(
        database, path, target, progress=lambda stage, _share: stages.append(stage), now=now
    )
    assert counts.time_zone == "Europe/Monaco"
    assert counts.aeds.added == 10
    assert counts.facilities == 9
    assert counts.demand_points == 1283
    assert counts.features["road"] > 2_700
    assert set(stages) == {"read", "write"}
    streets = rows(database, "select count(*) from address where kind = 'street'")[0].count
    assert streets == 242
    sea = "select count(*) from base_feature where kind = 'sea' and ST_IsValid(geom)"
    assert rows(database, sea)[0].count == 1
