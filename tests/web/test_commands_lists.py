"""`golden import aeds` and `golden export` as an office types them, and the real lists."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from typer.testing import CliRunner, Result

from dispatch.uploads import ListKind
from geo import aed_export, datum
from geo.datum import Crs
from web import commands
from web.commands import exports
from web.commands.trouble import Trouble
from web.imports import aed_files, mapping, sheet, taking
from web.imports.report import Report
from web.imports.taking import Options, Taken

Golden = Callable[..., Result]
ORG = UUID(int=7)
LIST = (
    "场所名称,经度,纬度,开放时间\n"
    "县医院,115.6,32.4,全天\n坏,,,\n小学,115.61,32.41,周一至周五 8:00-17:00\n"
)


@pytest.fixture
def golden(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Golden:
    """Run the program against a fresh database that has two organisations."""
    monkeypatch.setenv("GOLDEN_DATABASE_URL", database)
    monkeypatch.setenv("GOLDEN_DATA_DIR", str(tmp_path / "data"))
    with psycopg.connect(database) as conn:
        for code in ("demo", "other"):
            conn.execute(
                "insert into org (id, code, name_zh, name_en, level, path, timezone) values"
                " (gen_random_uuid(), %s, '演示', 'Demo', 4, %s, 'Asia/Shanghai')",
                (code, f"{code}/"),
            )

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(commands.build(arguments), arguments)

    return run


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Write a list of three rows, the second of them of no use."""
    path = tmp_path / "名册.csv"
    path.write_text(LIST, encoding="gb18030")
    return str(path)


def count(database: str) -> int:
    with psycopg.connect(database) as conn:
        found = conn.execute("select count(*) from aed").fetchone()
    assert found is not None
    return int(found[0])


def test_IMP_3_rejected_rows_are_named_and_the_others_come_in(golden: Golden, file: str) -> None:
    made = golden("import", "aeds", file, "--json")
    assert made.exit_code == 0, made.output
    answer = json.loads(made.stdout)
    assert set(answer) == {"added", "changed", "unchanged", "rejected"}
    assert (answer["added"], answer["changed"], answer["unchanged"]) == (2, 0, 0)
    (rejected,) = answer["rejected"]
    assert set(rejected) == {"row", "reason"}
    assert rejected["row"] == 3
    assert "no coordinates" in rejected["reason"]
    again = golden("import", "aeds", file)
    assert "0 added 新增, 0 changed 更新, 2 unchanged 未变, 1 rejected 拒绝" in again.output
    assert "row 行 3: 坏: no coordinates" in again.output
    assert "CSV, GB18030, county-zh: 3 rows 行" in again.output


def test_IMP_9_a_dry_run_says_the_same_and_writes_nothing(
    golden: Golden, file: str, database: str
) -> None:
    shown = golden("import", "aeds", file, "--dry-run")
    assert "Dry run" in shown.output
    assert "2 added 新增" in shown.output
    assert count(database) == 0


def test_IMP_11_columns_are_mapped_by_hand(golden: Golden, tmp_path: Path, database: str) -> None:
    path = tmp_path / "liste.csv"
    path.write_text("wo;rechts;hoch\n甲;114.30556;30.59\n", encoding="utf-8")
    refused = golden("import", "aeds", str(path))
    assert isinstance(refused.exception, Trouble)
    assert "--map field=COLUMN" in refused.exception.en
    assert "wo, rechts, hoch" in refused.exception.zh
    told = ("--map", "name=wo", "--map", "lon=rechts", "--map", "lat=hoch", "--crs", "gcj02")
    assert golden("import", "aeds", str(path), *told).exit_code == 0
    with psycopg.connect(database) as conn:
        row = conn.execute(
            "select raw_lon, source_crs, ST_X(position::geometry) from aed"
        ).fetchone()
    assert row is not None
    assert row[:2] == (114.30556, "gcj02")
    assert row[2] < 114.301


@pytest.mark.parametrize(
    ("arguments", "content", "word"),
    [
        ((), b"%PDF-1.4", "is a PDF"),
        (("--encoding", "utf-8"), LIST.encode("gbk"), "not utf-8"),
        (("--map", "x"), LIST.encode(), "field=column"),
        (("--layout", "x"), LIST.encode(), "taiwan, brezice, braslovce, guessed"),
        (("--org", "nobody"), LIST.encode(), "No organisation nobody"),
    ],
)
def test_IMP_2_what_cannot_be_read_is_explained_and_changes_nothing(
    arguments: Sequence[str],
    content: bytes,
    word: str,
    golden: Golden,
    tmp_path: Path,
) -> None:
    (tmp_path / "list").write_bytes(content)
    shown = golden("import", "aeds", str(tmp_path / "list"), *arguments)
    assert isinstance(shown.exception, Trouble)
    assert word in shown.exception.en
    assert any(letter >= "\u4e00" for letter in shown.exception.zh)


