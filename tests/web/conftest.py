"""The real app on a fresh database, and people of two organisations who call it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import factories
import httpx
import pytest
import redis.asyncio
from callers import Enrol, Member, client_of, numbers
from fastapi import FastAPI

from dispatch import accounts, certificates, db, orgs, responders, states
from dispatch import store as dispatch_store
from dispatch.settings import Settings
from web import app as web_app
from web import auth


@pytest.fixture
def settings(database: str, redis_url: str, tmp_path: Path) -> Settings:
    """The settings of an app on a fresh database."""
    return Settings(database_url=database, redis_url=redis_url, data_dir=tmp_path)


@pytest.fixture
async def app(settings: Settings, redis: redis.asyncio.Redis) -> AsyncIterator[FastAPI]:
    """The running app; `redis` is asked for so that it is empty."""
    made = web_app.create_app(settings)
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture
def store(app: FastAPI) -> db.Database:
    """The app's database, to arrange and to look."""
    found: db.Database = app.state.database
    return found


@pytest.fixture
async def stranger(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is not signed in."""
    async with client_of(app) as client:
        yield client


@pytest.fixture
async def enrol(app: FastAPI, store: db.Database) -> AsyncIterator[Enrol]:
    """Make a person with a role in an organisation, which is made on first use."""
    clients: list[httpx.AsyncClient] = []

    async def make(
        role: str | None = "operator",
        org: str = "red",
        *,
        password: str | None = None,
        scopes: tuple[str, ...] = (),
        parent: str | None = None,
    ) -> Member:
        async with store.transaction() as conn:
            place = await orgs.find_org(conn, org)
            if place is None:
                above = None if parent is None else await orgs.find_org(conn, parent)
                org_id = await orgs.add_org(
                    conn, above, code=org, name_zh=f"{org}机构", name_en=f"Org {org}", level=3,
                    phone="+86 27 8555 0000",
                )  # fmt: skip
                place = await orgs.get_org(conn, org_id)
            username = f"{role}-{org}-{next(numbers)}"
            person_id = await accounts.add_person(
                conn, place.id, name=f"名{username}", name_en=username, username=username,
                password_hash=None if password is None else auth.hash_password(password),
            )  # fmt: skip
            if role is not None:
                await accounts.grant(conn, person_id, place.id, states.OrgRole(role))
            token = await accounts.add_token(
                conn, person_id, name="test", scopes=scopes, now=datetime.now(UTC)
            )
        client = client_of(app, token)
        clients.append(client)
        return Member(person_id, username, place, client)

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
def volunteer(store: db.Database, enrol: Enrol) -> Enrol:
    """Make a responder who can be asked: on duty, certified, just seen 50 m from the harbour."""

    async def make(org: str = "red", *, metres: float = 50, duty: str = "available") -> Member:
        member = await enrol("responder", org)
        now = datetime.now(UTC)
        async with store.transaction() as conn:
            await responders.enrol(
                conn, member.id, org_id=member.org.id, skills=["cpr", "aed"],
                born_on=date(1990, 1, 1),
                proofs=[certificates.Proof("first_aid", date(2099, 1, 1))],
            )  # fmt: skip
            await responders.set_duty(conn, member.id, states.Duty(duty), now=now)
            fix = dispatch_store.Fix(factories.north_of(factories.HARBOUR, metres), now)
            await responders.report_position(conn, member.id, fix, is_stated=True, now=now)
        return member

    return make
