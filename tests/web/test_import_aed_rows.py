"""Rows of AED lists: places as people write them, what is refused and why, what comes back."""

from __future__ import annotations

import csv
import io

import pytest
from aed_lists import COUNTY, TAIWAN, facts, one, read, reasons

from geo.datum import Crs
from web.imports import aed_files, aeds, mapping, sheet


@pytest.mark.parametrize(
    ("cells", "place"),
    [
        ("115.6,32.4", (115.6, 32.4)),
        ('"115,6","32,4"', (115.6, 32.4)),
        ("１１５．６,３２．４", (115.6, 32.4)),
        ("115°36'00\"E,32°24′N", (115.6, 32.4)),
        ("东经115度36分,北纬32.4度", (115.6, 32.4)),
        ("43°10'W,22.9°S", (-43 - 10 / 60, -22.9)),
    ],
)
def test_IMP_3_coordinates_as_people_write_them(cells: str, place: tuple[float, float]) -> None:
    found = one(f"{COUNTY}\n甲,{cells}\n").facts["position"]
    assert (found.lon, found.lat) == pytest.approx(place)


@pytest.mark.parametrize(
    ("header", "cells", "word"),
    [
        ("", ",1,2", "name of the place is missing"),
        ("", "甲,,2", "longitude is missing"),
        ("", "甲,1,", "latitude is missing"),
        ("", "甲,,", "no coordinates"),
        ("", "甲,abc,2", "'abc' is no number"),
        ("", "甲,nan,2", "'nan' is no number"),
        ("", "甲,200,2", "no position on the Earth"),
        ("", "甲,0,0", "no position on the Earth"),
        (",成人电极片有效期", "甲,1,2,2026-13-45", "no date; write 2026-05-31"),
        (",室内", "甲,1,2,也许", "neither yes nor no"),
        (",状态", "甲,1,2,??", "one of: in_service/正常"),
        (",巡检周期", "甲,1,2,0", "no number of days"),
        (",楼层", f"甲,1,2,{'长' * 300}", "at most 200"),
        (",室内,状态", "甲,x,2,也许,??", "no number.*; .*neither yes nor no.*; .*unknown"),
    ],
)
def test_IMP_3_a_row_that_cannot_be_used_is_named_with_all_reasons(
    header: str, cells: str, word: str
) -> None:
    found = read(f"{COUNTY}{header}\n{cells}\n")
    profile = mapping.guess(found, "aeds")
    assert profile is not None
    rows, rejected, _ = aeds.facts(found, profile, Crs.WGS84)
    assert not rows
    with pytest.raises(AssertionError, match=word):
        raise AssertionError(reasons(rejected)[2].partition(" 甲：")[0])
    assert any(sign >= "\u4e00" for sign in rejected[0].reason.zh)


def town(*more: str) -> str:
    """List twenty places within a kilometre, and then some."""
    rows = [
        f"地点{n},{115.6003 + n * 0.0007:.4f},{32.4003 + (n * 7 % 20) * 0.0007:.4f}"
        for n in range(20)
    ]
    return "\n".join([COUNTY, *rows, *more, ""])


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("坏,1156012,32.4012", "decimal point is lost.*probably 115.6012, 32.4012"),
        ("坏,32.4012,115.6012", "swapped; probably 115.6012, 32.4012"),
        ("坏,115.6012,34.9", "far from all other rows"),
        ("坏,512.6,32.4", "no position on the Earth"),
    ],
)
def test_IMP_4_a_position_that_cannot_be_right_is_refused_with_what_it_may_be(
    row: str, word: str
) -> None:
    rows, rejected, _ = facts(town(row))
    assert len(rows) == 20
    with pytest.raises(AssertionError, match=f"坏: .*{word}"):
        raise AssertionError(reasons(rejected)[22])


def test_IMP_4_a_far_row_is_taken_once_somebody_has_looked() -> None:
    found = read(town("远岛卫生院,115.6012,34.9"))
    profile = mapping.guess(found, "aeds")
    assert profile is not None
    rows, rejected, warnings = aeds.facts(found, profile, Crs.WGS84, is_far_fine=True)
    assert (len(rows), rejected) == (21, [])
    assert [(each.code, each.rows) for each in warnings] == [("far_outlier", (22,))]


def test_IMP_4_a_place_that_is_said_twice_and_differently_is_warned_of() -> None:
    other = TAIWAN.replace("(120.335807,22.731406)", "(120.345807,22.731406)").replace("甲", "乙")
    _, _, warnings = facts(TAIWAN + other, "taiwan-2014")
    assert [(each.code, each.rows) for each in warnings] == [("two_places", (2,))]


def test_IMP_3_the_same_row_again_is_refused_and_a_double_number_is_warned_of() -> None:
    header = "设备编号,场所名称,经度,纬度\n"
    rows, rejected, warnings = facts(
        header + "1,甲,115.6,32.4\n1,乙,115.61,32.4\n1,甲,115.6,32.4\n"
    )
    assert [row.number for row in rows] == [2, 3]
    assert "甲: the same as row 2; delete one" in reasons(rejected)[4]
    assert [(each.code, each.rows) for each in warnings] == [("double_id", (2, 3))]


def test_IMP_8_the_registry_gets_wgs84_and_keeps_what_the_list_said() -> None:
    rows, _, _ = facts(f"{COUNTY}\n甲,114.30556,30.59\n", crs=Crs.GCJ02)
    said = rows[0].facts
    assert (said["source_crs"], said["raw_lon"], said["raw_lat"]) == ("gcj02", 114.30556, 30.59)
    assert 0.004 < 114.30556 - said["position"].lon < 0.007
    assert said["position_method"] == "import"


def test_IMP_10_cells_that_a_spreadsheet_would_run_come_back_as_they_were() -> None:
    columns = dict.fromkeys(aed_files.aed_columns.EXPORTED)
    odd = ["=1+1", "'=x", "+86 10", "-", "@a", 'a"b,c', "two\nlines", "示例"]
    row = {**columns, "lon": 1.5, "lat": 2.5, "source": "list", "is_invented": False}
    rows = [{**row, "id": f"{n:032x}", "name": text} for n, text in enumerate(odd)]
    content = aed_files.as_csv(rows)
    first = next(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert first["name"] == "'=1+1"
    for written in (content, aed_files.as_geojson(rows)):
        found = sheet.read(written, "a")
        profile = mapping.guess(found, "aeds")
        assert profile is not None
        assert profile.name == "golden"
        back, rejected, _ = aeds.facts(found, profile, Crs.WGS84)
        assert not rejected
        assert [entry.facts["name"] for entry in back] == odd
