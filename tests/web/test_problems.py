"""Refusals: one code each, in two languages, with no word of our insides."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator

import httpx
import psycopg
import pytest
import sqlalchemy.exc
from callers import Enrol, client_of, code_of, key
from fastapi import FastAPI
from waiting import until

from dispatch import errors
from dispatch.settings import Settings
from web import app as web_app
from web import auth, fields, headers, idempotency, limits, problem_words, problems, rights


def _all_errors(kind: type[Exception]) -> set[type[Exception]]:
    return {kind}.union(*(_all_errors(child) for child in kind.__subclasses__()))


def test_ERR_2_every_refusal_has_its_row_in_the_table() -> None:
    raised = _all_errors(errors.DispatchError) | _all_errors(auth.AuthError) | {rights.NotAllowed}
    assert {fields.VersionRequired, idempotency.KeyRequired} <= raised
    # The drill is a client of its own and answers nobody.
    for error in (error for error in raised if not error.__module__.startswith("web.drill")):
        assert error.code in problem_words.TABLE, error


def test_ERR_2_every_row_speaks_both_languages() -> None:
    for code, answer in problem_words.TABLE.items():
        for words in (*answer.en, *answer.zh):
            assert words.endswith((".", "。", "NAME.")), (code, words)
        assert any("一" <= letter <= "鿿" for letter in answer.zh[0]), code


async def test_ERR_2_a_refusal_is_a_problem_document(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/api/v1/me")
    assert code_of(answer) == (401, "not_signed_in")
    problems.ProblemShape.model_validate(answer.json())
    assert answer.json()["detail"] == "尚未登录。"
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("query", "accepts", "language"),
    [
        ("?lang=en", "zh-CN", "en"),
        ("?lang=zh", "en", "zh"),
        ("", "en-GB,en;q=0.9,zh;q=0.5", "en"),
        ("", "zh-Hant-HK", "zh"),
        ("", "fr,en;q=0.5", "en"),
        ("?lang=fr", "fr", "zh"),
        ("", "", "zh"),
    ],
)
async def test_ERR_3_in_the_callers_language(
    stranger: httpx.AsyncClient, query: str, accepts: str, language: str
) -> None:
    answer = await stranger.get(f"/api/v1/me{query}", headers={"Accept-Language": accepts})
    assert answer.headers["content-language"] == language


async def test_ERR_3_the_persons_language_goes_before_the_browsers(enrol: Enrol) -> None:
    operator = await enrol("operator")
    answer = await operator.http.get("/api/v1/incidents?limit=0", headers={"Accept-Language": "en"})
    assert answer.headers["content-language"] == "zh"
    assert answer.json()["errors"] == [{"field": "limit", "message": "必须不小于 1"}]


async def test_what_is_not_there_and_what_does_not_go(stranger: httpx.AsyncClient) -> None:
    assert code_of(await stranger.get("/api/v1/nothing")) == (404, "not_found")
    assert code_of(await stranger.get("/api/v1/incidents/x/y/z")) == (404, "not_found")
    wrong = await stranger.delete("/api/v1/incidents")
    assert code_of(wrong) == (405, "method_not_allowed")
    assert "GET" in wrong.headers["allow"]


async def test_a_body_that_is_too_big_is_refused(enrol: Enrol) -> None:
    operator = await enrol("operator")

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(limits.BODY_MOST_BYTES // 1000 + 1):
            yield b"x" * 1000

    for content in (b"x" * (limits.BODY_MOST_BYTES + 1), endless()):
        headers = {**key(), "Content-Type": "application/json"}
        answer = await operator.http.post("/api/v1/incidents", content=content, headers=headers)
        assert code_of(answer) == (413, "too_big")


async def test_ERR_4_what_nobody_foresaw_shows_a_number_and_nothing_else(
    app: FastAPI, stranger: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/boom")
    async def boom() -> None:
        raise RuntimeError("the password is swordfish")

    # The page routes end with /{name}; the new one must come before them.
    app.router.routes.insert(0, app.router.routes.pop())
    with caplog.at_level(logging.ERROR):
        answer = await stranger.get("/boom")
    assert code_of(answer) == (500, "internal")
    assert "swordfish" not in answer.text
    assert answer.json()["instance"].removeprefix("urn:uuid:") in caplog.text
    for name, value in headers.ALWAYS.items():
        assert answer.headers[name] == value


async def test_a_constraint_that_only_the_database_knows_is_a_conflict(app: FastAPI) -> None:
    @app.get("/broken")
    async def broken() -> None:
        raise sqlalchemy.exc.IntegrityError("insert secret", {}, psycopg.IntegrityError("secret"))

    app.router.routes.insert(0, app.router.routes.pop())
    async with client_of(app) as client:
        answer = await client.get("/broken")
    assert code_of(answer) == (409, "conflict")
    assert "secret" not in answer.text


@pytest.fixture
async def alone(settings: Settings) -> AsyncIterator[FastAPI]:
    """An app whose PostgreSQL and Redis are away."""
    away = settings.model_copy(
        update={
            "database_url": "postgresql://golden@/golden?host=/nonexistent",
            "redis_url": "unix:///nonexistent/redis.sock",
        }
    )
    made = web_app.create_app(away)
    async with made.router.lifespan_context(made):
        yield made


async def test_ERR_5_without_its_database_the_app_lives_and_says_so(alone: FastAPI) -> None:
    async with client_of(alone, token="x") as client:
        assert (await client.get("/livez")).status_code == 200
        for path in ("/readyz", "/api/v1/incidents"):
            began = time.monotonic()
            answer = await client.get(path)
            assert code_of(answer) == (503, "unavailable")
            assert int(answer.headers["retry-after"]) > 0
            assert time.monotonic() - began < 4


async def test_readiness_names_what_is_there(app: FastAPI, stranger: httpx.AsyncClient) -> None:
    async def ready() -> dict[str, object]:
        answer = await stranger.get("/readyz")
        body: dict[str, object] = answer.json()
        return body

    await until(lambda: app.state.live.tailer.is_hearing)
    assert await ready() == {
        "status": "ok",
        "database": True,
        "redis": True,
        "walking_network": False,
        "troubles": [],
    }


async def test_every_answer_carries_the_guards(stranger: httpx.AsyncClient) -> None:
    for path in ("/livez", "/api/v1/me", "/nowhere", "/console", "/"):
        answer = await stranger.get(path)
        for name, value in headers.ALWAYS.items():
            assert answer.headers[name] == value, path
    assert (await stranger.get("/api/v1/me")).headers["cache-control"] == "no-store"
    assert "'unsafe" not in headers.CONTENT_SECURITY_POLICY


async def test_the_door_leads_people_to_where_they_work(
    stranger: httpx.AsyncClient, enrol: Enrol
) -> None:
    assert (await stranger.get("/")).headers["location"] == "/sign-in"
    for role, place in (("operator", "/console"), ("responder", "/go"), ("planner", "/planner")):
        member = await enrol(role)
        assert (await member.http.get("/")).headers["location"] == place
