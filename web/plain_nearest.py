"""Answers plain questions for the nearest AEDs before FastAPI sees them, in half the time.

What is not plain (other parameters, values that may be wrong, a time, another system), and what
fails, goes on to the route in web/api/nearest_aeds.py, so that there is one place for refusals.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import psycopg
import sqlalchemy.exc
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from geo import datum
from geo.position import Position
from geo.routing import Mode
from web import dependencies
from web.api import nearest_aeds
from web.api.nearest import Ask

PATH = "/api/v1/nearest/aeds"
# An outage is answered where all outages are.
_OUTAGES = (sqlalchemy.exc.SQLAlchemyError, psycopg.Error, TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class _Named:
    """Stands for the route where requests are counted by the route's path."""

    path: str


_ROUTE = _Named(PATH)


class PlainNearest:
    """The innermost layer around the routes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "GET":
            content = await _answer(Request(scope))
            if content is not None:
                scope["route"] = _ROUTE
                length = str(len(content)).encode()
                headers = [(b"content-length", length), (b"content-type", b"application/json")]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": content})
                return
        await self._app(scope, receive, send)


async def _answer(request: Request) -> bytes | None:
    read = _plain(request)
    if read is None:
        return None
    ask, only_usable = read
    state = request.app.state
    finder: nearest_aeds.Finder = state.finder
    try:
        await finder.callers.identify(request)
        return await finder.written(state.network, ask, only_usable=only_usable)
    except _OUTAGES:
        return None


_NUMBER = re.compile(r"-?[0-9]{1,4}(?:\.[0-9]{1,16})?")
_NAMES = frozenset({"lon", "lat", "limit", "within_s", "usable", "lang"})


def _plain(request: Request) -> tuple[Ask, bool] | None:
    """Read a question that is surely right; None for every other."""
    parts = [part.partition("=") for part in request.scope["query_string"].decode().split("&")]
    asked = {name: value for name, _, value in parts}
    numbers = {
        "lon": asked.get("lon", ""),
        "lat": asked.get("lat", ""),
        "limit": asked.get("limit", "10"),
        "within_s": asked.get("within_s", "900"),
    }
    usable = asked.get("usable", "any")
    is_known = asked.keys() <= _NAMES and usable in {"yes", "any"} and numbers["limit"].isdigit()
    if not is_known or not all(map(_NUMBER.fullmatch, numbers.values())):
        return None
    lon, lat, limit, within_s = (float(number) for number in numbers.values())
    if abs(lon) > 180 or abs(lat) > 90 or not 1 <= limit <= 200 or not 0 < within_s <= 7200:
        return None
    origin = Position(lon, lat)
    return Ask(
        origin, dependencies.clock(), int(limit), within_s, Mode.WALK, datum.Crs.WGS84
    ), usable == "yes"
