"""Work off simulations beside the runner: one at a time, each in a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import datetime
from uuid import UUID

import structlog

from dispatch import db, settings
from dispatch.settings import Settings
from dispatch.simulation import jobs

_log = structlog.get_logger(__name__)


async def work_one(database: db.Database, known: Settings, *, now: datetime) -> UUID | None:
    """Take the next simulation and play it to its end; None when there is none.

    The process is ended when this is cancelled; the simulation is then taken again later.
    """
    async with database.transaction() as conn:
        job_id = await jobs.take(conn, now=now)
    if job_id is None:
        return None
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dispatch.simulation.job", str(job_id),
        stdin=asyncio.subprocess.DEVNULL, env={**os.environ, **_environment(known)},
    )  # fmt: skip
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        process.terminate()
        raise
    if code:
        _log.error("simulation_failed", simulation=str(job_id), code=code)
        async with database.transaction() as conn:
            await jobs.fail(conn, job_id, f"the process ended with {code}", now=now)
    return job_id


def _environment(known: Settings) -> dict[str, str]:
    """Tell the process where the database and the streets are."""
    values = {
        "DATABASE_URL": known.database_url,
        "DATA_DIR": str(known.data_dir),
        "WALK_SPEED_MPS": str(known.walk_speed_mps),
    }
    return {f"{settings.PREFIX}{name}": value for name, value in values.items()}
