"""The rows of a list of AEDs as the registry takes them, and what is wrong with the others."""

import html
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from geo import datum, osm_aeds
from geo.aed_beside import Beside
from geo.aed_bulk import AedRow
from geo.datum import Crs
from geo.position import Position
from web.imports import (
    aed_beside_cells,
    aed_columns,
    aed_hours,
    aed_places,
    mapping,
    report,
    unusable,
)
from web.imports.aed_columns import BadCell
from web.imports.profile import Profile
from web.imports.report import Rejected, Said
from web.imports.sheet import Row, Sheet
from web.imports.unusable import Unusable

# Columns that are read together with others, or by the ways of one layout.
_APART = frozenset(
    {"id", "lon", "lat", "coordinates", "coordinates_again", "address_more", "city", "district",
     "hours", "hours_note", "hours_days", "hours_start", "hours_end", "source", "source_ref",
     "weekday_start", "weekday_end", "saturday_start", "saturday_end", "sunday_start", "sunday_end",
     *aed_beside_cells.FIELDS}
)  # fmt: skip
_MARKS = re.compile(r"<br\s*/?>|<[^>]{0,200}>")
_EXAMPLE = "示例"
_GUARDED = re.compile(r"'+[=@+\-\t\r]")


@dataclass(frozen=True, slots=True)
class _Draft:
    """A row whose words are understood and whose place is not judged yet."""

    row: Row
    texts: Mapping[str, str]
    facts: Mapping[str, Any]
    beside: Beside
    lon: float
    lat: float


def facts(
    sheet: Sheet, profile: Profile, crs: Crs, *, is_far_fine: bool = False
) -> tuple[list[AedRow], list[Rejected], list[report.Warning]]:
    """Read every row: what can be used, what cannot and why, and what a person should look at.

    `crs` is the datum that the list's positions are in. No row is left out without a reason.
    `is_far_fine` takes rows that lie far from all others, after a person has looked at them.
    """
    lines = _texts(sheet, profile)
    is_lon_first = aed_places.is_lon_first([texts.get("coordinates", "") for texts in lines])
    drafts, rejected = _drafts(sheet, lines, profile, is_lon_first=is_lon_first)
    places = [
        aed_places.Listed(
            draft.row.number,
            draft.lon,
            draft.lat,
            str(draft.facts["name"]),
            str(draft.facts.get("location_note") or ""),
            draft.texts.get("coordinates_again", ""),
        )
        for draft in drafts
    ]
    # What the registry wrote itself was judged when it came in, and may lie all over the world.
    is_ours = profile.style == "golden"
    broken, warnings = aed_places.judge(places, crs, is_far_fine=is_far_fine, is_ours=is_ours)
    rejected += [
        Rejected(draft.row.number, _about(draft.facts["name"], broken[draft.row.number]))
        for draft in drafts
        if draft.row.number in broken
    ]
    sound = [draft for draft in drafts if draft.row.number not in broken]
    warnings += aed_places.disagreements(
        [place for place in places if place.number not in broken], is_lon_first=is_lon_first
    )
    warnings += [] if is_ours else _double_ids(sound, profile)
    rows = [_finished(draft, profile, crs) for draft in sound]
    return rows, sorted(rejected, key=lambda entry: entry.row), warnings


def _drafts(
    sheet: Sheet, lines: Sequence[Mapping[str, str]], profile: Profile, *, is_lon_first: bool
) -> tuple[list[_Draft], list[Rejected]]:
    drafts: list[_Draft] = []
    rejected: list[Rejected] = []
    seen: dict[tuple[str, ...], int] = {}
    for row, texts in zip(sheet.rows, lines, strict=True):
        try:
            unusable.refuse_twin(row, seen)
            drafts.append(_draft(row, texts, profile, is_lon_first=is_lon_first))
        except Unusable as found:
            said = _about(texts.get("name", ""), found.said)
            rejected.append(Rejected(row.number, said))
    return drafts, rejected


def _about(name: str, said: Said) -> Said:
    """Put the name of the place before what is said of its row."""
    short = name if len(name) <= 60 else f"{name[:59]}…"
    return Said(f"{short}: {said.en}", f"{short}：{said.zh}") if name else said


def _texts(sheet: Sheet, profile: Profile) -> list[dict[str, str]]:
    """Give the texts of each row, of the fields that the sheet has columns for."""
    present = set(sheet.columns)
    columns = {
        name: told
        for name, told in profile.columns.items()
        if present & ({told} if isinstance(told, str) else set(told))
    }
    narrow = replace(profile, columns=columns)
    is_guarded = profile.style == "golden" and sheet.format != "GeoJSON"
    return [
        _cleaned(mapping.values(row, narrow), "guarded" if is_guarded else profile.style)
        for row in sheet.rows
    ]


def _cleaned(texts: dict[str, str], style: str) -> dict[str, str]:
    """Take out what a layout's program wrote around the words."""
    match style:
        case "guarded":
            return {name: t[1:] if _GUARDED.match(t) else t for name, t in texts.items()}
        case "taiwan-2014":
            return {name: t if name == "hours" else _unmarked(t) for name, t in texts.items()}
        case "taiwan":
            return {name: "" if t in {"EMPTY", "-"} else t for name, t in texts.items()}
        case _:
            return texts


