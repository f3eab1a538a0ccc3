"""Lists of AEDs as files, written so that reading them again changes nothing, to the byte."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from web.imports import aed_columns

# Spreadsheets run what begins so as a formula; an apostrophe before it keeps it a text.
_FORMULA = re.compile(r"'*[=@+\-\t\r]")


def as_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Write CSV as Excel reads it: UTF-8 with BOM, CRLF, one device a row in the order given."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(aed_columns.EXPORTED)
    writer.writerows([_cell(row[column]) for column in aed_columns.EXPORTED] for row in rows)
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def _cell(value: object) -> str:
    plain = _plain(value)
    if isinstance(plain, str):
        is_text = isinstance(value, str)
        return f"'{plain}" if is_text and _FORMULA.match(plain) else plain
    return "" if plain is None else json.dumps(plain)


def _plain(value: object) -> object:
    """Give what JSON has for a value."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    # An empty word says no more than none at all, and a list cannot tell the two apart.
    return None if value == "" else value


def as_geojson(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Write a FeatureCollection (RFC 7946, WGS-84), one device a line in the order given."""
    lines = (json.dumps(_feature(row), ensure_ascii=False, separators=(",", ":")) for row in rows)
    body = ",\n".join(lines)
    return f'{{"type":"FeatureCollection","features":[\n{body}\n]}}\n'.encode()


def _feature(row: Mapping[str, Any]) -> dict[str, object]:
    properties = {
        column: _plain(row[column])
        for column in aed_columns.EXPORTED
        if column not in {"lon", "lat"}
    }
    return {
        "type": "Feature",
        "id": str(row["id"]),
        "geometry": {"type": "Point", "coordinates": [row["lon"], row["lat"]]},
        "properties": properties,
    }
