"""What bodies and answers are made of: strict values, positions in three systems, pages.

Bodies refuse fields that they do not know and values of another kind (a boolean is no number).
Everything inside is WGS-84; `crs` is read and written here only.
"""

from __future__ import annotations

import base64
import binascii
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import orjson
from fastapi import Depends, Query
from fastapi.responses import Response
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)
from starlette.requests import Request

from dispatch import errors
from geo import datum
from geo.position import Position
from web.plain_depends import at_once


class Body(BaseModel):
    """What a client sends; nothing more than is declared, nothing of another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Shape(BaseModel):
    """What we answer; used for the OpenAPI text, and by tests that compare it with the answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# ---- single values

_ALLOWED_CONTROLS = frozenset("\n\r\t")


def _plain(text: str) -> str:
    if (
        text.isprintable()
    ):  # nearly all are, and to look at each letter takes a hundred times longer
        return text
    for letter in text:
        category = unicodedata.category(letter)
        if category == "Cs" or (category == "Cc" and letter not in _ALLOWED_CONTROLS):
            raise ValueError("must not hold control characters")
    return text


def _instant(value: object) -> object:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or len(value) < len("2026-01-01T00:00Z"):
        raise ValueError("must be an RFC 3339 time such as 2026-11-22T08:30:00Z")
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("must be an RFC 3339 time such as 2026-11-22T08:30:00Z") from None
    if found.tzinfo is None:
        raise ValueError("must name its offset from UTC, such as Z")
    return found.astimezone(UTC)


def _point(value: object) -> Position:
    if isinstance(value, Mapping) and "type" not in value and {"lon", "lat"} == value.keys():
        return Position(value["lon"], value["lat"])
    return Position.from_geojson(value)


_POINT_SCHEMA = {
    "oneOf": [
        {
            "type": "object",
            "title": "GeoJSON Point",
            "required": ["type", "coordinates"],
            "properties": {
                "type": {"const": "Point"},
                "coordinates": {
                    "type": "array",
                    "items": {"type": "number"},
                    "minItems": 2,
                    "maxItems": 3,
                    "description": "longitude, latitude",
                },
            },
        },
        {
            "type": "object",
            "title": "lon and lat",
            "required": ["lon", "lat"],
            "properties": {"lon": {"type": "number"}, "lat": {"type": "number"}},
        },
    ]
}

#: For enums, ids and dates, which arrive as text.
Lax = Field(strict=False)
Id = Annotated[UUID, Lax]
Day = Annotated[date, Lax]
At = Annotated[datetime, BeforeValidator(_instant)]
Place = Annotated[Position, PlainValidator(_point), WithJsonSchema(_POINT_SCHEMA)]
Word = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(_plain)
]
Name = Annotated[Word, StringConstraints(min_length=1)]
Text = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=4000), AfterValidator(_plain)
]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$")]
Crs = Annotated[
    datum.Crs | None, Lax, Field(description="System of the positions sent; default wgs84.")
]


class PointShape(Shape):
    """A GeoJSON Point."""

    type: str
    coordinates: list[float]


# ---- positions in other systems


@dataclass(frozen=True, slots=True)
class Sent:
    """A position as it was sent, and the system in which it was meant."""

    position: Position
    crs: datum.Crs

    @property
    def wgs84(self) -> Position:
        """Give it as everything inside has it."""
        return inward(self.position, self.crs)


def inward(position: Position, *named: datum.Crs | None) -> Position:
    """Turn a position into WGS-84 from the first system named: the body's, then the query's."""
    crs = next((crs for crs in named if crs is not None), datum.Crs.WGS84)
    return Position(*datum.to_wgs84(position.lon, position.lat, crs))


def outward(body: Any, crs: datum.Crs) -> Any:
    """Turn every GeoJSON geometry inside a JSON value from WGS-84 into `crs`."""
    if crs is datum.Crs.WGS84:
        return body
    if isinstance(body, Mapping):
        return {
            name: _shift(value, crs) if name == "coordinates" else outward(value, crs)
            for name, value in body.items()
        }
    if isinstance(body, list | tuple):
        return [outward(value, crs) for value in body]
    return body


def _shift(coordinates: Sequence[Any], crs: datum.Crs) -> list[Any]:
    if coordinates and isinstance(coordinates[0], int | float):
        return list(datum.from_wgs84(coordinates[0], coordinates[1], crs))
    return [_shift(part, crs) for part in coordinates]


def send(
    body: Mapping[str, Any],
    crs: datum.Crs | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with JSON; where it has positions they are in `crs`, which the answer names.

    An answer with a `version` carries it as its ETag too.
    """
    sent = dict(headers or {})
    if isinstance(version := body.get("version"), int):
        sent["ETag"] = f'"{version}"'
    said = body if crs is None else {**outward(body, crs), "crs": crs.value}
    content = orjson.dumps(said, option=orjson.OPT_UTC_Z)
    return Response(content, status, headers=sent, media_type="application/json")


def created(body: Mapping[str, Any], path: str, crs: datum.Crs | None = None) -> Response:
    """Answer 201 with the new thing and its address."""
    headers = {"Location": f"/api/v1{path}/{body['id']}"}
    return send(body, crs, status=201, headers=headers)


# ---- versions


class VersionRequired(errors.StaleVersion):
    """A change must say which version it was made from."""

    code = "version_required"


def _if_match(request: Request) -> int:
    tag = request.headers.get("if-match", "").strip().removeprefix("W/").strip('"')
    if not tag.isascii() or not tag.isdigit() or len(tag) > 9:
        raise VersionRequired
    return int(tag)


#: The version that a PATCH was made from, of its If-Match header.
Version = Annotated[int, Depends(at_once(_if_match))]


# ---- pages


def cursor_of(key: object) -> str:
    """Write where a page ended; opaque to clients."""
    return base64.urlsafe_b64encode(str(key).encode()).decode()


def _cursor(text: str) -> str:
    try:
        return _plain(base64.urlsafe_b64decode(text.encode()).decode())
    except (binascii.Error, UnicodeError):
        raise ValueError("must be a next_cursor that we gave") from None


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted: so many, after that key."""

    limit: int
    after: str | None


def _page(
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[
        Annotated[str, AfterValidator(_cursor)] | None,
        Query(max_length=400, description="The next_cursor of the page before."),
    ] = None,
) -> Page:
    return Page(limit, cursor)


def id_of(key: str) -> UUID:
    """Read a cursor that was made of an id; another list's cursor is malformed."""
    try:
        return UUID(key)
    except ValueError:
        raise errors.Malformed("cursor is another list's") from None


Paging = Annotated[Page, Depends(at_once(_page))]


def paged(items: Sequence[Mapping[str, Any]], page: Page, keys: Sequence[object]) -> dict[str, Any]:
    """Cut a list that was read one longer than the page, and say where the next one begins."""
    has_more = len(items) > page.limit
    return {
        "items": list(items[: page.limit]),
        "next_cursor": cursor_of(keys[page.limit - 1]) if has_more else None,
    }


Key = TypeVar("Key")


def key_of(page: Page, kind: Callable[[str], Key]) -> Key | None:
    """Read the key after which a page begins as a UUID or a number. Raises Malformed."""
    if page.after is None:
        return None
    try:
        return kind(page.after)
    except ValueError:
        raise errors.Malformed("cursor must be a next_cursor that we gave") from None
