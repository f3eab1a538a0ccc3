"""Broken positions planted in lists, and those of real registries."""

import csv
import os
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from geo import datum, place_check
from geo.datum import Crs
from geo.place_check import Code, Point
from geo.position import Position

RAW = Crs.WGS84


def town(count: int, *, seed: int = 1, spread: float = 0.06) -> list[Point]:
    """Make a list round Jingzhou, as it should be."""
    rng = random.Random(seed)
    return [
        (row, round(rng.gauss(112.24, spread), 6), round(rng.gauss(30.33, spread), 6))
        for row in range(1, count + 1)
    ]


def test_HRS_6_nothing_is_wrong_with_a_sound_list() -> None:
    points = town(500)
    names = {row: f"Site {row}" for row, _, _ in points}
    assert place_check.check(points, crs=RAW, names=names) == []


@pytest.mark.parametrize(
    ("spoilt", "code", "mend"),
    [
        ((30.331, 112.244), Code.SWAPPED, (112.244, 30.331)),
        ((112244131.0, 30.331), Code.DECIMAL_LOST, (112.244131, 30.331)),
        ((112.244, 303316.0), Code.DECIMAL_LOST, (112.244, 30.3316)),
        ((112244131.0, 30331555.0), Code.DECIMAL_LOST, (112.244131, 30.331555)),
        ((11.2244, 30.331), Code.DECIMAL_LOST, (112.244, 30.331)),
        ((1112.24413, 30.331), Code.DECIMAL_LOST, (112.24413, 30.331)),
        ((30.331, 90.0), Code.SWAPPED, None),
        ((0.0, 0.0), Code.OUT_OF_RANGE, None),
        ((200.5, 30.331), Code.OUT_OF_RANGE, None),
        ((float("nan"), 30.331), Code.OUT_OF_RANGE, None),
        ((float("inf"), 30.331), Code.OUT_OF_RANGE, None),
        ((116.4, 39.9), Code.FAR_OUTLIER, None),
        ((113.24, 30.33), Code.FAR_OUTLIER, None),
    ],
)
def test_HRS_6_a_broken_position_is_named_and_mended(
    spoilt: tuple[float, float], code: Code, mend: tuple[float, float] | None
) -> None:
    points = [*town(200), (999, *spoilt)]
    (found,) = place_check.check(points, crs=RAW)
    assert (found.code, found.rows) == (code, (999,))
    assert found.mends == (() if mend is None else ((999, *mend),))
    assert (found.proposal is None) == (mend is None)
    assert found.text.startswith("Row 999: longitude ")


def test_HRS_6_an_island_of_many_is_no_slip() -> None:
    island = [(1000 + row, lon + 3.0, lat) for row, lon, lat in town(12, seed=2, spread=0.02)]
    assert place_check.check([*town(500), *island], crs=RAW) == []


def test_HRS_6_many_swapped_rows_are_still_swapped() -> None:
    # In Slovenia both ways round are possible degrees.
    rng = random.Random(3)
    points = [(row, rng.uniform(13.6, 16.4), rng.uniform(45.5, 46.7)) for row in range(400)]
    swapped = [(row + 1000, lat, lon) for row, lon, lat in points[:30]]
    found = place_check.check([*points, *swapped], crs=RAW)
    assert {finding.code for finding in found} == {Code.SWAPPED}
    assert len(found) == 30


def test_HRS_6_few_points_are_only_checked_for_their_range() -> None:
    points = [(1, 112.2, 30.3), (2, 30.3, 112.2), (3, 121.5, 31.2)]
    (found,) = place_check.check(points, crs=RAW)
    assert (found.code, found.rows) == (Code.OUT_OF_RANGE, (2,))


@pytest.mark.parametrize(("count", "code"), [(3, Code.PILE_UP), (9, Code.CENTROID)])
def test_HRS_7_several_names_on_one_spot_are_told(count: int, code: Code) -> None:
    pile = [(900 + n, 112.241234, 30.331234) for n in range(count)]
    names = {row: f"School {row}" for row, _, _ in pile}
    (found,) = place_check.check([*town(100), *pile], crs=RAW, names=names)
    assert (found.code, found.rows) == (code, tuple(names))
    # One name with several devices is a building.
    same = dict.fromkeys(names, "Station")
    details = {row: f"Floor {row}" for row in names}
    assert place_check.check([*town(100), *pile], crs=RAW, names=same, details=details) == []


def test_HRS_7_one_device_twice_is_told() -> None:
    points = town(100)
    row, lon, lat = points[0]
    names = {1: "City hall", 101: "City  hall", 102: "City hall"}
    twice = [(101, lon, lat + 0.00002), (102, lon, lat + 0.01)]
    (found,) = place_check.check([*points, *twice], crs=RAW, names=names)
    assert (found.code, found.rows) == (Code.DUPLICATE, (row, 101))


def test_HRS_7_rounded_positions_are_told() -> None:
    coarse = [(900, 112.24, 30.33), (901, 112.241, 30.332)]
    (found,) = place_check.check([*town(100), *coarse], crs=RAW)
    assert (found.code, found.rows) == (Code.CENTROID, (900, 901))