@pytest.mark.parametrize("ending", ["csv", "geojson"])
def test_IMP_10_export_import_export_is_the_same_to_the_byte(
    ending: str, golden: Golden, file: str, database: str, tmp_path: Path
) -> None:
    golden("import", "aeds", file)
    with psycopg.connect(database) as conn:
        conn.execute(
            "update aed set name = '=1+\"x\"', address = E'  a,b\\r\\nc ', phone = '+86 1',"
            " pads_expire_on = '2027-05-31', moved_at = now(), indoor = true, floor = ''"
            " where name = '县医院'"
        )
        conn.execute(
            "insert into aed_code (aed_id, code, updated_at) select id, 'S3CRET', now() from aed"
        )
        conn.execute(
            "insert into aed_custodian (aed_id, rank, name, updated_at)"
            " select id, 1, '张三丰', now() from aed"
        )
    first, second, third, fourth = (tmp_path / f"{n}.{ending}" for n in range(4))
    golden("export", "aeds", str(first))
    back = golden("import", "aeds", str(first), "--json")
    assert json.loads(back.stdout) == {"added": 0, "changed": 0, "unchanged": 2, "rejected": []}
    golden("export", "aeds", str(second))
    assert first.read_bytes() == second.read_bytes()
    assert not any(secret.encode() in first.read_bytes() for secret in ("S3CRET", "张三丰"))
    with psycopg.connect(database) as conn:
        conn.execute("update aed set address = E'a,b\\nc' where address is not null")
    golden("export", "aeds", str(third))
    with psycopg.connect(database) as conn:
        conn.execute("truncate aed cascade")
    golden("import", "aeds", str(third))
    golden("export", "aeds", str(fourth))
    assert third.read_bytes() == fourth.read_bytes(), "on an empty server too"


def test_IMP_10_templates_and_endings(golden: Golden, tmp_path: Path) -> None:
    for kind in exports.Kind:
        made = tmp_path / f"{kind}.csv"
        assert golden("export", "template", kind, str(made)).exit_code == 0
        found = sheet.read(made.read_bytes(), made.name)
        assert mapping.guess(found, kind) is not None
    shown = golden("export", "aeds", str(tmp_path / "a.pdf"))
    assert isinstance(shown.exception, Trouble)
    assert ".geojson" in shown.exception.en


# ---- the real lists


async def load(conn: AsyncConnection, name: str, now: datetime) -> tuple[Taken, sheet.Sheet]:
    path = Path(os.environ["GOLDEN_TEST_DATA"]) / "aed" / name
    opened = taking.open_list(path.read_bytes(), name, ListKind.AEDS, encoding=None, columns={})
    return await taking.take(conn, ORG, opened, Options(), by=None, now=now), opened.sheet


def counts(report: Report) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.unchanged, len(report.rejected)


# Rows, layout, added, rejected rows with a word of the reason; every number is checked by hand:
# Braslovče has no coordinates at all; Taiwan has one row with the two swapped (476), one on Pratas
# island, 440 km from the rest (821), and one that is row 4021 again (4330).
REAL: Mapping[str, tuple[int, str, int, Mapping[int, str]]] = {
    "taiwan_2014.csv": (4519, "UTF-8", 4516, {476: "swapped", 821: "far", 4330: "as row 4021"}),
    "kobe_aed.csv": (2042, "UTF-8", 2042, {}),
    "kobe_aed_markers.xml": (2178, "UTF-8", 2178, {}),
    "takamatsu_aed_2023.csv": (
        487, "UTF-8", 482,
        {32: "far", 121: "far", 142: "134.00556", 187: "134.08137", 486: "134.09898"},
    ),
    "takamatsu_aed_old_ddf.csv": (514, "UTF-8 with BOM", 514, {}),
    "komae_aed.csv": (57, "UTF-8", 57, {}),
    "urasoe_aed_sjis.csv": (55, "Shift_JIS", 55, {}),
    "slovenia_osm_aed.csv": (1079, "UTF-8", 1079, {}),
    "brezice_si.csv": (29, "UTF-8 with BOM", 29, {}),
    "braslovce_si.xlsx": (12, "UTF-8", 0, dict.fromkeys(range(3, 15), "no coordinates")),
}  # fmt: skip


