"""People, their roles, and the secrets by which people sign in.

Every secret (session, API token, one-time link) is 256 random bits; the database holds only its
SHA-256, so a stolen dump signs nobody in. Passwords arrive here hashed.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, errors, orgs, standing, states, store, tables

#: A one-time link is shown on a terminal and used at once.
LINK_LASTS = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in or be alerted."""

    id: UUID
    name: str
    name_en: str | None
    username: str | None
    phone: str | None
    language: str
    is_invented: bool


@dataclass(frozen=True, slots=True)
class Grant:
    """A role in an organisation and in everything below it."""

    role: states.OrgRole
    org_id: UUID
    path: str


@dataclass(frozen=True, slots=True)
class Identity:
    """A person with the organisation and the roles; no scopes means all that the roles allow."""

    person: Person
    org: orgs.Org
    grants: tuple[Grant, ...]
    scopes: frozenset[str]


def new_secret() -> str:
    """Make a secret of 256 bits that is safe in headers, cookies and fragments."""
    return secrets.token_urlsafe(32)


def secret_hash(secret: str) -> bytes:
    """Return what the database holds instead of the secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


# ---- who somebody is

# One of the three finds people, who came with secrets or are known by id. The primary keys of
# session, api_token, person and membership serve it; every request runs it.
_IDENTITY = sa.text("""
with who as (
    select token_hash, person_id, array[]::text[] as scopes from session
    where token_hash = any(cast(:sessions as bytea[])) and revoked_at is null and expires_at > :now
    union all
    select token_hash, person_id, scopes from api_token
    where token_hash = any(cast(:tokens as bytea[])) and revoked_at is null
      and (expires_at is null or expires_at > :now)
    union all
    select null, cast(:person_id as uuid), array[]::text[]
)
select who.token_hash, person.id, person.name, person.name_en, person.username, person.phone,
       person.language, person.is_invented, who.scopes,
       org.id as org_id, org.code, org.name_zh, org.name_en as org_name_en, org.level,
       parent.code as parent, org.path, org.phone as org_phone, org.timezone, org.is_demo,
       org.version,
       coalesce((select jsonb_agg(jsonb_build_object(
                     'role', membership.role, 'org_id', place.id, 'path', place.path)
                     order by place.path, membership.role)
                 from membership join org as place on place.id = membership.org_id
                 where membership.person_id = person.id), '[]') as grants
