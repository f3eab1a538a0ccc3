"""Sheets in every format and encoding become the same rows, and wrong files say what to do."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from web.imports import bounds, encoding, sheet, workbook
from web.imports.sheet import Sheet, Unreadable

CHINESE = "名称,地址,经度,纬度\n王家坝卫生院,阜南县王家坝镇12号,115.6,32.4\n"


def read(text: str, codec: str = "utf-8", name: str = "list.csv") -> Sheet:
    return sheet.read(text.encode(codec), name)


def cells(found: Sheet) -> list[list[str]]:
    return [list(row.cells.values()) for row in found.rows]


@pytest.mark.parametrize(
    ("text", "codec", "name"),
    [
        (CHINESE, "utf-8", "UTF-8"),
        (CHINESE, "utf-8-sig", "UTF-8 with BOM"),
        (CHINESE, "utf-16", "UTF-16"),
        (CHINESE, "gbk", "GB18030"),
        (CHINESE + "㐀㐁村,𠀀,1,2\n", "gb18030", "GB18030"),
        ("名称\n人民医院\n", "gbk", "GB18030"),
        ("姓名,电话\n刘桂芳,1\n", "gbk", "GB18030"),
        ("name\n广场\n", "gbk", "GB18030"),
        ("名稱,地址\n國立交通大學,新竹市東區大學路1001號\n", "big5", "Big5"),
        ("name\n臺北車站\n", "big5", "Big5"),
        ("施設名,住所\n浦添市役所,浦添市安波茶1-1-1\n", "cp932", "Shift_JIS"),
        ("name\nカウンター\n", "shift_jis", "Shift_JIS"),
        ("名称_カナ\nｺﾏｴｼﾔｸｼｮ 狛江市役所\n", "cp932", "Shift_JIS"),
        ("설치장소,주소\n서울역,서울특별시 중구\n", "euc-kr", "EUC-KR"),
        ("name\n김철수\n", "euc-kr", "EUC-KR"),
        ("Opis;delovni čas\nObčina Brežice;dostopni 24 ur\n", "cp1250", "windows-1250"),
    ],
)
def test_IMP_1_the_encoding_is_found_even_in_short_lists(text: str, codec: str, name: str) -> None:
    decoded, found = encoding.decode(text.encode(codec))
    assert (decoded.removeprefix("\ufeff"), found) == (text, name)


def test_IMP_1_a_named_encoding_is_taken_at_its_word() -> None:
    content = "name\n广场\n".encode("gbk")
    assert sheet.read(content, "a.csv", encoding="gb2312").rows[0].cells == {"name": "广场"}
    with pytest.raises(Unreadable, match="no known encoding"):
        sheet.read(content, "a.csv", encoding="klingon")
    with pytest.raises(Unreadable, match="Line 2 holds bytes that are not utf-8"):
        sheet.read(content, "a.csv", encoding="utf-8")


def test_IMP_2_one_broken_byte_in_utf8_is_not_read_as_another_encoding() -> None:
    content = ("名称,地址\n" + "人民医院,中山大道12号\n" * 20).encode()
    with pytest.raises(Unreadable, match="Line 2 holds bytes that are not UTF-8"):
        sheet.read(content.replace("民".encode(), b"\xe6\xb0", 1), "a.csv")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("name,lon\n甲,1\n乙,2\n", "CSV"),
        ("name;lon\n甲;1\n乙;2\n", "CSV"),
        ("name\tlon\n甲\t1\n乙\t2\n", "TSV"),
        ("name|lon\r\n甲|1\r\n乙|2\r\n", "CSV"),
        ("sep=;\nname;lon\n甲;1\n乙;2\n", "CSV"),
        ('"name","lon"\n"甲","1"\n\n\n"乙","2"\n', "CSV"),
    ],
)
def test_IMP_1_whatever_parts_the_columns(text: str, kind: str) -> None:
    found = read(text)
    assert (found.format, found.columns) == (kind, ("name", "lon"))
    assert cells(found) == [["甲", "1"], ["乙", "2"]]


def test_IMP_1_rows_are_numbered_as_a_spreadsheet_numbers_them() -> None:
    found = read('name,note\n甲,"two\nlines"\n\n乙,x\n')
    assert [row.number for row in found.rows] == [2, 4]
    assert found.rows[0].cells["note"] == "two\nlines"


def test_IMP_1_titles_and_comments_may_stand_before_the_header() -> None:
    titled = read("阜南县AED一览表,,\n,,\n编号,名称,经度\n1,甲,115.6\n")
    assert titled.columns == ("编号", "名称", "经度")
    assert titled.rows[0].number == 4
    link_data = read(
        "#LINK,,\n#lang,ja,\n#property,name,location\n#object_type_xsd,string,string\n"
        '1,甲,"34.3,134.0"\n2,乙,"34.4,134.1"\n'
    )
    assert link_data.columns == ("#property", "name", "location")
    assert [row.number for row in link_data.rows] == [5, 6]


def test_IMP_1_a_list_without_header_gets_numbers_for_names() -> None:
    found = read('甲,"( 120.3,22.7 )",07-357\n乙,"( 120.2,22.9 )",07-358\n')
    assert found.columns == ("1", "2", "3")
    assert [row.number for row in found.rows] == [1, 2]


def test_IMP_1_columns_without_or_with_one_name_are_told_apart() -> None:
    found = read("name,,name\n甲,x,y\n乙,x,y\n")
    assert found.columns == ("name", "2", "name (2)")


def test_IMP_3_a_cell_too_many_is_not_pushed_into_the_next_column() -> None:
    found = read("name,lon,lat\n" + "甲,1,2\n" * 9 + "a,b,1,2\n")
    assert [row.surplus for row in found.rows if row.surplus] == [("2",)]
    assert found.rows[-1].number == 11


def book(rows: Sequence[Sequence[object]], **formats: str) -> bytes:
    """Write a workbook with a cover sheet that is shorter than the list."""
    file = openpyxl.Workbook()
    assert file.active is not None
    file.active.append(["填表说明"])
    page = file.create_sheet("名册")
    for row in rows:
        page.append(list(row))
    for letter, number_format in formats.items():
        for cell in page[letter]:
            cell.number_format = number_format
    hidden = file.create_sheet("old")
    hidden.sheet_state = "hidden"
    for _ in range(50):
        hidden.append(["x", "y"])
    content = io.BytesIO()
    file.save(content)
    return content.getvalue()


def test_IMP_1_a_workbook_says_what_people_see_in_it() -> None:
    moment = datetime.fromisoformat("2027-05-31")
    rows: list[list[object]] = [
        [],
        ["名称", "数量", "经度", "有效期", "开", "编码", "儿童", "时长"],
        ["甲", 3.0, 115.60000000000001, moment, time(8, 30), 420, True, timedelta(hours=26)],
        ["乙", 4, None, date(2027, 6, 1), moment.replace(hour=8, minute=5), 7, False, "#N/A"],
    ]  # fmt: skip
    found = sheet.read(book(rows, F="0000"), "名册.xlsx")
    assert (found.format, found.columns) == ("XLSX", tuple(rows[1]))
    assert [row.number for row in found.rows] == [3, 4]
    assert cells(found) == [
        ["甲", "3", "115.6", "2027-05-31", "08:30", "0420", "TRUE", "26:00"],
        ["乙", "4", "", "2027-06-01", "2027-05-31 08:05", "0007", "FALSE"],
    ]


def test_IMP_1_a_second_list_in_a_workbook_is_named() -> None:
    file = openpyxl.Workbook()
    for town, size in (("城关镇", 3), ("南华镇", 2)):
        page = file.create_sheet(town)
        for line in range(size + 1):
            page.append([f"名称{line}", f"地址{line}"])
    content = io.BytesIO()
    file.save(content)
    found = sheet.read(content.getvalue(), "a.xlsx")
    assert (len(found.rows), found.left_out) == (3, ("南华镇",))


def test_IMP_1_rows_that_hold_only_formats_do_not_count() -> None:
    file = openpyxl.Workbook()
    page = file.active
    assert page is not None
    page.append(["name", "lon"])
    page.append(["甲", 1])
    page.cell(5000, 2).number_format = "0.00"
    page[f"{get_column_letter(900)}2"].number_format = "0.00"
    content = io.BytesIO()
    file.save(content)
    assert cells(sheet.read(content.getvalue(), "a.xlsx")) == [["甲", "1"]]


def test_IMP_1_geojson_gives_properties_and_place() -> None:
    features = [
        {
            "type": "Feature",
            "id": "node/1",
            "geometry": {"type": "Point", "coordinates": [15.59267, 45.9038, 160.0]},
            "properties": {"name": "甲", "indoor": True, "level": 2, "tags": ["a", "b"], "x": None},
        },
        {"type": "Feature", "geometry": None, "properties": {"name": "乙"}},
    ]
    found = read(json.dumps({"type": "FeatureCollection", "features": features}), name="a.geojson")
    assert found.format == "GeoJSON"
    assert found.rows[0].cells == {
        "@id": "node/1", "name": "甲", "indoor": "TRUE", "level": "2", "tags": "a; b", "x": "",
        "lon": "15.59267", "lat": "45.9038",
    }  # fmt: skip
    assert found.rows[1].cells == {"name": "乙"}


def test_IMP_1_json_rows_of_an_interface_are_a_list_too() -> None:
    found = read(json.dumps({"total": 1, "data": [{"名称": "甲", "经度": 115.6}]}))
    assert (found.format, cells(found)) == ("JSON", [["甲", "115.6"]])


KML = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder>
<Placemark id="p1"><name>甲</name><description><![CDATA[一楼<br>大厅]]></description>
<ExtendedData><Data name="phone"><value>07-357</value></Data>
<SchemaData><SimpleData name="floor">2</SimpleData></SchemaData></ExtendedData>
<Point><coordinates> 15.5926,45.9038,0 </coordinates></Point></Placemark>
</Folder></Document></kml>"""


