"""What routes ask for by type: a transaction, a view, the caller, the time, the shared parts.

    async def show(incident_id: UUID, conn: View, caller: Caller) -> Incident: ...

`Tx` commits before the reply is sent (scope="function"; FastAPI's default would send first).
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated

import httpx
import redis.asyncio
from fastapi import Depends, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, matching, planning, settings
from geo import datum, walking
from realtime import clocks, deadline
from web import auth, language
from web.plain_depends import at_once

#: Longer than this nobody waits to learn that the database is away.
LOOK_WITHIN_S = 2.5


def _wall() -> datetime:
    return datetime.now(UTC)


#: This process's time; the machine's clock is read here and nowhere else in web.
timepiece = clocks.Clock(_wall, time.monotonic)


def clock() -> datetime:
    """Read the clock: the one instant at which everything in a request happens."""
    return timepiece.now()


def now_of(request: Request) -> datetime:
    """Give the instant at which this request happens; read once."""
    if not hasattr(request.state, "now"):
        request.state.now = clock()
    return request.state.now  # type: ignore[no-any-return]  # Starlette's state is untyped


def settings_of(request: Request) -> settings.Settings:
    """Give the settings that the app was made with."""
    return request.app.state.settings  # type: ignore[no-any-return]  # Starlette's state is untyped


def database_of(request: Request) -> db.Database:
    """Give the database."""
    return request.app.state.database  # type: ignore[no-any-return]  # Starlette's state is untyped


def redis_of(request: Request) -> redis.asyncio.Redis:
    """Give the Redis client; every call may fail and none may matter."""
    return request.app.state.redis  # type: ignore[no-any-return]  # Starlette's state is untyped


def network_of(request: Request) -> walking.WalkingNetwork:
    """Give the walking network of this moment; an import swaps it whole."""
    return request.app.state.network  # type: ignore[no-any-return]  # Starlette's state is untyped


def http_of(request: Request) -> httpx.AsyncClient:
    """Give the client for the routing service."""
    return request.app.state.http  # type: ignore[no-any-return]  # Starlette's state is untyped


def policy_of(request: Request) -> matching.Policy:
    """Give the alert policy with this installation's numbers."""
    return planning.policy_of(settings_of(request))


Now = Annotated[datetime, Depends(at_once(now_of))]
Settings = Annotated[settings.Settings, Depends(at_once(settings_of))]
Database = Annotated[db.Database, Depends(at_once(database_of))]
Redis = Annotated[redis.asyncio.Redis, Depends(at_once(redis_of))]
Network = Annotated[walking.WalkingNetwork, Depends(at_once(network_of))]
Policy = Annotated[matching.Policy, Depends(at_once(policy_of))]
Http = Annotated[httpx.AsyncClient, Depends(at_once(http_of))]
Language = Annotated[language.Language, Depends(at_once(language.of))]


async def identify(request: Request) -> auth.Caller | None:
    """Say who is calling, if anybody; asked once a request, on a connection given back at once.

    A browser's change from a foreign page is refused here, before anything is read.
    """
    if hasattr(request.state, "caller"):
        return request.state.caller  # type: ignore[no-any-return]  # Starlette's state is untyped
    configured = settings_of(request)
    auth.check_origin(request, configured)
    token, cookie = auth.bearer_of(request), auth.cookie_of(request, configured)
    caller = None
    if token or cookie:
        # A database that hangs is noticed here, before a request can hang with it.
        caller = await deadline.within(LOOK_WITHIN_S, _look(request, token, cookie))
    request.state.caller = caller
    return caller


async def _look(request: Request, token: str | None, cookie: str | None) -> auth.Caller | None:
    now = now_of(request)
    async with database_of(request).single() as conn:
        if token:
            return await auth.caller_from_token(conn, token, now=now)
        return await auth.caller_from_cookie(conn, cookie, now=now)


async def require_caller(
    caller: Annotated[auth.Caller | None, Depends(identify)],
) -> auth.Caller:
    """Give who is calling. Raises NotSignedIn."""
    if caller is None:
        raise auth.NotSignedIn
    return caller


MaybeCaller = Annotated[auth.Caller | None, Depends(identify)]
Caller = Annotated[auth.Caller, Depends(require_caller)]


# Both wait for `identify`, so that no request holds one connection while it waits for another.
async def in_transaction(request: Request, _caller: MaybeCaller) -> AsyncIterator[AsyncConnection]:
    """Give the request's one transaction."""
    opened: AsyncConnection | None = getattr(request.state, "transaction", None)
    if opened is not None:  # web/idempotency.py opened it, and commits after storing the answer
        yield opened
        return
    async with database_of(request).transaction() as conn:
        yield conn


async def _view(request: Request, _caller: MaybeCaller) -> AsyncIterator[AsyncConnection]:
    async with database_of(request).snapshot() as conn:
        yield conn


#: One transaction for the request, committed before the reply.
Tx = Annotated[AsyncConnection, Depends(in_transaction, scope="function")]
#: A read-only look at one instant.
View = Annotated[AsyncConnection, Depends(_view, scope="function")]


def crs_of(
    crs: Annotated[
        datum.Crs,
        Query(description="Coordinate system of every position in the answer; sent ones too."),
    ] = datum.Crs.WGS84,
) -> datum.Crs:
    """Give the coordinate system that ?crs= names."""
    return crs


Crs = Annotated[datum.Crs, Depends(at_once(crs_of))]