from who
join person on person.id = who.person_id and person.disabled_at is null
join org on org.id = person.org_id
left join org as parent on parent.id = org.parent_id
""")
_NOBODY = {"sessions": None, "tokens": None, "person_id": None, "now": None}


async def find_by_session(conn: AsyncConnection, secret: str, *, now: datetime) -> Identity | None:
    """Say who a session belongs to; None when it ended, was revoked or the person is disabled."""
    return (await find_by_sessions(conn, [secret], now=now))[0]


async def find_by_token(conn: AsyncConnection, secret: str, *, now: datetime) -> Identity | None:
    """Say who an API token belongs to; None when it is over, revoked or the person is disabled."""
    return (await find_by_tokens(conn, [secret], now=now))[0]


async def find_by_sessions(
    conn: AsyncConnection, secrets: Sequence[str], *, now: datetime
) -> list[Identity | None]:
    """Say who each of many sessions belongs to, as `find_by_session` does."""
    hashes = [secret_hash(secret) for secret in secrets]
    found = await _identities(conn, {**_NOBODY, "sessions": hashes, "now": now})
    return [found.get(hashed) for hashed in hashes]


async def find_by_tokens(
    conn: AsyncConnection, secrets: Sequence[str], *, now: datetime
) -> list[Identity | None]:
    """Say who each of many API tokens belongs to, as `find_by_token` does."""
    hashes = [secret_hash(secret) for secret in secrets]
    found = await _identities(conn, {**_NOBODY, "tokens": hashes, "now": now})
    return [found.get(hashed) for hashed in hashes]


async def find_identity(conn: AsyncConnection, person_id: UUID) -> Identity | None:
    """Say who a person is; None when there is none or it is disabled."""
    return (await _identities(conn, {**_NOBODY, "person_id": person_id})).get(None)


async def _identities(
    conn: AsyncConnection, values: dict[str, object]
) -> dict[bytes | None, Identity]:
    """Return the people by the hashes that they came with; those of one organisation share it."""
    [rows] = await db.together(conn, (_IDENTITY, values))
    known: dict[UUID, orgs.Org] = {}
    found: dict[bytes | None, Identity] = {}
    for row in rows:
        org = known.get(row["org_id"])
        if org is None:
            org = known[row["org_id"]] = _org(row)
        found[row["token_hash"]] = _identity(row, org)
    return found


def _org(row: Mapping[str, Any]) -> orgs.Org:
    return orgs.Org(
        row["org_id"], row["code"], row["name_zh"], row["org_name_en"], row["level"],
        row["parent"], row["path"], row["org_phone"], row["timezone"], row["is_demo"],
        row["version"],
    )  # fmt: skip


def _identity(row: Mapping[str, Any], org: orgs.Org) -> Identity:
    person = Person(
        row["id"], row["name"], row["name_en"], row["username"], row["phone"], row["language"],
        row["is_invented"],
    )  # fmt: skip
    grants = tuple(
        Grant(states.OrgRole(item["role"]), UUID(item["org_id"]), item["path"])
        for item in row["grants"]
    )
    return Identity(person, org, grants, frozenset(row["scopes"]))


# ---- sessions, tokens, links


async def open_session(
    conn: AsyncConnection, person_id: UUID, *, lasts: timedelta, now: datetime
) -> str:
    """Begin a session and return its secret, which is never shown again."""
    secret = new_secret()
    await conn.execute(
        sa.insert(tables.session).values(
            token_hash=secret_hash(secret),
            person_id=person_id,
            created_at=now,
            expires_at=now + lasts,
        )
    )
    return secret


async def close_session(conn: AsyncConnection, secret: str, *, now: datetime) -> None:
    """End a session at once; ending it twice changes nothing."""
    standing.changed(conn)
    await conn.execute(
        sa.update(tables.session)
        .where(
            tables.session.c.token_hash == secret_hash(secret),
            tables.session.c.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )


async def add_token(
    conn: AsyncConnection,
    person_id: UUID,
    *,
    name: str,
    scopes: tuple[str, ...] = (),
    expires_at: datetime | None = None,
    now: datetime,
) -> str:
    """Make an API token and return it, which is never shown again; no scopes means all rights."""
    secret = new_secret()
    await conn.execute(
        sa.insert(tables.api_token).values(
            token_hash=secret_hash(secret), person_id=person_id, name=name, scopes=list(scopes),
            created_at=now, expires_at=expires_at,
        )
    )  # fmt: skip
    return secret


async def add_link(conn: AsyncConnection, person_id: UUID, *, now: datetime) -> str:
    """Make a sign-in link's secret, good for one use within half an hour."""
    secret = new_secret()
    await conn.execute(
        sa.insert(tables.sign_in_link).values(
            token_hash=secret_hash(secret),
            person_id=person_id,
            created_at=now,
            expires_at=now + LINK_LASTS,
        )
    )
    return secret


async def use_link(conn: AsyncConnection, secret: str, *, now: datetime) -> UUID | None:
    """Use up a one-time link and say whose it was; None when it is over, used or unknown."""
    link = tables.sign_in_link
    used = await conn.execute(
        sa.update(link)
        .where(
            link.c.token_hash == secret_hash(secret), link.c.used_at.is_(None),
            link.c.expires_at > now,
        )
        .values(used_at=now)
        .returning(link.c.person_id)
    )  # fmt: skip
    found: UUID | None = used.scalar_one_or_none()
    return found


async def find_password(conn: AsyncConnection, username: str) -> tuple[UUID, str] | None:
    """Return the id and password hash behind a name; None without either."""
    person = tables.person
    row = (
        await conn.execute(
            sa.select(person.c.id, person.c.password_hash).where(
                person.c.username == username,
                person.c.password_hash.is_not(None),
                person.c.disabled_at.is_(None),
            )
        )
    ).one_or_none()
    return None if row is None else (row.id, row.password_hash)


