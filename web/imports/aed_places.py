"""Where the devices of a list are: reading the coordinates, and saying which cannot be right."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geo import place_check, position
from geo.aed_bulk import AedRow
from geo.datum import Crs
from geo.place_check import Code, Finding
from geo.position import Position
from web.imports import aed_columns, report
from web.imports.aed_columns import BadCell
from web.imports.report import Said

_NUMBERS = re.compile(r"[-+]?\d+(?:\.\d+)?")
_APART_M = 200.0
_NO_PLACE = Said(
    "no coordinates; add longitude and latitude, or place the device on the map by hand",
    "缺少坐标；请补充经度、纬度，或在地图上手动标注",
)


def read(texts: Mapping[str, str], *, is_lon_first: bool) -> tuple[float, float]:
    """Give longitude and latitude as the list says them. Raises `BadCell`."""
    lon, lat, both = (texts.get(name, "") for name in ("lon", "lat", "coordinates"))
    if both and not (lon and lat):
        pair = _pair(both)
        if pair is None:
            raise BadCell(
                Said(f"coordinates {both!r} are no two numbers", f"坐标“{both}”不是两个数字")
            )
        return pair if is_lon_first else pair[::-1]
    if not lon and not lat:
        raise BadCell(_NO_PLACE)
    if not lon or not lat:
        which = ("longitude", "经度") if not lon else ("latitude", "纬度")
        raise BadCell(Said(f"the {which[0]} is missing", f"缺少{which[1]}"))
    return aed_columns.number("lon", lon), aed_columns.number("lat", lat)


def _pair(text: str) -> tuple[float, float] | None:
    numbers = _NUMBERS.findall(aed_columns.plain(text))
    return (float(numbers[0]), float(numbers[1])) if len(numbers) == 2 else None


def is_lon_first(cells: Sequence[str]) -> bool:
    """Tell the order of a list's coordinate cells; latitude comes first where none can tell."""
    pairs = [pair for cell in cells if (pair := _pair(cell)) is not None]
    return sum(abs(a) > 90 for a, _ in pairs) > sum(abs(b) > 90 for _, b in pairs)


_BROKEN: Mapping[Code, Said] = {
    Code.SWAPPED: Said("longitude and latitude are swapped", "经度和纬度颠倒"),
    Code.DECIMAL_LOST: Said("the decimal point is lost or misplaced", "小数点缺失或错位"),
    Code.OUT_OF_RANGE: Said("no position on the Earth", "不是地球上的位置"),
    Code.FAR_OUTLIER: Said("far from all other rows of the list", "远离名册中的其他位置"),
}
_ODD: Mapping[Code, Said] = {
    Code.PILE_UP: Said(
        "different names on one coordinate; it may be the middle of a building",
        "不同名称共用同一坐标，可能是建筑物中心点",
    ),
    Code.CENTROID: Said(
        "coordinates that are rounded, or the middle of a district",
        "坐标精度过低，或为区域中心点",
    ),
    Code.DUPLICATE: Said("the same name at the same place", "名称和位置相同，可能重复"),
    Code.LOOKS_WGS84: Said("the positions look like WGS-84", "坐标疑似为 WGS-84"),
    Code.LOOKS_GCJ02: Said("the positions look like GCJ-02", "坐标疑似为 GCJ-02（火星坐标）"),
    Code.LOOKS_BD09: Said("the positions look like BD-09", "坐标疑似为 BD-09（百度坐标）"),
}


@dataclass(frozen=True, slots=True)
class Listed:
    """Where a row says its device is; `again` is what another column says of the same."""

    number: int
    lon: float
    lat: float
    name: str
    note: str
    again: str = ""


def judge(
    places: Sequence[Listed], crs: Crs, *, is_far_fine: bool, is_ours: bool
) -> tuple[dict[int, Said], list[report.Warning]]:
    """Give the rows whose position is impossible, with the reason, and what is only odd."""
    broken: dict[int, Said] = {}
    warnings: list[report.Warning] = []
    if is_ours:
        places = [place for place in places if abs(place.lon) > 180 or abs(place.lat) > 90]
    where = {place.number: (place.lon, place.lat) for place in places}
    findings = place_check.check(
        [(place.number, place.lon, place.lat) for place in places],
        crs=crs,
        names={place.number: place.name for place in places},
        details={place.number: place.note for place in places},
    )
    for finding in findings:
        is_fine = is_far_fine and finding.code is Code.FAR_OUTLIER
        if finding.code in _BROKEN and not is_fine:
            broken |= {row: _reason(finding, *where[row]) for row in finding.rows}
        else:
            said = {**_BROKEN, **_ODD}[finding.code]
            warnings.append(report.Warning(finding.code, said, finding.rows, finding.proposal))
    return broken, warnings


def shifted(
    rows: Sequence[AedRow], crs: Crs, known: Mapping[int, Position]
) -> list[report.Warning]:
    """Say whether the list seems to be in another datum, by where rows are `known` to be."""
    points = [(row.number, row.facts["raw_lon"], row.facts["raw_lat"]) for row in rows]
    placed = [point for point in points if point[0] in known and point[1] is not None]
    return [
        report.Warning(finding.code, _ODD[finding.code], finding.rows, f"--crs {finding.crs}")
        for finding in place_check.check(placed, crs=crs, references=known)
        if finding.crs is not None
    ]


def _reason(finding: Finding, lon: float, lat: float) -> Said:
    what = _BROKEN[finding.code]
    mend_en = mend_zh = ""
    if finding.mends:
        _row, mended_lon, mended_lat = finding.mends[0]
        mend_en = f"; probably {mended_lon:.8g}, {mended_lat:.8g}"
        mend_zh = f"；可能应为 {mended_lon:.8g}, {mended_lat:.8g}"
    return Said(
        f"longitude {lon:.10g}, latitude {lat:.10g}: {what.en}{mend_en}",
        f"经度 {lon:.10g}、纬度 {lat:.10g}：{what.zh}{mend_zh}",
    )


def disagreements(places: Sequence[Listed], *, is_lon_first: bool) -> list[report.Warning]:
    """Find rows that say their place twice, and differently."""
    rows = []
    for place in places:
        pair = _pair(place.again)
        if pair is not None:
            other = pair if is_lon_first else pair[::-1]
            if _away_m((place.lon, place.lat), other) > _APART_M:
                rows.append(place.number)
    if not rows:
        return []
    said = Said(
        f"two columns of coordinates are more than {_APART_M:.0f} m apart; the first was taken",
        f"两列坐标相距超过 {_APART_M:.0f} 米，已采用第一列",
    )
    return [report.Warning("two_places", said, tuple(rows))]


def _away_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    if abs(other[0]) > 180 or abs(other[1]) > 90:
        return float("inf")
    return position.distance_m(Position(*one), Position(*other))