@pytest.mark.real_data
@pytest.mark.parametrize("name", REAL)
async def test_IMP_3_every_real_list_is_read_and_a_second_time_changes_nothing(
    name: str, conn: AsyncConnection, now: datetime
) -> None:
    rows, encoding, added, unusable = REAL[name]
    first, found = await load(conn, name, now)
    assert (len(found.rows), found.encoding) == (rows, encoding)
    assert counts(first.report) == (added, 0, 0, len(unusable))
    reasons = {entry.row: str(entry.reason) for entry in first.report.rejected}
    assert set(reasons) == set(unusable)
    assert all(word in reasons[row] for row, word in unusable.items())
    again, _ = await load(conn, name, now)
    assert counts(again.report) == (0, 0, added, len(unusable))


@pytest.mark.real_data
async def test_IMP_6_takamatsus_new_list_recognises_the_places_of_the_old_one(
    conn: AsyncConnection, now: datetime
) -> None:
    await load(conn, "takamatsu_aed_old_ddf.csv", now)
    new, found = await load(conn, "takamatsu_aed_2023.csv", now)
    # Of 482 usable rows, 475 are places of the old list. New are 521 to 525, 527 and 528.
    assert new.report.added == 7
    assert new.report.changed + new.report.unchanged == 475
    ids = {row.number: row.cells["#property"] for row in found.rows}
    added = {ids[number] for number, outcome in new.outcomes.items() if outcome == "added"}
    assert added == {"521", "522", "523", "524", "525", "527", "528"}
    again, _ = await load(conn, "takamatsu_aed_2023.csv", now)
    assert counts(again.report) == (0, 0, 482, 5)


@pytest.mark.real_data
async def test_IMP_6_kobes_map_recognises_the_places_of_kobes_table(
    conn: AsyncConnection, now: datetime
) -> None:
    await load(conn, "kobe_aed.csv", now)
    markers, _ = await load(conn, "kobe_aed_markers.xml", now)
    # 2,022 pairs of coordinates are in both; five more rows have moved by some metres.
    assert markers.report.changed + markers.report.unchanged == 2027
    assert markers.report.added == 151
    again, _ = await load(conn, "kobe_aed_markers.xml", now)
    assert counts(again.report) == (0, 0, 2178, 0)


@pytest.mark.real_data
async def test_IMP_10_the_real_lists_together_come_back_to_the_byte(
    conn: AsyncConnection, now: datetime
) -> None:
    for name in ("slovenia_osm_aed.csv", "komae_aed.csv", "takamatsu_aed_2023.csv"):
        await load(conn, name, now)
    first = await aed_export.rows(conn, ORG)
    for write in (aed_files.as_csv, aed_files.as_geojson):
        content = write(first)
        opened = taking.open_list(content, "a", ListKind.AEDS, encoding=None, columns={})
        back = await taking.take(conn, ORG, opened, Options(), by=None, now=now)
        assert counts(back.report) == (0, 0, 1618, 0)
        assert write(await aed_export.rows(conn, ORG)) == content


async def test_IMP_4_a_list_in_another_datum_is_noticed_by_places_that_are_known(
    conn: AsyncConnection, now: datetime
) -> None:
    names = [f"武汉第{n}医院" for n in range(8)]
    places = [(114.30 + n * 0.004, 30.59 + n * n % 5 * 0.003) for n in range(8)]
    header = "场所名称,经度,纬度\n"
    known = header + "".join(f"{n},{x},{y}\n" for n, (x, y) in zip(names, places, strict=True))
    moved = [datum.from_wgs84(x, y, Crs.GCJ02) for x, y in places]
    shifted = header + "".join(f"{n},{x},{y}\n" for n, (x, y) in zip(names, moved, strict=True))

    async def warnings(text: str, source: str, crs: Crs) -> set[str]:
        opened = taking.open_list(text.encode(), "a", ListKind.AEDS, encoding=None, columns={})
        options = Options(crs, source, is_trial=source == "new")
        taken = await taking.take(conn, ORG, opened, options, by=None, now=now)
        return {str(warning.code) for warning in taken.report.warnings}

    assert "looks_gcj02" not in await warnings(known, "surveyed", Crs.WGS84)
    assert "looks_gcj02" in await warnings(shifted, "new", Crs.WGS84)
    right = await warnings(shifted, "new", Crs.GCJ02)
    assert not {code for code in right if code.startswith("looks")}


def test_OSM_3_our_devices_go_out_as_a_change_file_and_changes_come_in(
    golden: Golden, file: str, tmp_path: Path
) -> None:
    golden("import", "aeds", file)
    ours = tmp_path / "ours.osc"
    shown = golden("export", "osm", str(ours), "--json")
    assert json.loads(shown.stdout)["created"] == 2
    # Nothing lies in an imported city here: what is new is counted and left out.
    back = golden("import", "osm", str(ours), "--json")
    assert json.loads(back.stdout)["outside"] == 2
    bad = tmp_path / "bad.osc"
    bad.write_text("hello")
    refused = golden("import", "osm", str(bad))
    assert isinstance(refused.exception, Trouble)
