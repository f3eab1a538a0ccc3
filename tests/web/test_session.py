"""Signing in and out, and who is taken for whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
import sqlalchemy as sa
from callers import PASSWORD, Enrol, client_of
from fastapi import FastAPI

from dispatch import accounts, db, tables
from dispatch.settings import Settings
from web import app as web_app
from web import auth

SESSION = "/api/v1/session"


async def sign_in(
    client: httpx.AsyncClient, username: str, password: str, **headers: str
) -> httpx.Response:
    return await client.post(
        SESSION, json={"username": username, "password": password}, headers=headers
    )


async def test_AUTH_1_password_begins_a_session_that_the_cookie_carries(
    stranger: httpx.AsyncClient, enrol: Enrol
) -> None:
    member = await enrol("operator", password=PASSWORD)
    answer = await sign_in(stranger, member.username, PASSWORD)
    assert answer.status_code == 200
    assert answer.json()["roles"] == ["operator"]
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("golden_session=")
    for part in ("HttpOnly", "SameSite=strict", "Path=/"):
        assert part in cookie
    me = await stranger.get(SESSION)
    assert me.json()["person"]["id"] == str(member.id)
    assert me.json()["org"]["code"] == "red"


async def test_cookie_is_guarded_by_its_name_where_there_is_tls(settings: Settings) -> None:
    over_tls = settings.model_copy(update={"public_url": "https://golden.example"})
    assert auth.cookie_name(over_tls) == "__Host-golden"
    assert auth.cookie_name(settings) == "golden_session"


async def test_AUTH_2_only_hashes_are_stored(
    stranger: httpx.AsyncClient, enrol: Enrol, store: db.Database
) -> None:
    member = await enrol("operator", password=PASSWORD)
    answer = await sign_in(stranger, member.username, PASSWORD)
    secret = answer.cookies["golden_session"]
    async with store.snapshot() as conn:
        hashes = (await conn.execute(sa.select(tables.session.c.token_hash))).scalars().all()
        stored = await conn.scalar(
            sa.select(tables.person.c.password_hash).where(tables.person.c.id == member.id)
        )
    assert hashes == [accounts.secret_hash(secret)]
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,")


async def test_sign_out_ends_the_session_at_once(
    stranger: httpx.AsyncClient, enrol: Enrol, app: FastAPI
) -> None:
    member = await enrol("operator", password=PASSWORD)
    secret = (await sign_in(stranger, member.username, PASSWORD)).cookies["golden_session"]
    assert (await stranger.delete(SESSION)).status_code == 204
    async with client_of(app) as thief:
        thief.cookies.set("golden_session", secret)
        assert (await thief.get(SESSION)).status_code == 401


@pytest.mark.parametrize("username", ["nobody", "{member}"])
async def test_AUTH_3_wrong_name_and_wrong_password_answer_alike(
    stranger: httpx.AsyncClient, enrol: Enrol, username: str
) -> None:
    member = await enrol("operator", password=PASSWORD)
    answer = await sign_in(stranger, username.format(member=member.username), "wrong password")
    assert answer.status_code == 401
    body = answer.json()
    assert body["code"] == "bad_credentials"
    assert body["detail"] == "用户名或密码错误。"


async def test_AUTH_4_ten_wrong_passwords_from_one_address_have_to_wait(
    stranger: httpx.AsyncClient, enrol: Enrol, app: FastAPI
) -> None:
    member = await enrol("operator", password=PASSWORD)
    for _ in range(auth.TRIES_PER_NAME):
        assert (await sign_in(stranger, member.username, "wrong")).status_code == 401
    answer = await sign_in(stranger, member.username, PASSWORD)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 15 * 60
    elsewhere = httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=("10.9.8.7", 1)), base_url="http://testserver"
    )
    async with elsewhere:
        assert (await sign_in(elsewhere, member.username, PASSWORD)).status_code == 200


async def test_AUTH_4_a_right_password_takes_its_try_back(
    stranger: httpx.AsyncClient, enrol: Enrol
) -> None:
    member = await enrol("operator", password=PASSWORD)
    for _ in range(auth.TRIES_PER_NAME + 2):
        assert (await sign_in(stranger, member.username, PASSWORD)).status_code == 200


async def test_AUTH_5_a_link_is_good_for_one_use_within_half_an_hour(
    stranger: httpx.AsyncClient, enrol: Enrol, store: db.Database
) -> None:
    member = await enrol("responder")
    now = datetime.now(UTC)
    async with store.transaction() as conn:
        link = await accounts.add_link(conn, member.id, now=now)
        old = await accounts.add_link(conn, member.id, now=now - timedelta(minutes=31))
    first = await stranger.post(SESSION, json={"link": link})
    assert first.status_code == 200
    assert first.json()["person"]["id"] == str(member.id)
    stranger.cookies.clear()
    for secret in (link, old, "never-made"):
        again = await stranger.post(SESSION, json={"link": secret})
        assert (again.status_code, again.json()["code"]) == (401, "link_over")


async def test_session_ends_by_itself(
    stranger: httpx.AsyncClient, enrol: Enrol, store: db.Database
) -> None:
    member = await enrol("operator")
    past = datetime.now(UTC) - timedelta(hours=13)
    async with store.transaction() as conn:
        secret = await accounts.open_session(conn, member.id, lasts=timedelta(hours=12), now=past)
    stranger.cookies.set("golden_session", secret)
    assert (await stranger.get(SESSION)).status_code == 401


async def test_a_disabled_person_is_nobody_at_once(enrol: Enrol, store: db.Database) -> None:
    member = await enrol("operator")
    assert (await member.http.get(SESSION)).status_code == 200
    async with store.transaction() as conn:
        await conn.execute(
            sa.update(tables.person)
            .where(tables.person.c.id == member.id)
            .values(disabled_at=datetime.now(UTC))
        )
    assert (await member.http.get(SESSION)).status_code == 401


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://testserver.evil.example", "http://testserver:81"],
)
async def test_AUTH_6_another_sites_page_cannot_use_our_cookie(
    stranger: httpx.AsyncClient, enrol: Enrol, origin: str
) -> None:
    member = await enrol("operator", password=PASSWORD)
    await sign_in(stranger, member.username, PASSWORD)
    answer = await stranger.delete(SESSION, headers={"Origin": origin})
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
    assert (await stranger.get(SESSION)).status_code == 200
    own = await stranger.delete(SESSION, headers={"Origin": "http://testserver"})
    assert own.status_code == 204


async def test_AUTH_6_signing_in_from_another_sites_page_is_refused(
    stranger: httpx.AsyncClient,
) -> None:
    answer = await sign_in(stranger, "a", "b", Origin="https://evil.example")
    assert answer.json()["code"] == "foreign_origin"


async def test_a_listed_origin_may_ask(settings: Settings) -> None:
    listed = settings.model_copy(update={"allowed_origins": ("https://maps.example",)})
    made = web_app.create_app(listed)
    async with made.router.lifespan_context(made), client_of(made) as client:
        answer = await sign_in(client, "a", "b", Origin="https://maps.example")
    assert answer.json()["code"] == "bad_credentials"
    assert answer.headers["access-control-allow-origin"] == "https://maps.example"


async def test_token_without_the_scope_may_not(enrol: Enrol) -> None:
    reader = await enrol("operator", scopes=("incident:see",))
    assert (await reader.http.get("/api/v1/incidents")).status_code == 200
    answer = await reader.http.get("/api/v1/orgs")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


async def test_there_is_no_account_to_begin_with(
    stranger: httpx.AsyncClient, store: db.Database
) -> None:
    async with store.snapshot() as conn:
        assert await conn.scalar(sa.select(sa.func.count()).select_from(tables.person)) == 0
    for name in ("admin", "golden", "root", "demo"):
        assert (await sign_in(stranger, name, name)).status_code == 401
