"""Simulations that were asked for over HTTP: queued, worked off by one runner, kept as a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, store, tables

#: A process that has not said anything for so long is taken to be gone.
LEASE = timedelta(seconds=60)


class Status(StrEnum):
    """How far a simulation has come."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class World(StrEnum):
    """Where it is played: on Poisson fields, on the real place, or with its past incidents."""

    POISSON = "poisson"
    HERE = "here"
    PAST = "past"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be played: the policy itself, and shipped ones to compare it with."""

    world: World
    incidents: int
    seed: int
    compare: tuple[str, ...]
    setting: str = "base"

    def document(self) -> dict[str, Any]:
        """Write it as JSON."""
        return {
            "world": self.world.value, "incidents": self.incidents, "seed": self.seed,
            "compare": list(self.compare), "setting": self.setting,
        }  # fmt: skip

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Asked:
        """Read what `document` wrote."""
        return cls(
            World(document["world"]), int(document["incidents"]), int(document["seed"]),
            tuple(document["compare"]), str(document["setting"]),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """One simulation of one version of a policy."""

    id: UUID
    org_id: UUID
    policy_id: UUID
    request: Mapping[str, Any]
    status: Status
    done: int
    report_id: UUID | None
    error: str | None
    created_by: UUID | None
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def from_row(cls, row: sa.RowMapping) -> Job:
        """Read a row of the table."""
        plain = {field.name: row[field.name] for field in fields(cls) if field.name != "status"}
        return cls(**plain, status=Status(row["status"]))


@dataclass(frozen=True, slots=True)
class Report:
    """A report as it was kept."""

    id: UUID
    org_id: UUID | None
    digests: Sequence[str]
    seed: int
    incidents: int
    body: Mapping[str, Any]
    html: str | None
    made_at: datetime
    made_by: UUID | None


async def add(
    conn: AsyncConnection,
    org_id: UUID,
    policy_id: UUID,
    asked: Asked,
    *,
    by: UUID | None,
    now: datetime,
) -> Job:
    """Queue a simulation."""
    row = await conn.execute(
        sa.insert(tables.simulation_job)
        .values(
            id=store.new_id(), org_id=org_id, policy_id=policy_id, request=asked.document(),
            created_by=by, created_at=now,
        )
        .returning(tables.simulation_job)
    )  # fmt: skip
    return Job.from_row(row.mappings().one())


async def get(conn: AsyncConnection, job_id: UUID) -> Job:
    """Return a simulation. Raises NotFound."""
    table = tables.simulation_job
    row = (await conn.execute(sa.select(table).where(table.c.id == job_id))).mappings().first()
    if row is None:
        raise errors.NotFound
    return Job.from_row(row)


# ix_simulation_job_open: few are.
_TAKE = sa.text("""
update simulation_job set status = 'running', done = 0, leased_until = :until
where id = (
    select id from simulation_job
    where status = 'queued' or (status = 'running' and leased_until < :now)
    order by created_at, id
    for update skip locked
    limit 1
)
returning id
""")


async def take(conn: AsyncConnection, *, now: datetime) -> UUID | None:
    """Take the simulation that waits longest, or one whose process is gone."""
    found: UUID | None = await conn.scalar(_TAKE, {"now": now, "until": now + LEASE})
    return found


async def note(conn: AsyncConnection, job_id: UUID, *, done: int, now: datetime) -> None:
    """Say how far it is, and that somebody still works on it."""
    table = tables.simulation_job
    await conn.execute(
        sa.update(table)
        .where(table.c.id == job_id, table.c.status == Status.RUNNING.value)
        .values(done=done, leased_until=now + LEASE)
    )


async def finish(
    conn: AsyncConnection, job: Job, body: Mapping[str, Any], html: str, *, now: datetime
) -> UUID | None:
    """Keep the report; None when somebody else has finished meanwhile."""
    table = tables.simulation_job
    locked = await conn.scalar(
        sa.select(table.c.status).where(table.c.id == job.id).with_for_update()
    )
    if locked != Status.RUNNING.value:
        return None
    report_id = store.new_id()
    await conn.execute(
        sa.insert(tables.simulation_report).values(
            id=report_id, org_id=job.org_id, seed=body["seed"], incidents=body["incidents"],
            digests=[policy["digest"] for policy in body["policies"]],
            body=dict(body), html=html, made_at=now, made_by=job.created_by,
        )
    )  # fmt: skip
    await conn.execute(
        sa.update(table)
        .where(table.c.id == job.id)
        .values(
            status=Status.DONE.value, report_id=report_id, done=body["incidents"],
            leased_until=None, finished_at=now,
        )
    )  # fmt: skip
    return report_id


async def fail(conn: AsyncConnection, job_id: UUID, error: str, *, now: datetime) -> None:
    """Give up, and say why."""
    table = tables.simulation_job
    await conn.execute(
        sa.update(table)
        .where(table.c.id == job_id, table.c.status == Status.RUNNING.value)
        .values(status=Status.FAILED.value, error=error, leased_until=None, finished_at=now)
    )


async def get_report(conn: AsyncConnection, report_id: UUID) -> Report:
    """Return a report. Raises NotFound."""
    table = tables.simulation_report
    row = (await conn.execute(sa.select(table).where(table.c.id == report_id))).mappings().first()
    if row is None:
        raise errors.NotFound
    return Report(**{field.name: row[field.name] for field in fields(Report)})


# ix_simulation_report_org_id, or all of a few organisations.
_REPORTS = sa.text("""
select simulation_report.id, org_id, digests, seed, incidents, body, null as html, made_at, made_by
from simulation_report left join org on org.id = simulation_report.org_id
where (cast(:after as uuid) is null or simulation_report.id < :after)
  and (org_id is null or exists (
       select from unnest(cast(:paths as text[])) as mine where starts_with(org.path, mine)))
order by simulation_report.id desc
limit :most
""")


async def list_reports(
    conn: AsyncConnection, paths: Sequence[str], *, after: UUID | None = None, limit: int = 100
) -> list[Report]:
    """List the reports of the organisations at and below these paths, the latest first."""
    values = {"after": after, "paths": list(paths), "most": limit}
    rows = await conn.execute(_REPORTS, values)
    return [Report(**dict(row)) for row in rows.mappings()]
