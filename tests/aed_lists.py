"""Miniatures of AED lists, and what is read from them."""

from __future__ import annotations

from geo.aed_bulk import AedRow
from geo.datum import Crs
from web.imports import aeds, mapping, report, sheet
from web.imports.report import Rejected
from web.imports.sheet import Sheet

COUNTY = "场所名称,经度,纬度"
TAIWAN = (
    '甲,高雄市楠梓區興楠路180號,"( 120.335807,22.731406 )",法院,"<a href=""http://"">x</a>",,大廳,'
    '"(120.335807,22.731406)",一樓&nbsp;入口<br/>左側,"星期一至星期五 08:00 至 17:30<br>        '
    '星期六  至 <br>   星期日  至 <br>   備註:",07-3573793,2013-09-02 21:18:00.0\n'
)


def read(text: str, codec: str = "utf-8", name: str = "list.csv") -> Sheet:
    """Read a list as if it had been sent in."""
    return sheet.read(text.encode(codec), name)


def facts(
    text: str, profile: str | None = None, *, crs: Crs = Crs.WGS84, codec: str = "utf-8"
) -> tuple[list[AedRow], list[Rejected], list[report.Warning]]:
    """Read the rows of a list by the layout that its headers say."""
    found = read(text, codec)
    guessed = mapping.guess(found, "aeds")
    assert guessed is not None
    if profile is not None:
        assert guessed.name == profile
    return aeds.facts(found, guessed, crs)


def one(text: str, profile: str | None = None, *, codec: str = "utf-8") -> AedRow:
    """Read the one row of a list."""
    rows, rejected, _ = facts(text, profile, codec=codec)
    assert not rejected
    return rows[0]


def reasons(rejected: list[Rejected]) -> dict[int, str]:
    """Say why each row was refused, by its number."""
    return {entry.row: str(entry.reason) for entry in rejected}