def _unmarked(text: str) -> str:
    """Take the marks of a web page out of a cell."""
    parts = (" ".join(part.split()) for part in html.unescape(_MARKS.sub("\n", text)).splitlines())
    return "; ".join(part for part in parts if part)


def _draft(row: Row, texts: Mapping[str, str], profile: Profile, *, is_lon_first: bool) -> _Draft:
    if row.surplus:
        raise Unusable(
            Said(
                "more cells than the header has columns; put cells with commas in quotes",
                "单元格数多于表头列数，含逗号的内容请加引号",
            )
        )
    reasons: list[Said] = []
    try:
        beside = aed_beside_cells.read(texts)
    except BadCell as bad:
        reasons.append(bad.said)
    try:
        lon, lat = aed_places.read(texts, is_lon_first=is_lon_first)
    except BadCell as bad:
        reasons.append(bad.said)
    try:
        said = _osm(row, texts, profile) if profile.style == "osm" else _words(texts, profile)
    except Unusable as found:
        reasons.append(found.said)
    if reasons:
        raise Unusable(*reasons)
    return _Draft(row, texts, said, beside, lon, lat)


def _words(texts: Mapping[str, str], profile: Profile) -> dict[str, Any]:
    reasons: list[Said] = []
    said: dict[str, Any] = {}
    for column in texts:
        if column not in _APART:
            try:
                said[column] = aed_columns.value(
                    column, texts[column], is_ours=profile.style == "golden"
                )
            except BadCell as bad:
                reasons.append(bad.said)
    said |= aed_hours.read(texts, profile.style)
    if "address" in said:
        said["address"] = _address(texts)
    name = str(said.get("name") or "")
    if not name:
        reasons.append(Said("the name of the place is missing", "缺少场所名称"))
    elif name.startswith(_EXAMPLE) and profile.style != "golden":
        reasons.append(Said("the example of the template; delete it", "模板示例行，请删除"))
    if reasons:
        raise Unusable(*reasons)
    return {
        name: value
        for name, value in said.items()
        if value is not None or name not in aed_columns.NEVER_EMPTY
    }


def _address(texts: Mapping[str, str]) -> str | None:
    """Put the parts of an address together; a part that the next one repeats is left out."""
    whole = texts["address"]
    for part in (texts.get("district", ""), texts.get("city", "")):
        whole = whole if whole.startswith(part) else part + whole
    return " ".join(part for part in (whole, texts.get("address_more", "")) if part) or None


def _osm(row: Row, texts: Mapping[str, str], profile: Profile) -> dict[str, Any]:
    """Read columns that are OpenStreetMap tags the way a map is read, and those mapped by hand."""
    tags = {
        column: text
        for column, text in row.cells.items()
        if text and column not in profile.named() - {"name"}
    }
    if tags.get("emergency", "defibrillator") != "defibrillator":
        raise Unusable(Said("no defibrillator by its tags", "标签显示不是 AED"))
    phone = tags.get("phone") or tags.get("contact:phone")
    by_hand = {name: text for name, text in texts.items() if name not in {*_APART, "kind"} and text}
    told = _words({**by_hand, "name": by_hand.get("name") or "AED"}, profile)
    named = {name: value for name, value in told.items() if name in by_hand}
    return {**osm_aeds.fields(tags), "phone": phone, **named}


def _double_ids(drafts: Sequence[_Draft], profile: Profile) -> list[report.Warning]:
    counts = Counter(ref for draft in drafts if (ref := _ref(draft, profile)))
    doubles = [ref for ref, count in counts.items() if count > 1]
    if not doubles:
        return []
    rows = tuple(draft.row.number for draft in drafts if _ref(draft, profile) in doubles)
    said = Said(
        f"{len(doubles)} numbers of devices are given twice: {', '.join(doubles[:5])}",
        f"{len(doubles)} 个设备编号重复：{'、'.join(doubles[:5])}",
    )
    return [report.Warning("double_id", said, rows)]


def _ref(draft: _Draft, profile: Profile) -> str | None:
    texts = draft.texts
    if profile.style == "golden":
        return texts["source_ref"] or None
    if profile.style == "osm" and texts.get("id"):
        kind = texts.get("kind", "")
        return texts["id"] if "/" in texts["id"] or not kind else f"{kind}/{texts['id']}"
    return texts.get("id") or None


def _finished(draft: _Draft, profile: Profile, crs: Crs) -> AedRow:
    place = Position(*datum.to_wgs84(draft.lon, draft.lat, crs))
    said = {
        "source_crs": str(crs),
        "raw_lon": draft.lon,
        "raw_lat": draft.lat,
        "position_method": "import",
        **draft.facts,
        "position": place,
    }
    number, ref = draft.row.number, _ref(draft, profile)
    if profile.style != "golden":
        return AedRow(number, ref, said, beside=draft.beside)
    ours = _uuid(draft.texts["id"]), draft.texts["source"] or None
    return AedRow(number, ref, said, *ours, draft.beside)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
