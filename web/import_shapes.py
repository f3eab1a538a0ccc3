"""How a list that was sent in is shown: what was read, what it would do, and where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dispatch import events
from dispatch.uploads import Upload
from web import fields
from web.imports import mapping
from web.imports.report import Said
from web.imports.sheet import Sheet
from web.imports.taking import Opened, Taken

#: More points than this say nothing more on a map.
_PREVIEW_MOST = 2_000
_SAMPLE_ROWS = 3
_MASK = "****"


class FieldShape(fields.Shape):
    """A field that the kind of list has."""

    name: str
    zh: str
    en: str
    is_required: bool


class KnownLayoutShape(fields.Shape):
    """A layout that is known from the start; `fits` where the list has what it is known by."""

    name: str
    zh: str
    en: str
    fits: bool


class RejectedShape(fields.Shape):
    """A row that cannot be used."""

    row: int
    reason: str


class ReportShape(fields.Shape):
    """What was done, or would be."""

    added: int
    changed: int
    unchanged: int
    rejected: list[RejectedShape]


class WarningShape(fields.Shape):
    """Something odd to look at; the rows are taken all the same."""

    code: str
    text: str
    rows: list[int]
    proposal: str | None


class BriefShape(fields.Shape):
    """A list that was sent in."""

    id: str
    kind: str
    name: str
    created_at: str
    applied_at: str | None
    report: ReportShape | None


class ImportShape(BriefShape):
    """A list as it was read, and what it would do."""

    format: str
    encoding: str
    columns: list[str]
    sample: list[dict[str, str]]
    fields: list[FieldShape]
    mapping: dict[str, str | list[str]]
    layout: str
    layouts: list[KnownLayoutShape]
    options: dict[str, Any]
    missing: list[str]
    warnings: list[WarningShape]
    preview: dict[str, Any]


class ImportsShape(fields.Shape):
    """A page of lists, the newest first."""

    items: list[BriefShape]
    next_cursor: str | None


def whole(upload: Upload, opened: Opened, taken: Taken, spoken: str) -> dict[str, Any]:
    """Show a list with its trial."""
    found, profile = opened.sheet, opened.profile
    return {
        **brief(upload),
        "format": found.format,
        "encoding": found.encoding,
        "columns": list(found.columns),
        "sample": _sample(opened),
        "fields": [
            {"name": one.name, "zh": one.zh, "en": one.en, "is_required": one.is_required}
            for one in mapping.fields(upload.kind)
        ],
        "mapping": {
            name: present[0] if len(present) == 1 else list(present)
            for name, told in profile.columns.items()
            if (present := mapping.present_in(found, told))
        },
        "layout": profile.name,
        "layouts": list(_layouts(upload.kind, found)),
        "options": {
            **{name: upload.options[name] for name in ("crs", "encoding", "keep_far", "source")},
            "layout": (upload.options.get("layout") or {}).get("name"),
        },
        "missing": [field.name for field in mapping.missing(profile, found)],
        "report": report_of(taken, spoken),
        "warnings": [
            {
                "code": warning.code,
                "text": _said(warning.text, spoken),
                "rows": list(warning.rows),
                "proposal": warning.proposal,
            }
            for warning in taken.report.warnings
        ],
        "preview": _preview(taken, opened),
    }


def _layouts(kind: str, found: Sheet) -> Iterator[dict[str, Any]]:
    """List the layouts to choose from, those that fit first."""
    known = [
        {"name": one.name, "zh": one.zh, "en": one.en, "fits": mapping.fits(one, found)}
        for one in mapping.shipped(kind)
    ]
    yield from sorted(known, key=lambda one: not one["fits"])
    is_any = mapping.by_headers(found, kind) is not None
    yield {"name": mapping.GUESSED, "zh": "按表头识别", "en": "By its headers", "fits": is_any}


def _sample(opened: Opened) -> list[dict[str, str]]:
    """Show the first rows, without what is secret."""
    secret = mapping.secret_columns(opened.sheet, opened.profile)
    return [
        {column: _MASK if text and column in secret else text for column, text in row.cells.items()}
        for row in opened.sheet.rows[:_SAMPLE_ROWS]
    ]


def _preview(taken: Taken, opened: Opened) -> dict[str, Any]:
    found, told = opened.sheet, opened.profile.columns.get("name", ())
    columns = mapping.present_in(found, told)
    if not mapping.secret_columns(found, opened.profile).isdisjoint(columns):
        columns = ()
    names = {
        row.number: next((row.cells[one] for one in columns if row.cells.get(one)), "")
        for row in found.rows
    }
    features = [
        {
            "type": "Feature",
            "geometry": place.geojson(),
            "properties": {
                "row": number, "name": names.get(number, ""), "outcome": taken.outcomes[number],
            },
        }
        for number, place in list(taken.places.items())[:_PREVIEW_MOST]
    ]  # fmt: skip
    return {"type": "FeatureCollection", "features": features}


def report_of(taken: Taken, spoken: str) -> dict[str, Any]:
    """Give the counts, and each rejected row with its reason."""
    report = taken.report
    return {
        "added": report.added,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "rejected": [
            {"row": entry.row, "reason": _said(entry.reason, spoken)}
            for entry in sorted(report.rejected, key=lambda entry: entry.row)
        ],
    }


def _said(text: Said, spoken: str) -> str:
    return text.zh if spoken == "zh" else text.en


def brief(upload: Upload) -> dict[str, Any]:
    """Show a list in a list."""
    return {
        "id": str(upload.id),
        "kind": upload.kind,
        "name": upload.name,
        "created_at": events.time(upload.created_at),
        "applied_at": events.time(upload.applied_at),
        "report": upload.report,
    }
