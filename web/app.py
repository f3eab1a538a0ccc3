"""One app process: builds everything, starts the live log, and closes it all at the end.

It starts without its dependencies: while PostgreSQL or Redis is away, /livez says 200, /readyz and
whatever needs them say 503, and nothing has to be restarted when they are back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from dispatch import db, silence
from dispatch.settings import Settings
from realtime import bus, deadline
from web import (
    aed_page,
    alert_page,
    api,
    channel_watch,
    compression,
    dependencies,
    headers,
    limits,
    live,
    metrics,
    openapi,
    pages,
    plain_nearest,
    planner_tiles,
    problems,
    recent_callers,
    self_watch,
    shedding,
    tiles,
    walking_watch,
)
from web.api import nearest_aeds
from web.ogc import pages as ogc_pages

#: A Redis that does not answer within this time is left alone; alerts do not need it.
REDIS_WITHIN_S = 0.5

#: A stopping process waits so long for statements that were given up.
STOP_WITHIN_S = 2.0

_DESCRIPTION = """
Open emergency-response and AED dispatch for Red Cross societies.

JSON in UTF-8, times in RFC 3339 and UTC, metres, seconds, GeoJSON (WGS-84, longitude first). A
request with positions may say `crs` (`wgs84`, `gcj02`, `bd09`) in its body or query; `?crs=`
decides the positions of the answer, which names it. Errors are problem documents (RFC 9457) with a
stable `code`, in the caller's language (`?lang=zh|en`, the person's own, `Accept-Language`). Every
POST that creates or alerts needs an `Idempotency-Key`. What has a `version` carries an `ETag`;
PATCH needs `If-Match`, and without it, or with a stale one, answers 412. Lists take
`?limit=&cursor=` and give `next_cursor`. Sign in by `POST /session` (a cookie) or send
`Authorization: Bearer TOKEN`.
"""


def create_app(settings: Settings) -> FastAPI:
    """Build the app; nothing is connected before it is started."""
    app = FastAPI(
        title="Golden Minutes",
        version="1",
        description=_DESCRIPTION,
        lifespan=_lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.state.network = walking_watch.empty(settings)
    app.state.tiles = tiles.Tiles(settings)
    app.state.callers = recent_callers.RecentCallers()
    problems.install(app)
    openapi.install(app)
    # Routes are matched one after the other: first what a map asks for by the dozen, and what every
    # phone asks for in the second after a restart.
    app.include_router(tiles.router)
    app.include_router(live.router)
    for router in api.ROUTERS:
        app.include_router(router, prefix="/api/v1", responses=problems.RESPONSES)
    maps = (planner_tiles.router, ogc_pages.router)
    for router in (api.health.router, *maps, aed_page.router, alert_page.router, pages.router):
        app.include_router(router)
    app.add_middleware(plain_nearest.PlainNearest)  # the innermost
    app.add_middleware(compression.CompressedFiles)
    app.add_middleware(limits.BodyLimit)
    app.add_middleware(shedding.Shedding)
    app.add_middleware(metrics.Measured)
    app.add_middleware(headers.SecurityHeaders, is_https=settings.base_url.startswith("https://"))
    if settings.allowed_origins:
        _allow_origins(app, settings)
    app.add_middleware(live.Entry)  # the outermost: thousands of sockets come in one second
    return app


def _allow_origins(app: FastAPI, settings: Settings) -> None:
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(settings.allowed_origins),
        allow_credentials=True,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-Match"],
        expose_headers=["ETag", "Location", "Retry-After", "Idempotent-Replayed"],
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    async with AsyncExitStack() as stack:
        engine = db.make_engine(settings.database_url)
        stack.push_async_callback(engine.dispose)
        # Requests that wait for a lock may hold every connection; the live log has its own.
        reading = db.make_engine(settings.database_url, pool_size=2)
        stack.push_async_callback(reading.dispose)
        await stack.enter_async_context(silence.given_up_on(engine, reading))
        redis = bus.connect(settings.redis_url, within_s=REDIS_WITHIN_S)
        stack.push_async_callback(redis.aclose)
        stack.push_async_callback(deadline.let_end, STOP_WITHIN_S)
        app.state.redis = redis
        app.state.database = db.Database(engine, redis)
        stack.push_async_callback(app.state.database.settle)
        app.state.finder = await stack.enter_async_context(nearest_aeds.running(app))
        app.state.http = await stack.enter_async_context(httpx.AsyncClient(timeout=5.0))
        app.state.channels = channel_watch.ChannelWatch(app.state.database)
        app.state.live = live.Live(app.state.database, redis, settings, reading=reading)
        app.state.watch = self_watch.SelfWatch(
            app.state.live, dependencies.timepiece, every_s=settings.watch_every_s
        )
        await app.state.watch.begin()
        await walking_watch.load(app)
        await stack.enter_async_context(app.state.live.running())
        await stack.enter_async_context(_beside(app))
        stack.enter_context(metrics.served(app))
        yield


@asynccontextmanager
async def _beside(app: FastAPI) -> AsyncIterator[None]:
    """Run what belongs to no request while the app serves."""
    async with asyncio.TaskGroup() as tasks:
        watch = tasks.create_task(walking_watch.watch(app), name="walking watch")
        drawing = tasks.create_task(tiles.prepare(app), name="map of AEDs")
        channels = tasks.create_task(app.state.channels.run(), name="channel watch")
        itself = tasks.create_task(app.state.watch.run(), name="self watch")
        yield
        itself.cancel()
        watch.cancel()
        drawing.cancel()
        channels.cancel()