def test_IMP_1_kml_gives_placemarks() -> None:
    found = read(KML, name="a.kml")
    assert found.format == "KML"
    assert found.rows[0].cells == {
        "@id": "p1", "name": "甲", "description": "一楼<br>大厅", "phone": "07-357", "floor": "2",
        "lon": "15.5926", "lat": "45.9038",
    }  # fmt: skip


def test_IMP_1_in_xml_the_row_is_what_repeats() -> None:
    attributes = '<markers><marker number="1" name="甲"/><marker number="2" name="乙"/></markers>'
    assert cells(read(attributes)) == [["1", "甲"], ["2", "乙"]]
    children = (
        "<response><header><code>00</code><msg>OK</msg></header><body><items>"
        "<item><name>甲</name><hours><day>1</day><day>2</day></hours></item>"
        "<item><name>乙</name><hours><day>3</day></hours></item></items></body></response>"
    )
    assert [row.cells for row in read(children).rows] == [
        {"name": "甲", "hours/day": "1; 2"},
        {"name": "乙", "hours/day": "3"},
    ]


@pytest.mark.parametrize("codec", ["gbk", "shift_jis", "euc-kr", "utf-16"])
def test_IMP_1_xml_is_read_in_the_encoding_that_it_declares(codec: str) -> None:
    text = f'<?xml version="1.0" encoding="{codec}"?><r><a n="中"/><a n="大"/></r>'
    assert cells(sheet.read(text.encode(codec), "a.xml")) == [["中"], ["大"]]


