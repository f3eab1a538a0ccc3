"""Is this process alive, and can it do its work."""

from __future__ import annotations

import shutil
from typing import Literal

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import SQLAlchemyError

from dispatch import errors
from realtime import deadline, watch
from web import fields
from web.dependencies import Database, Settings

router = APIRouter(tags=["health"])

#: A full disk stops PostgreSQL; better to be taken out before.
DISK_LEAST_BYTES = 200 * 1024 * 1024
#: A database that does not answer within this time is as good as none.
ANSWER_WITHIN_S = 2.0


class LiveShape(fields.Shape):
    """This process runs."""

    status: Literal["ok"]


class TroubleShape(fields.Shape):
    """A broken link in the way of an alert, and since when; docs/watch.md says what to do."""

    kind: watch.Kind
    since: str
    subject: str | None = None
    seconds: int | None = None


class ReadyShape(fields.Shape):
    """What this process can do, and what is broken."""

    status: Literal["ok"]
    database: bool
    redis: bool
    walking_network: bool
    troubles: list[TroubleShape]


class NotReady(errors.DispatchError):
    """PostgreSQL cannot be written to, or the disk is full."""


@router.get("/livez", response_model=LiveShape, summary="This process runs")
async def livez() -> Response:
    """Answer without looking at anything else."""
    return fields.send({"status": "ok"})


# Under repeatable read only, hence no view: a standby says yes to reads.
_WRITABLE = sa.text("select not pg_is_in_recovery() and to_regclass('incident') is not null")


@router.get("/readyz", response_model=ReadyShape, summary="This process can do its work")
async def readyz(request: Request, database: Database, settings: Settings) -> Response:
    """Say 200 when PostgreSQL can be written to and the disk has room, else 503.

    Redis and the walking network are named, and their absence is no failure: alerts go without.
    `troubles` are what is broken in the way of an alert; a process that is sound goes on serving.
    """
    troubles = [trouble.out() for trouble in request.app.state.watch.troubles]

    async def look() -> bool:
        async with database.engine.connect() as conn:
            return bool(await conn.scalar(_WRITABLE))

    try:
        is_writable = await deadline.within(ANSWER_WITHIN_S, look())
    except (OSError, SQLAlchemyError):  # TimeoutError is an OSError
        raise NotReady(state={"troubles": troubles}) from None
    free = shutil.disk_usage(settings.data_dir if settings.data_dir.exists() else "/").free
    if not is_writable or free < DISK_LEAST_BYTES:
        raise NotReady(state={"troubles": troubles})
    state = request.app.state
    body = {
        "status": "ok",
        "database": True,
        "redis": state.live.tailer.is_hearing,
        "walking_network": bool(state.network.generation),
        "troubles": troubles,
    }
    return fields.send(body)
