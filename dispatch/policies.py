"""Alert policies as versioned data: drafts, publishing after a simulation, and which one holds.

A version never changes. An incident keeps the policy of its latest decision, so that publishing
another one does not change course in the middle of an alarm.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, errors, matching, states, store, tables
from geo import position

_logger = logging.getLogger(__name__)

SHIPPED = matching.SHIPPED
DEFAULT = SHIPPED["expected-survival"]


class Status(StrEnum):
    """How far a version has come."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a policy with where and when it holds."""

    id: UUID
    org_id: UUID
    org_code: str
    name: str
    version: int
    note: str | None
    document: Mapping[str, Any]
    digest: str
    kinds: tuple[states.Kind, ...]
    severities: tuple[int, ...]
    # A GeoJSON geometry; None: everywhere.
    area: Mapping[str, Any] | None
    effective_from: datetime | None
    effective_until: datetime | None
    status: Status
    report_id: UUID | None
    created_by: UUID | None
    created_at: datetime
    published_by: UUID | None
    published_at: datetime | None
    retired_at: datetime | None

    @property
    def policy(self) -> matching.Policy:
        """Read the policy of this version."""
        return matching.Policy.from_document(self.document)

    @classmethod
    def from_row(cls, row: sa.RowMapping) -> Version:
        """Read a row of `_VERSIONS`."""
        typed: dict[str, Any] = {
            "kinds": tuple(states.Kind(kind) for kind in row["kinds"]),
            "severities": tuple(row["severities"]),
            "area": None if row["area"] is None else json.loads(row["area"]),
            "status": Status(row["status"]),
        }
        plain = {field.name: row[field.name] for field in fields(cls) if field.name not in typed}
        return cls(**plain, **typed)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a version holds; empty or None means everywhere. `area` is a GeoJSON geometry."""

    kinds: Sequence[states.Kind] = ()
    severities: Sequence[int] = ()
    area: Mapping[str, Any] | None = None


class Case(Protocol):
    """What decides about the policy; an incident is one."""

    @property
    def id(self) -> UUID:
        """Name it; its latest decision holds it to a policy."""

    @property
    def org_path(self) -> str:
        """Name the organisation."""

    @property
    def kind(self) -> states.Kind:
        """Say what kind of emergency it is."""

    @property
    def severity(self) -> int:
        """Say how urgent it is."""

    @property
    def position(self) -> position.Position:
        """Say where."""


# ix_allocation_incident_id; policies are few. Whatever is later of the same name takes the place of
# a version for good: retiring it must not bring back what an administrator has replaced.
_EFFECTIVE = sa.text("""
select coalesce(
    (select inputs -> 'values' -> 'policy' from allocation
     where incident_id = :incident_id and inputs -> 'values' ->> 'kind' = :kind
       and coalesce(cast(inputs ->> 'severity' as smallint), :severity)
           = cast(:severity as smallint)
     order by made_at desc, id desc limit 1),
    (select document from policy_version
     join org on org.id = policy_version.org_id and starts_with(:path, org.path)
     where policy_version.status = 'published' and effective_from <= :now
       and (effective_until is null or effective_until > :now)
       and (kinds = '{}' or :kind = any(kinds))
       and (severities = '{}' or cast(:severity as smallint) = any(severities))
       and (area is null or ST_Covers(
            area, cast(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) as geography)))
       and not exists (
           select from policy_version as later
           where later.org_id = policy_version.org_id and later.name = policy_version.name
             and later.status <> 'draft' and later.effective_from <= :now
             and (later.retired_at is null or later.retired_at > later.effective_from)
             and (later.effective_from, later.published_at, later.id)
                 > (policy_version.effective_from, policy_version.published_at, policy_version.id))
     order by length(org.path) desc, area is null, kinds = '{}', severities = '{}',
              effective_from desc, published_at desc, policy_version.id desc
     limit 1)
) as document
""")


async def effective(
    conn: AsyncConnection, incident: Case, *, base: matching.Policy, now: datetime
) -> matching.Policy:
    """Return the policy of an incident: of its last decision, else the most specific published.

    A decision counts that was made for the incident's present kind and severity: when one of them
    is corrected, the policy is chosen anew. A version holds until a later one of its name begins.
    The nearest organisation upwards decides first, then area, kind and severity, then the latest
    date. Without any that can be read it is `base`, the default with the numbers of the
    installation.
    """
    values = {
        "incident_id": incident.id, "path": incident.org_path, "kind": incident.kind.value,
        "severity": incident.severity, "now": now,
        "lon": incident.position.lon, "lat": incident.position.lat,
    }  # fmt: skip
    [[row]] = await db.together(conn, (_EFFECTIVE, values))
    document = row["document"]
    if document is None:
        return base
    try:
        return matching.Policy.from_document(document)
    except errors.BadPolicy:
        # Written by another release, perhaps; somebody has to be asked all the same.
        _logger.exception("the policy of incident %s is not readable: the base holds", incident.id)
        return base


# The primary key, or all versions of a few organisations: dozens.
_VERSIONS = sa.text("""
select policy_version.id, org_id, org.code as org_code, policy_version.name,
       policy_version.version, policy_version.note, document, digest, kinds, severities,
       ST_AsGeoJSON(area) as area, effective_from, effective_until, status, report_id,
       created_by, policy_version.created_at, published_by, published_at, retired_at
from policy_version join org on org.id = policy_version.org_id
where (cast(:id as uuid) is null or policy_version.id = :id)
  and (cast(:status as text) is null or status = :status)
  and (cast(:after as uuid) is null or policy_version.id < :after)
  and exists (select from unnest(cast(:paths as text[])) as mine where starts_with(org.path, mine))
