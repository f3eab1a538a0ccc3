"""The process that works off one simulation: `python -m dispatch.simulation.job ID`.

A runner starts it, so that neither the drawing of charts nor the arithmetic is in a runner. The
settings stand in the environment.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, errors, matching, orgs, policies, settings
from dispatch.settings import Settings
from dispatch.simulation import jobs, page, places, report, run
from dispatch.simulation.jobs import Asked, Job
from dispatch.simulation.world import SETTINGS

#: Progress is written down every so many seconds.
NOTE_EVERY_S = 2.0
#: It waits for everybody else who needs the processor.
_NICE = 5


def _now() -> datetime:
    return datetime.now(UTC)


async def work(
    database: db.Database,
    known: Settings,
    job_id: UUID,
    *,
    processes: int = 1,
    clock: Callable[[], datetime] = _now,
) -> UUID | None:
    """Play a job that was taken, and keep its report; what cannot be played is written down.

    What breaks ends the process, and the runner notes that (`working.work_one`).
    """
    async with database.snapshot() as conn:
        job = await jobs.get(conn, job_id)
        version = await policies.get(conn, job.policy_id)
    try:
        async with database.snapshot() as conn:
            request, place = await request_of(conn, known, job, version.policy, now=clock())
        load = places.load_per_alert(request)
        results = await _play(database, job, request, processes, clock)
        body = report.body(request, results, place=place, load_per_alert=load)
        html = await asyncio.to_thread(page.render, body)
    except errors.DispatchError as wrong:
        await _fail(database, job_id, str(wrong), now=clock())
        return None
    async with database.transaction() as conn:
        return await jobs.finish(conn, job, body, html, now=clock())


async def request_of(
    conn: AsyncConnection, known: Settings, job: Job, policy: matching.Policy, *, now: datetime
) -> tuple[run.Request, str]:
    """Read what is to be played, and name the place; the job's policy comes first."""
    asked = Asked.from_document(job.request)
    others = (matching.SHIPPED[name] for name in asked.compare)
    compared = tuple(other for other in others if other.digest() != policy.digest())
    world = SETTINGS[asked.setting]
    if asked.world is jobs.World.POISSON:
        request = run.Request((policy, *compared), world, run.Fields(), asked.seed, asked.incidents)
        return request, "Poisson " + "; ".join(one.label for one in world.densities)
    org = await orgs.get_org(conn, job.org_id)
    registry = await places.read(
        conn, org.path, walking_dir=known.walking_dir, speed_mps=known.walk_speed_mps,
        is_replay=asked.world is jobs.World.PAST, now=now,
    )  # fmt: skip
    world = places.world_of(world, registry)
    count = min(asked.incidents, len(registry.spots)) if registry.is_replay else asked.incidents
    return run.Request((policy, *compared), world, registry, asked.seed, count), org.name_zh


async def _play(
    database: db.Database,
    job: Job,
    request: run.Request,
    processes: int,
    clock: Callable[[], datetime],
) -> run.Results:
    """Play in a thread and say meanwhile how far it is."""
    done = 0

    def hear(count: int) -> None:
        nonlocal done
        done = count

    playing = asyncio.create_task(
        asyncio.to_thread(run.simulate, request, processes=processes, on_progress=hear)
    )
    while not (await asyncio.wait({playing}, timeout=NOTE_EVERY_S))[0]:
        async with database.transaction() as conn:
            await jobs.note(conn, job.id, done=done, now=clock())
    return await playing


async def _fail(database: db.Database, job_id: UUID, error: str, *, now: datetime) -> None:
    async with database.transaction() as conn:
        await jobs.fail(conn, job_id, error, now=now)


async def _main(job_id: UUID) -> None:
    known = settings.read()
    engine = db.make_engine(known.database_url, pool_size=2)
    try:
        await work(db.Database(engine, None), known, job_id)
    finally:
        await engine.dispose()


if __name__ == "__main__":
    os.nice(_NICE)
    asyncio.run(_main(UUID(sys.argv[1])))
