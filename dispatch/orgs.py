"""The tree of organisations, and to which of them a thing belongs.

`path` holds the codes from the root down, each closed by a slash: a subtree is a prefix.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, errors, standing, store, tables


@dataclass(frozen=True, slots=True)
class Org:
    """An organisation unit; `path` is its place in the tree, `parent` the code above it."""

    id: UUID
    code: str
    name_zh: str
    name_en: str
    level: int
    parent: str | None
    path: str
    phone: str | None
    timezone: str
    is_demo: bool
    version: int


# The primary key and the unique codes serve a single one; lists are as small as a country's tree.
_ORGS = sa.text("""
select org.id, org.code, org.name_zh, org.name_en, org.level, parent.code as parent, org.path,
       org.phone, org.timezone, org.is_demo, org.version
from org left join org as parent on parent.id = org.parent_id
where (cast(:id as uuid) is null or org.id = :id)
  and (cast(:code as text) is null or org.code = :code)
  and org.path > :after
  and exists (select from unnest(cast(:paths as text[])) as mine where starts_with(org.path, mine))
order by org.path
limit :most
""")


async def list_orgs(
    conn: AsyncConnection, paths: Sequence[str], *, after: str = "", limit: int = 200
) -> list[Org]:
    """List the organisations at and below these paths in the order of their paths."""
    return await _orgs(conn, paths=list(paths), after=after, most=limit)


async def get_org(conn: AsyncConnection, org_id: UUID) -> Org:
    """Return one organisation. Raises NotFound."""
    found = await _orgs(conn, id=org_id)
    if not found:
        raise errors.NotFound
    return found[0]


async def find_org(conn: AsyncConnection, code: str) -> Org | None:
    """Return the organisation with this code."""
    found = await _orgs(conn, code=code)
    return found[0] if found else None


async def _orgs(conn: AsyncConnection, **values: object) -> list[Org]:
    given = {"id": None, "code": None, "after": "", "paths": [""], "most": 1, **values}
    [rows] = await db.together(conn, (_ORGS, given))
    return [Org(**row) for row in rows]


async def add_org(
    conn: AsyncConnection,
    parent: Org | None,
    *,
    code: str,
    name_zh: str,
    name_en: str,
    level: int,
    phone: str | None = None,
    timezone: str = "Asia/Shanghai",
    is_demo: bool = False,
) -> UUID:
    """Add an organisation below `parent`, or a root. Raises NameTaken when the code is in use."""
    org_id = store.new_id()
    added = await conn.execute(
        pg.insert(tables.org)
        .values(
            id=org_id, code=code, name_zh=name_zh, name_en=name_en, level=level, phone=phone,
            parent_id=None if parent is None else parent.id,
            path=("" if parent is None else parent.path) + code + "/",
            timezone=timezone, is_demo=is_demo,
        )
        .on_conflict_do_nothing()
        .returning(tables.org.c.id)
    )  # fmt: skip
    if added.first() is None:
        raise errors.NameTaken(state={"code": code})
    return org_id


async def change_org(
    conn: AsyncConnection, org_id: UUID, *, version: int, changes: Mapping[str, object]
) -> None:
    """Change names, phone or time zone. Raises StaleVersion with the present version."""
    standing.changed(conn)
    org = tables.org
    changed = await conn.execute(
        sa.update(org)
        .where(org.c.id == org_id, org.c.version == version)
        .values(**changes, version=org.c.version + 1)
    )
    if changed.rowcount == 0:
        raise errors.StaleVersion(state={"version": (await get_org(conn, org_id)).version})


# ---- whose a thing is


class Noun(StrEnum):
    """The kinds of things that belong to an organisation."""

    ORG = "org"
    INCIDENT = "incident"
    ALERT = "alert"
    ASSIGNMENT = "assignment"
    RESPONDER = "responder"
    PERSON = "person"
    TEAM = "team"
    DEPOT = "depot"
    ITEM = "item"
    LOT = "lot"
    RESERVATION = "reservation"
    AED = "aed"
    DISASTER = "disaster"
    POLICY = "policy"
    SIMULATION = "simulation"
    SIMULATION_REPORT = "simulation_report"


@dataclass(frozen=True, slots=True)
class Owner:
    """The organisation's path, and the person to whom the thing belongs in particular.

    Only what somebody practises with has no path: it is nobody else's.
    """

    path: str | None
    person_id: UUID | None


# One branch runs, by a primary key each.
_OWNER = sa.text("""
with owned as (
    select id as org_id, null::uuid as person_id from org where :noun = 'org' and id = :id
    union all
    select org_id, null from incident
    where :noun = 'incident' and id = :id and practice_of is null
    union all
    select org_id, null from disaster where :noun = 'disaster' and id = :id
    union all
    select org_id, null from policy_version where :noun = 'policy' and id = :id
    union all
    select org_id, null from simulation_job where :noun = 'simulation' and id = :id
    union all
    select org_id, null from simulation_report where :noun = 'simulation_report' and id = :id
    union all
    select case when practice_of is null then incident.org_id end, alert.responder_id
    from alert join incident on incident.id = alert.incident_id
    where :noun = 'alert' and alert.id = :id
    union all
    select case when practice_of is null then incident.org_id end, assignment.responder_id
    from assignment join incident on incident.id = assignment.incident_id
    where :noun = 'assignment' and assignment.id = :id
    union all
    select org_id, id from responder where :noun = 'responder' and id = :id
    union all
    select org_id, id from person where :noun = 'person' and id = :id
    union all
    select org_id, leader_id from team where :noun = 'team' and id = :id
    union all
    select org_id, null from depot where :noun = 'depot' and id = :id
    union all
    select org_id, null from item where :noun = 'item' and id = :id
    union all
    select depot.org_id, null from lot join depot on depot.id = lot.depot_id
    where :noun = 'lot' and lot.id = :id
    union all
    select incident.org_id, null
    from reservation join incident on incident.id = reservation.incident_id
    where :noun = 'reservation' and reservation.id = :id
    union all
    select org_id, null from aed where :noun = 'aed' and id = :id
)
select org.path, owned.person_id from owned left join org on org.id = owned.org_id
""")


async def find_owner(conn: AsyncConnection, noun: Noun, thing_id: UUID) -> Owner | None:
    """Say whose a thing is; None when there is no such thing."""
    [rows] = await db.together(conn, (_OWNER, {"noun": noun.value, "id": thing_id}))
    return Owner(rows[0]["path"], rows[0]["person_id"]) if rows else None


# Served by the primary keys.
_RESPONDERS = sa.text("""
select responder.id, org.path from responder join org on org.id = responder.org_id
where responder.id = any(cast(:ids as uuid[]))
""")


async def owners_of_responders(
    conn: AsyncConnection, responder_ids: Collection[UUID]
) -> dict[UUID, Owner]:
    """Say whose some responders are; who is no responder is left out."""
    [rows] = await db.together(conn, (_RESPONDERS, {"ids": list(responder_ids)}))
    return {row["id"]: Owner(row["path"], row["id"]) for row in rows}