def test_HRS_6_of_fifty_planted_faults_nearly_all_are_found_and_hardly_any_invented() -> None:
    # R4 of the product's requirements: at least 95 % found, at most 2 % false.
    points = town(1000, seed=5)
    names = {row: f"Site {row}" for row, _, _ in points}
    rng = random.Random(6)
    victims = rng.sample(range(1000), 50)
    faults: list[Callable[[float, float], tuple[float, float]]] = [
        lambda lon, lat: (lat, lon),
        lambda lon, lat: (round(lon * 1e6), lat),
        lambda lon, lat: (lon, round(lat * 1e5)),
        lambda lon, lat: (lon / 10, lat),
        lambda lon, lat: (lon + rng.choice((-1.1, 0.9)), lat),
        lambda lon, lat: (lon, lat + rng.choice((-0.8, 1.3))),
        lambda _lon, _lat: (112.239999, 30.326111),  # the middle of the district
        lambda lon, lat: (round(lon, 2), round(lat, 2)),
        lambda _lon, _lat: (0.0, 0.0),
        lambda lon, lat: (lon * 10, lat),
    ]
    for n, victim in enumerate(victims):
        row, lon, lat = points[victim]
        points[victim] = (row, *faults[n % len(faults)](lon, lat))
    found = {row for f in place_check.check(points, crs=RAW, names=names) for row in f.rows}
    planted = {victim + 1 for victim in victims}
    assert len(found & planted) >= 0.95 * 50
    assert len(found - planted) <= 0.02 * 1000
    assert len(found - planted) <= 0.02 * len(found)


@pytest.mark.parametrize("told", list(Crs))
@pytest.mark.parametrize("true", list(Crs))
def test_DAT_4_a_list_in_another_datum_is_told(told: Crs, true: Crs) -> None:
    rng = random.Random(7)
    points, references = [], {}
    for row, lon, lat in town(60):
        points.append((row, *datum.from_wgs84(lon, lat, true)))
        # Addresses are found some 200 m beside the door.
        references[row] = Position(lon + rng.gauss(0, 0.002), lat + rng.gauss(0, 0.002))
    found = place_check.check(points, crs=told, references=references)
    if told is true:
        assert found == []
        return
    assert [(f.code, f.crs, f.proposal) for f in found] == [
        (Code(f"looks_{true}"), true, f"crs {true}")
    ]


def test_DAT_4_few_references_or_none_in_the_mainland_prove_nothing() -> None:
    points = [(row, *datum.from_wgs84(lon, lat, Crs.GCJ02)) for row, lon, lat in town(60)]
    known = {row: Position(lon, lat) for row, lon, lat in town(60)}
    few = dict(list(known.items())[:4])
    assert place_check.check(points, crs=RAW, references=few) == []
    seoul = [(row, lon + 14.74, lat + 7.24) for row, lon, lat in town(60)]
    beside = {row: Position(lon + 0.005, lat) for row, lon, lat in seoul}
    assert place_check.check(seoul, crs=RAW, references=beside) == []


def registry(name: str, **options: str) -> list[list[str]]:
    path = Path(os.environ["GOLDEN_TEST_DATA"]) / "aed" / name
    with path.open(encoding=options.get("encoding", "utf-8"), newline="") as file:
        return list(csv.reader(file))


@pytest.mark.real_data
def test_HRS_6_the_five_broken_positions_of_takamatsu_are_named() -> None:
    rows = registry("takamatsu_aed_2023.csv")[1:]
    points = [(int(row[0]), float(row[2]), float(row[1])) for row in rows]
    found = place_check.check(points, crs=RAW)
    assert {finding.rows[0]: (finding.code, finding.mends) for finding in found} == {
        203: (Code.DECIMAL_LOST, ((203, 134.08137, 34.17569),)),
        526: (Code.DECIMAL_LOST, ((526, 134.09898, 34.35845),)),
        150: (Code.DECIMAL_LOST, ((150, 134.00556, 34.32856),)),
        128: (Code.FAR_OUTLIER, ()),
        31: (Code.FAR_OUTLIER, ()),
    }


@pytest.mark.real_data
def test_HRS_6_the_broken_positions_of_taiwan_are_named() -> None:
    points = []
    for number, row in enumerate(registry("taiwan_2014.csv"), start=1):
        lon, lat = re.findall(r"\d+\.\d+", row[2])
        points.append((number, float(lon), float(lat)))
    found = place_check.check(points, crs=RAW)
    assert {finding.rows[0]: finding.code for finding in found if len(finding.rows) == 1} == {
        476: Code.SWAPPED,  # 24.327870, 90.000000
        821: Code.FAR_OUTLIER,  # an islet 240 km out at sea
    }


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "encoding", "lon", "lat"),
    [
        ("kobe_aed.csv", "utf-8", 6, 5),
        ("komae_aed.csv", "utf-8", 9, 8),
        ("urasoe_aed_sjis.csv", "cp932", 8, 7),
        ("slovenia_osm_aed.csv", "utf-8", 3, 2),
    ],
)
def test_HRS_6_nothing_is_wrong_with_the_places_of_sound_registries(
    name: str, encoding: str, lon: int, lat: int
) -> None:
    rows = registry(name, encoding=encoding)[1:]
    columns = (6, 5) if name.startswith("kobe") else (lon, lat)
    points = [
        (n, float(row[columns[0]]), float(row[columns[1]]))
        for n, row in enumerate(rows)
        if row[columns[0]]
    ]
    broken = {Code.SWAPPED, Code.DECIMAL_LOST, Code.OUT_OF_RANGE, Code.FAR_OUTLIER}
    assert not [f for f in place_check.check(points, crs=RAW) if f.code in broken]