order by policy_version.id desc
limit :most
""")


async def list_versions(
    conn: AsyncConnection,
    paths: Sequence[str],
    *,
    status: Status | None = None,
    after: UUID | None = None,
    limit: int = 100,
) -> list[Version]:
    """List the versions of the organisations at and below these paths, the latest first."""
    values = {
        "id": None, "status": None if status is None else status.value, "after": after,
        "paths": list(paths), "most": limit,
    }  # fmt: skip
    rows = await conn.execute(_VERSIONS, values)
    return [Version.from_row(row) for row in rows.mappings()]


async def get(conn: AsyncConnection, version_id: UUID) -> Version:
    """Return one version. Raises NotFound."""
    values = {"id": version_id, "status": None, "after": None, "paths": [""], "most": 1}
    row = (await conn.execute(_VERSIONS, values)).mappings().one_or_none()
    if row is None:
        raise errors.NotFound
    return Version.from_row(row)


# uq_policy_version_org_id_name_version numbers them; the organisation's row is locked meanwhile.
_ADD = sa.text("""
with next as (
    select coalesce(max(version), 0) + 1 as number from policy_version
    where org_id = :org_id and name = :name
)
insert into policy_version (id, org_id, name, version, note, document, digest, kinds, severities,
                            area, created_by, created_at)
select :id, :org_id, :name, next.number, :note, '{}', '', cast(:kinds as text[]),
       cast(:severities as smallint[]),
       cast(ST_Multi(ST_SetSRID(ST_GeomFromGeoJSON(:area), 4326)) as geography),
       :by, :now
from next
returning version
""")


async def draft(
    conn: AsyncConnection,
    org_id: UUID,
    name: str,
    document: Mapping[str, Any],
    *,
    bounds: Bounds = Bounds(),
    note: str | None = None,
    by: UUID | None,
    now: datetime,
) -> Version:
    """Add the next version of a policy as a draft; what the document leaves out is as shipped.

    Raises BadPolicy, which names the field.
    """
    # Read before anything is written, and again with the number that the version gets.
    named = {**document, "name": name}
    matching.Policy.from_document({**named, "version": 1})
    org = tables.org.c
    await conn.execute(sa.select(org.id).where(org.id == org_id).with_for_update(key_share=True))
    version_id = store.new_id()
    values = {
        "id": version_id, "org_id": org_id, "name": name, "note": note,
        "kinds": [kind.value for kind in bounds.kinds], "severities": list(bounds.severities),
        "area": None if bounds.area is None else json.dumps(bounds.area), "by": by, "now": now,
    }  # fmt: skip
    number = await conn.scalar(_ADD, values)
    policy = matching.Policy.from_document({**named, "version": number})
    row = tables.policy_version
    await conn.execute(
        sa.update(row)
        .where(row.c.id == version_id)
        .values(document=policy.document(), digest=policy.digest())
    )
    return await get(conn, version_id)


async def find_report(conn: AsyncConnection, org_id: UUID, digest: str) -> UUID | None:
    """Return the organisation's latest simulation report about exactly this policy.

    One from the command line is everybody's. Served by the gin index.
    """
    report = tables.simulation_report.c
    found: UUID | None = await conn.scalar(
        sa.select(report.id)
        .where(
            report.digests.contains([digest]),
            sa.or_(report.org_id.is_(None), report.org_id == org_id),
        )
        .order_by(report.made_at.desc(), report.id.desc())
        .limit(1)
    )
    return found


async def publish(
    conn: AsyncConnection,
    version_id: UUID,
    *,
    effective_from: datetime | None = None,
    effective_until: datetime | None = None,
    by: UUID | None,
    now: datetime,
) -> Version:
    """Let a draft hold from a time on, now unless given.

    Raises SimulationMissing without a report of exactly this digest, PolicyNotDraft, Malformed
    when it would end before it begins or has ended already, NotFound.
    """
    found = await _lock(conn, version_id)
    if found.status is not Status.DRAFT:
        raise errors.PolicyNotDraft(state={"status": found.status.value})
    report_id = await find_report(conn, found.org_id, found.digest)
    if report_id is None:
        raise errors.SimulationMissing(state={"digest": found.digest})
    begins = effective_from or now
    if effective_until is not None and effective_until <= max(begins, now):
        raise errors.Malformed("effective_until must be after effective_from and in the future")
    values = {
        "status": Status.PUBLISHED.value, "report_id": report_id, "published_by": by,
        "published_at": now, "effective_from": begins, "effective_until": effective_until,
    }  # fmt: skip
    return await _change(conn, version_id, values)


async def retire(
    conn: AsyncConnection, version_id: UUID, *, by: UUID | None, now: datetime
) -> Version:
    """End a published version; alarms under way keep it. A second time changes nothing.

    No older version comes back: until another is published, a less specific policy holds, or the
    default.
    Raises PolicyNotPublished for a draft, NotFound.
    """
    found = await _lock(conn, version_id)
    if found.status is Status.DRAFT:
        raise errors.PolicyNotPublished(state={"status": found.status.value})
    if found.status is Status.RETIRED:
        return found
    values = {"status": Status.RETIRED.value, "retired_by": by, "retired_at": now}
    return await _change(conn, version_id, values)


async def _lock(conn: AsyncConnection, version_id: UUID) -> Version:
    row = tables.policy_version.c
    await conn.execute(
        sa.select(row.id).where(row.id == version_id).with_for_update(key_share=True)
    )
    return await get(conn, version_id)


async def _change(conn: AsyncConnection, version_id: UUID, values: Mapping[str, Any]) -> Version:
    row = tables.policy_version
    await conn.execute(sa.update(row).where(row.c.id == version_id).values(**values))
    return await get(conn, version_id)
