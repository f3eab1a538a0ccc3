"""AED lists in every known layout: what is taken over from which column."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from aed_lists import TAIWAN, facts, one, read, reasons

from geo.aed_beside import Beside
from geo.aed_custodians import Custodian
from geo.datum import Crs
from geo.position import Position
from web.imports import aeds, mapping, sheet
from web.imports.mapping import BadMapping, Choice

TEMPLATE = Path(sheet.__file__).parent / "templates" / "aeds.csv"


def test_IMP_11_japans_standard_layout() -> None:
    row = one(
        "都道府県コード又は市区町村コード,NO,名称,住所,方書,緯度,経度,設置位置,電話番号,"
        "利用可能曜日,開始時間,終了時間,利用可能日時特記事項,小児対応設備の有無\n"
        "132195,7,狛江市役所,和泉本町1-1,防災センター2階,35.63,139.57,受付前,03-3430-1111,"
        "月火水木金,8:30,17:00,,有\n",
        "japan-standard",
    )
    assert row.source_ref == "7"
    assert row.facts["position"] == Position(139.57, 35.63)
    assert row.facts["address"] == "和泉本町1-1 防災センター2階"
    assert row.facts["hours"] == "Mo-Fr 08:30-17:00"
    assert row.facts["has_child_pads"] is True


TAKAMATSU = (
    "#property,latitude,longitude,name,address,installationPosition,telephoneNumber,"
    "availableDate,startTime,endTime,availableDateNote,equipmentForChildren\n"
)


def test_IMP_11_takamatsus_layouts_before_and_after() -> None:
    new = one(
        TAKAMATSU + "5,34.33,134.04,穴吹,藤塚町1,1階,,月火水木金土日,"
        "1899-12-30T09:00:00.000Z,1899-12-30T21:00:00.000Z,学校開校日に随時,有\n",
        "takamatsu-2023",
    )
    assert new.facts["hours"] is None
    assert new.facts["hours_note"] == "月火水木金土日 09:00-21:00 学校開校日に随時"
    old = one(
        "#LINK,,,,,,,,,,\n#lang,ja,,,,,,,,,\n#property,name,address,installationPosition,location,"
        "telephoneNumber,availableDate,startTime,endTime,availableDateNote,equipmentForChildren\n"
        '5,穴吹,藤塚町1,1階,"34.33,134.04",,,,,,\n',
        "takamatsu-old",
    )
    assert (old.number, old.source_ref) == (4, new.source_ref)
    assert old.facts["position"] == new.facts["position"] == Position(134.04, 34.33)


def test_IMP_11_urasoe_and_kobe() -> None:
    urasoe = one(
        "NO.,施設名,郵便番号,住所,電話番号,FAX,E-MAIL,緯度,経度,URL\n"
        "1,浦添市役所,901-2501,浦添市安波茶1-1-1,098-876-1234,,a@b.jp,26.24,127.72,\n",
        "urasoe",
        codec="cp932",
    )
    assert urasoe.facts["phone"] == "098-876-1234"
    assert "a@b.jp" not in str(urasoe.facts), "a column that is no field is not kept"
    table = one(
        "number,name,zipcode,area,location,lat,lng,category,note\n"
        "10,東灘区役所,658,東灘区,神戸市東灘区住吉東町5,34.72,135.26,官公庁,24時間利用可\n",
        "kobe",
    )
    markers = one(
        '<markers><marker number="4" area="東灘区" name="東灘区役所" zipcode="658" location="住吉" '
        'category="官公庁" lat="34.72" lng="135.26" note="24時間対応"/></markers>',
        "kobe",
    )
    assert table.facts["hours"] == markers.facts["hours"] == "24/7"
    assert table.source_ref is None, "its numbers begin anew in each ward"


def test_IMP_11_taiwan_before_and_now() -> None:
    old = one(TAIWAN, "taiwan-2014")
    assert old.facts["position"] == Position(120.335807, 22.731406)
    assert old.facts["location_note"] == "一樓 入口; 左側"
    assert old.facts["hours"] == "Mo-Fr 08:00-17:30; Sa-Su unknown"
    now = one(
        "場所ID,場所名稱,場所縣市,場所區域,場所地址,場所分類,場所類型,場所描述,AEDID,AED放置地點,"
        "AED地點描述,地點LAT,地點LNG,周一至周五起,周一至周五迄,周六起,周六迄,周日起,周日迄,"
        "開放使用時間備註,開放時間緊急連絡電話\n"
        "1,甲,高雄市,楠梓區,興楠路180號,其他,法院,EMPTY,900,大廳,EMPTY,22.731406,120.335807,"
        "08:00:00,17:30:00,,,,,EMPTY,07-3573793\n",
        "taiwan",
    )
    assert now.source_ref == "900"
    assert now.facts["address"] == old.facts["address"]
    assert now.facts["hours"] == old.facts["hours"]
    assert now.facts["hours_note"] is None


def test_IMP_11_openstreetmap_tags() -> None:
    row = one(
        "@id,@type,@lat,@lon,name,opening_hours,access,indoor,defibrillator:location\n"
        "13382096333,node,45.5161504,13.5776606,,24/7,customers,no,outside\n",
        "osm-tags",
    )
    assert (row.source_ref, row.facts["name"]) == ("node/13382096333", "AED")
    assert (row.facts["hours"], row.facts["indoor"]) == ("24/7", False)
    assert (row.facts["access"], row.facts["hours_note"]) == ("public", "customers")
    found = read("@id,@lat,@lon,betreiber,level\n5,45.5,13.5,RK,2\n")
    profile = mapping.guess(found, "aeds")
    told = mapping.with_columns(profile, "aeds", {"donor": "betreiber", "name": "betreiber"}, found)
    said = aeds.facts(found, told, Crs.WGS84)[0][0].facts
    assert (said["name"], said["donor"], said["floor"]) == ("RK", "RK", "2")
    _, refused, _ = facts(
        '{"type":"FeatureCollection","features":[{"type":"Feature","id":"node/5","properties":'
        '{"emergency":"phone"},"geometry":{"type":"Point","coordinates":[13.5,45.5]}}]}',
        "osm-features",
    )
    assert "no defibrillator" in reasons(refused)[1]


def test_IMP_11_slovene_lists_one_of_them_without_places() -> None:
    row = one("Opis;delovni čas;longitude;latitude\nObčina;dostopni 24 ur;15.59;45.90\n", "brezice")
    assert (row.facts["hours"], row.facts["position"]) == ("24/7", Position(15.59, 45.9))
    rows, rejected, _ = facts(
        "LOKACIJA DEFIBRILATORJA,NASLOV LOKACIJE\nGasilski dom,Braslovče 43a\n", "braslovce"
    )
    assert not rows
    assert "Gasilski dom: no coordinates; add longitude and latitude" in reasons(rejected)[2]
    assert "缺少坐标" in reasons(rejected)[2]


def test_IMP_11_our_own_county_sheet() -> None:
    row = one(
        "设备编号,场所名称,详细地址,室内,经度,纬度,开放范围,开放时间,箱柜,状态,"
        "成人电极片有效期,安装日期,来源方式,巡检周期,最近核查\n"
        "F-1,王家坝卫生院,王家坝镇12号,是,115.6,32.4,公众,周一至周五 8:00-17:30,密码箱,正常,"
        "2027年5月,2024/3/1,捐赠,30天,2026-11-01\n",
        "county-zh",
        codec="gb18030",
    )
    expected = {
        "indoor": True,
        "access": "public",
        "hours": "Mo-Fr 08:00-17:30",
        "cabinet": "code",
        "status": "in_service",
        "pads_expire_on": date(2027, 5, 31),
        "installed_on": date(2024, 3, 1),
        "acquired": "donation",
        "check_every_days": 30,
        "verified_at": datetime(2026, 11, 1, tzinfo=UTC),
    }
    assert {name: row.facts[name] for name in expected} == expected
    assert "floor" not in row.facts, "a column that is not there says nothing"


def test_IMP_14_custodians_and_code_are_columns_under_many_names() -> None:
    ours = one(
        "场所名称,经度,纬度,箱柜密码,第一责任人,第一责任人单位,第一责任人电话,第一责任人邮箱,"
        "第二责任人,第二责任人电话\n甲,115.6,32.4,0042,张三,卫生院,13800000000,z@example.org,,\n",
        "county-zh",
    )
    assert ours.beside == Beside(
        (Custodian(1, "卫生院", "张三", "13800000000", "z@example.org"),), "0042"
    )
    assert "0042" not in repr(ours)
    assert not {"cabinet_code", "custodian_1_name"} & ours.facts.keys()
    theirs = one(
        "安装地点,场所名称,经度,纬度,柜门密码,管理单位,负责人电话,备用联系人\n"
        "门厅,甲,115.6,32.4,A#7,保卫科,0558-1,李四\n",
        "county-zh",
    )
    assert theirs.beside.code == "A#7"
    assert theirs.beside.custodians == (
        Custodian(1, "保卫科", "保卫科", "0558-1", None),
        Custodian(2, None, "李四", None, None),
    )
    assert one("name,lon,lat,Lock code\n甲,1,2,99\n", "guessed").beside.code == "99"
    assert not one("场所名称,经度,纬度,箱柜密码,第一责任人\n甲,1,2,,\n").beside


def test_IMP_14_a_cell_beside_the_record_is_refused_without_quoting_the_code() -> None:
    secret = "7391" * 11
    _, rejected, _ = facts(
        f"场所名称,经度,纬度,箱柜密码,第一责任人电话\n甲,115.6,32.4,{secret},\n乙,115.6,32.41,,138\n"
    )
    said = reasons(rejected)
    assert "44 characters; at most 40" in said[2]
    assert "7391" not in said[2]
    assert "custodian 1 has neither name nor unit" in said[3]


def test_IMP_11_a_layout_is_chosen_over_the_guess() -> None:
    found = read("场所名称,经度,纬度,单位名称\n甲,115.6,32.4,卫生院\n")
    headers = mapping.find(found, "aeds", Choice("guessed"))
    assert headers is not None
    assert (headers.name, headers.columns["name"]) == ("guessed", "场所名称")
    kept = Choice("镇表", {"name": "单位名称", "lat": "没有", "lon": ()})
    ours = mapping.find(found, "aeds", kept)
    assert ours is not None
    assert (ours.columns["name"], ours.columns["lat"]) == ("单位名称", "纬度")
    assert "lon" not in ours.columns
    assert mapping.lacking(found, kept) == ["没有"]
    taiwan = mapping.find(found, "aeds", Choice("taiwan"))
    assert taiwan is not None
    assert [field.name for field in mapping.missing(taiwan, found)] == ["name"]
    with pytest.raises(BadMapping, match="no layout"):
        mapping.find(found, "aeds", Choice("none"))


def test_IMP_11_the_template_has_our_headers_and_an_example_that_never_comes_in() -> None:
    found = sheet.read(TEMPLATE.read_bytes(), "aeds.csv")
    profile = mapping.guess(found, "aeds")
    assert profile is not None
    assert profile.name == "county-zh"
    assert set(found.columns) <= profile.named()
    rows, rejected, _ = aeds.facts(found, profile, Crs.WGS84)
    assert not rows
    assert "example of the template; delete it" in reasons(rejected)[2]
    live = TEMPLATE.read_text("utf-8-sig").replace("示例：", "")
    assert one(live).facts["hours"] == "Mo-Fr 08:00-17:30"


def test_IMP_11_other_lists_are_known_by_their_headers_or_mapped_by_hand() -> None:
    guessed = mapping.guess(read("Name (必填),LONG,Lat.,Opening Hours\n甲,1,2,24/7\n"), "aeds")
    assert guessed is not None
    assert guessed.columns == {
        "name": "Name (必填)", "lon": "LONG", "lat": "Lat.", "hours": "Opening Hours",
    }  # fmt: skip
    found = read("wo,rechts,hoch\n甲,1,2\n")
    assert mapping.guess(found, "aeds") is None
    told = mapping.parse(["name=wo", "lon=rechts", "lat=hoch"])
    profile = mapping.with_columns(None, "aeds", told, found)
    assert mapping.missing(profile, found) == []
    assert aeds.facts(found, profile, Crs.WGS84)[0][0].facts["position"] == Position(1, 2)
    bare = mapping.with_columns(None, "aeds", {"lon": "rechts"}, found)
    assert [field.name for field in mapping.missing(bare, found)] == ["name"]


@pytest.mark.parametrize(
    ("pair", "word"),
    [("name", "field=column"), ("nmae=wo", "no field 'nmae'"), ("name=was", "no column 'was'")],
)
def test_IMP_11_a_mapping_that_cannot_be_names_what_there_is(pair: str, word: str) -> None:
    with pytest.raises(BadMapping, match=word):
        mapping.with_columns(None, "aeds", mapping.parse([pair]), read("wo,x\n甲,1\n"))