BOMB = '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><r><i n="1">&b;</i><i n="2"/></r>'


def packed(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"name,lon\n", "no rows"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\xd0\xcf\x11\xe0old", r"\.xls"),
        (b"\x89PNG\r\n", "picture"),
        (b"<!DOCTYPE html><html>login</html>", "web page"),
        (packed("doc.kml", b"<kml/>"), "packed archive"),
        (packed("xl/workbook.xml", b"<nothing/>"), "damaged"),
        (b"PK\x03\x04xl/broken", "damaged"),
        (BOMB.encode(), "for safety"),
        (b"<a><b n='1'/><b n='2'></a>", "breaks off at line 1"),
        (b'{"type": "FeatureCollection", "features": [', "breaks off"),
        (b'{"type": "Topology"}', "no list"),
        (b"<a>" * 80 + b"</a>" * 80, "nested too deeply"),
        (b"name,lon\n\x00\x01\x02,1\n", "not text"),
        (b'name\n"open', "never closed"),
        (b'a,b\n1,"5" wide"\n2,"' + b"x\n" * 60 + b'"y', "never closed"),
    ],
)
def test_IMP_2_a_wrong_file_says_in_both_languages_what_to_do(content: bytes, word: str) -> None:
    with pytest.raises(Unreadable, match=word) as refused:
        sheet.read(content, "list")
    assert any(sign >= "\u4e00" for sign in refused.value.zh)


def test_IMP_2_what_would_unpack_to_very_much_is_refused() -> None:
    with pytest.raises(Unreadable, match="unpacks to too much"):
        workbook.read(packed("xl/worksheets/sheet1.xml", b" " * (bounds.MAX_UNPACKED + 1)))


def test_IMP_2_a_list_has_bounds() -> None:
    many = bounds.MAX_ROWS + 1
    for content in (b"n,m\n" + b"a,b\n" * many, b"<r>" + b"<a n='1'/>" * many + b"</r>"):
        with pytest.raises(Unreadable, match="more than 100,000 rows"):
            sheet.read(content, "a")
    with pytest.raises(Unreadable, match="larger"):
        sheet.read(b"x" * (bounds.MAX_BYTES + 1), "a.csv")
    with pytest.raises(Unreadable, match="more than 400 cells"):
        sheet.read(b"a,b\n" + b"," * 500 + b"x\n", "a.csv")
