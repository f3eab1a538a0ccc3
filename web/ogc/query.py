"""Reads the query of a request as the standard wants it: what is unknown or wrong is a 400."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from fastapi import Request

from dispatch import errors

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
LIMIT_DEFAULT = 10
#: More is not refused: the standard wants fewer features then, and a `next` link.
LIMIT_MOST = 1_000

#: Of every page; `lang` as everywhere here.
COMMON = ("f", "lang")
ITEMS = ("limit", "cursor", "bbox", "datetime", "crs", "bbox-crs")


class BadParameter(errors.DispatchError):
    """A parameter is unknown or has an impossible value."""

    code = "bad_parameter"


Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Query:
    """Which features are wanted."""

    limit: int = LIMIT_DEFAULT
    after: str | None = None
    box: Box | None = None
    begins: datetime | None = None
    ends: datetime | None = None
    filters: Mapping[str, str] = field(default_factory=dict)


def check(request: Request, allowed: Collection[str] = ()) -> None:
    """Refuse parameters that the description does not name, or that stand twice."""
    known = (*COMMON, *allowed)
    for name in request.query_params:
        if name not in known:
            raise BadParameter(f"there is no parameter {name!r}; there are {', '.join(known)}")
        if len(request.query_params.getlist(name)) > 1:
            raise BadParameter(f"{name} stands more than once")


def read(request: Request, filters: Mapping[str, Collection[str]]) -> Query:
    """Read the query of a list; `filters` are properties, with their values where they are few."""
    check(request, (*ITEMS, *filters))
    given = {name: value for name, value in request.query_params.items() if value}
    for name in ("crs", "bbox-crs"):
        if given.get(name, CRS84) != CRS84:
            raise BadParameter(f"{name} must be {CRS84}")
    begins, ends = _interval(given["datetime"]) if "datetime" in given else (None, None)
    return Query(
        limit=_limit(given.get("limit")),
        after=given.get("cursor"),
        box=_box(given["bbox"]) if "bbox" in given else None,
        begins=begins,
        ends=ends,
        filters={
            name: _filter(name, given[name], filters[name]) for name in filters & given.keys()
        },
    )


def _filter(name: str, value: str, allowed: Collection[str]) -> str:
    if "\0" in value or (allowed and value not in allowed):
        raise BadParameter(f"{name} must be one of {', '.join(allowed)}")
    return value


def _limit(text: str | None) -> int:
    if text is None:
        return LIMIT_DEFAULT
    if not (text.isascii() and text.isdigit()) or int(text[:18]) < 1:
        raise BadParameter(f"limit must be a whole number from 1 to {LIMIT_MOST}")
    return min(int(text[:18]), LIMIT_MOST)


def _box(text: str) -> Box:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise BadParameter("bbox must be numbers with commas between") from None
    if len(numbers) not in {4, 6} or not all(map(math.isfinite, numbers)):
        raise BadParameter("bbox must be 4 numbers, or 6 with heights")
    half = len(numbers) // 2
    (west, south), (east, north) = numbers[:2], numbers[half : half + 2]
    if not (-180 <= west <= 180 and -180 <= east <= 180):
        raise BadParameter("bbox: longitudes lie between -180 and 180; across 180 west > east")
    if not -90 <= south <= north <= 90:
        raise BadParameter("bbox: latitudes lie between -90 and 90, the southern one first")
    return west, south, east, north


def _interval(text: str) -> tuple[datetime | None, datetime | None]:
    """Read an instant, or two with `/` between; one end may be open: `..` or nothing."""
    parts = text.split("/")
    if len(parts) == 1 and parts[0] not in {"", ".."}:
        return _instant(text, is_end=False), _instant(text, is_end=True)
    if len(parts) != 2 or all(part in {"", ".."} for part in parts):
        raise BadParameter("datetime must be a time, or two with / between, one of them open")
    begins, ends = (
        None if part in {"", ".."} else _instant(part, is_end=bool(n))
        for n, part in enumerate(parts)
    )
    if begins and ends and begins > ends:
        raise BadParameter("datetime: the first time must not be after the second")
    return begins, ends


def _instant(text: str, *, is_end: bool) -> datetime:
    """Read RFC 3339; a date alone is its whole day in UTC."""
    try:
        if len(text) == len("2026-11-22"):
            day = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            return day + timedelta(days=1, microseconds=-1) if is_end else day
        # In a query a bare + arrives as a blank.
        at = datetime.fromisoformat(text.replace(" ", "+"))
    except (ValueError, OverflowError):
        raise BadParameter("datetime must be RFC 3339, such as 2026-11-22T08:30:00Z") from None
    if at.tzinfo is None:
        raise BadParameter("datetime must name its offset from UTC, such as Z")
    return at.astimezone(UTC)
