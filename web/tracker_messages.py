"""What tracking apps send: Traccar Client's two protocols and OwnTracks, read into one shape."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from geo.position import Position

#: Numbers of seconds above this are milliseconds; it is the year 5138 in seconds.
_MILLISECONDS_FROM = 1e11


class Unreadable(ValueError):
    """A message that is no position; the text says what to send."""


@dataclass(frozen=True, slots=True)
class Message:
    """A position as an app sent it, WGS-84; `secret` is what the app named itself by, if it did."""

    secret: str
    position: Position
    accuracy_m: float | None
    at: datetime | None


def osmand(query: Mapping[str, str]) -> Message:
    """Read Traccar Client's parameters (the OsmAnd protocol). Raises Unreadable, BadPosition."""
    lon, lat = query.get("lon"), query.get("lat")
    if lon is None or lat is None:
        # Some apps of the family send both in one.
        lat, _, lon = query.get("location", "").partition(",")
    return Message(
        secret=query.get("id") or query.get("deviceid") or "",
        position=Position(_number("lon", lon), _number("lat", lat)),
        accuracy_m=_accuracy(query.get("accuracy")),
        at=_instant(query.get("timestamp")),
    )


def traccar(body: object) -> Message:
    """Read the JSON of newer Traccar Clients. Raises Unreadable, BadPosition.

    Of several positions the last is taken.
    """
    match body:
        case {"device_id": str(secret), "location": [*_, dict(location)]}:
            pass
        case {"device_id": str(secret), "location": dict(location)}:
            pass
        case _:
            raise Unreadable("send device_id and location, or id, lat and lon as parameters")
    coords = location.get("coords")
    if not isinstance(coords, Mapping):
        raise Unreadable("location must have coords")
    return Message(
        secret=secret,
        position=Position(
            _number("longitude", coords.get("longitude")),
            _number("latitude", coords.get("latitude")),
        ),
        accuracy_m=_accuracy(coords.get("accuracy")),
        at=_instant(location.get("timestamp")),
    )


def owntracks(body: object) -> Message | None:
    """Read OwnTracks' JSON; None for a message that is no position. Raises as the others."""
    if not isinstance(body, Mapping) or body.get("_type") != "location":
        return None
    return Message(
        secret="",
        position=Position(_number("lon", body.get("lon")), _number("lat", body.get("lat"))),
        accuracy_m=_accuracy(body.get("acc")),
        at=_instant(body.get("tst")),
    )


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Unreadable(f"{name} must be a number")
    try:
        found = float(value)
    except (ValueError, OverflowError):
        raise Unreadable(f"{name} must be a number") from None
    if not math.isfinite(found):
        raise Unreadable(f"{name} must be a number")
    return found


def _accuracy(value: Any) -> float | None:
    """Read metres; apps say -1, or 0, when they do not know."""
    if value in {None, ""}:
        return None
    found = _number("accuracy", value)
    return found if found > 0 else None


def _instant(value: Any) -> datetime | None:
    """Read seconds or milliseconds since 1970, or a time in words, UTC if it names no offset."""
    if value in {None, ""}:
        return None
    try:
        if isinstance(value, str) and not value.lstrip("-").replace(".", "", 1).isdigit():
            said = datetime.fromisoformat(value.strip())
            return said if said.tzinfo is not None else said.replace(tzinfo=UTC)
        number = _number("timestamp", value)
        seconds = number / 1000 if abs(number) > _MILLISECONDS_FROM else number
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise Unreadable("timestamp must be seconds since 1970 or an ISO 8601 time") from None