# ---- tries at signing in

# Served by the primary key. A window that is over starts again.
_COUNT_TRY = sa.text("""
insert into sign_in_attempt as mine (subject_hash, tries, window_ends_at)
values (:subject, 1, :ends)
on conflict (subject_hash) do update set
    tries = case when mine.window_ends_at <= :now then 1 else mine.tries + 1 end,
    window_ends_at = case when mine.window_ends_at <= :now then :ends else mine.window_ends_at end
returning tries, window_ends_at
""")


async def count_try(
    conn: AsyncConnection, subject: str, *, window: timedelta, now: datetime
) -> tuple[int, datetime]:
    """Count one more try of this subject and return how many, and when the count starts again."""
    values = {"subject": secret_hash(subject), "now": now, "ends": now + window}
    row = (await conn.execute(_COUNT_TRY, values)).one()
    return row.tries, row.window_ends_at


async def forgive_try(conn: AsyncConnection, subject: str) -> None:
    """Take back one counted try: it turned out to be the right password."""
    attempt = tables.sign_in_attempt
    await conn.execute(
        sa.update(attempt)
        .where(attempt.c.subject_hash == secret_hash(subject), attempt.c.tries > 0)
        .values(tries=attempt.c.tries - 1)
    )


async def sweep(conn: AsyncConnection, *, now: datetime) -> None:
    """Delete what is over: tries, links, sessions, and answers kept for repeats (72 h)."""
    old = now - timedelta(days=30)
    for table, condition in (
        (tables.sign_in_attempt, tables.sign_in_attempt.c.window_ends_at < now),
        (tables.report_attempt, tables.report_attempt.c.window_ends_at < now),
        (tables.sign_in_link, tables.sign_in_link.c.expires_at < now),
        (tables.session, tables.session.c.expires_at < old),
        (tables.idempotency, tables.idempotency.c.created_at < now - timedelta(hours=72)),
    ):
        await conn.execute(sa.delete(table).where(condition))


# ---- people and roles


async def add_person(
    conn: AsyncConnection,
    org_id: UUID,
    *,
    name: str,
    name_en: str | None = None,
    username: str | None = None,
    phone: str | None = None,
    language: str = "zh",
    password_hash: str | None = None,
    is_invented: bool = False,
) -> UUID:
    """Add a person to an organisation, without any role. Raises NameTaken."""
    person_id = store.new_id()
    added = await conn.execute(
        pg.insert(tables.person)
        .values(
            id=person_id, org_id=org_id, name=name, name_en=name_en, username=username,
            phone=phone, language=language, password_hash=password_hash, is_invented=is_invented,
        )
        .on_conflict_do_nothing(index_elements=["username"])
        .returning(tables.person.c.id)
    )  # fmt: skip
    if added.first() is None:
        raise errors.NameTaken(state={"username": username})
    return person_id


async def find_person(conn: AsyncConnection, username: str) -> UUID | None:
    """Return the id of the person with this sign-in name."""
    found: UUID | None = await conn.scalar(
        sa.select(tables.person.c.id).where(tables.person.c.username == username)
    )
    return found


async def grant(conn: AsyncConnection, person_id: UUID, org_id: UUID, role: states.OrgRole) -> None:
    """Give a role in an organisation; giving it twice changes nothing."""
    standing.changed(conn)
    await conn.execute(
        pg.insert(tables.membership)
        .values(person_id=person_id, org_id=org_id, role=role.value)
        .on_conflict_do_nothing()
    )


async def change_person(
    conn: AsyncConnection, person_id: UUID, changes: Mapping[str, object]
) -> None:
    """Change how somebody is named, called or spoken to."""
    standing.changed(conn)
    person = tables.person
    await conn.execute(
        sa.update(person)
        .where(person.c.id == person_id)
        .values(**changes, version=person.c.version + 1)
    )
