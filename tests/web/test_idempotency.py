"""One change per Idempotency-Key, within one process; tests/system holds it over three."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
import sqlalchemy as sa
from callers import PASSWORD, Enrol, call, code_of, key, opened
from fastapi import FastAPI
from fastapi.routing import APIRoute

from dispatch import accounts, db, tables
from web import api, idempotency, plain_call, recent_callers

INCIDENTS = "/api/v1/incidents"


async def _count(store: db.Database) -> int:
    async with store.snapshot() as conn:
        found = await conn.scalar(sa.select(sa.func.count()).select_from(tables.incident))
    return int(found or 0)


async def test_API_2_a_repeat_gets_the_first_answer_byte_for_byte(
    enrol: Enrol, store: db.Database
) -> None:
    operator = await enrol("operator")
    same = key()
    first = await operator.http.post(INCIDENTS, json=call(), headers=same)
    again = await operator.http.post(INCIDENTS, json=call(), headers=same)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    for name in ("location", "etag", "content-type"):
        assert again.headers[name] == first.headers[name]
    assert await _count(store) == 1


async def test_API_2_parallel_equal_requests_make_one_change(
    enrol: Enrol, store: db.Database
) -> None:
    operator = await enrol("operator")
    same = key()
    answers = await asyncio.gather(
        *(operator.http.post(INCIDENTS, json=call(), headers=same) for _ in range(20))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await _count(store) == 1


async def test_API_2_another_body_or_route_under_the_key_is_refused(
    enrol: Enrol, store: db.Database
) -> None:
    operator = await enrol("operator")
    same = key()
    body = await operator.http.post(INCIDENTS, json=call(), headers=same)
    other = await operator.http.post(INCIDENTS, json=call(note="x"), headers=same)
    assert code_of(other) == (422, "key_reused")
    query = await operator.http.post(f"{INCIDENTS}?crs=gcj02", json=call(), headers=same)
    assert code_of(query) == (422, "key_reused")
    elsewhere = await operator.http.post(
        f"{INCIDENTS}/{body.json()['id']}/alert", json=call(), headers=same
    )
    assert code_of(elsewhere) == (422, "key_reused")
    assert await _count(store) == 1


async def test_the_spelling_of_the_same_values_does_not_matter(enrol: Enrol) -> None:
    operator = await enrol("operator")
    same = {**key(), "Content-Type": "application/json"}
    one = '{"kind":"fire","position":{"lon":7.4,"lat":43.7}}'
    two = '{ "position": {"lat": 43.7, "lon": 7.4}, "kind": "fire" }'
    first = await operator.http.post(INCIDENTS, content=one, headers=same)
    again = await operator.http.post(f"{INCIDENTS}?lang=en", content=two, headers=same)
    assert again.content == first.content


async def test_a_key_belongs_to_one_person(enrol: Enrol, store: db.Database) -> None:
    one, two = await enrol("operator"), await enrol("operator")
    same = key()
    first = await one.http.post(INCIDENTS, json=call(), headers=same)
    other = await two.http.post(INCIDENTS, json=call(note="x"), headers=same)
    assert (first.status_code, other.status_code) == (201, 201)
    assert await _count(store) == 2


async def test_API_2_a_conflict_is_answered_the_same_again(enrol: Enrol) -> None:
    operator = await enrol("operator")
    body = await opened(operator)
    address = f"{INCIDENTS}/{body['id']}"
    await operator.http.post(f"{address}/close", json={})
    same = key()
    first = await operator.http.post(f"{address}/alert", json={}, headers=same)
    assert code_of(first) == (409, "incident_closed")
    await operator.http.post(f"{address}/reopen")
    again = await operator.http.post(f"{address}/alert", json={}, headers=same)
    assert again.content == first.content
    fresh = await operator.http.post(f"{address}/alert", json={}, headers=key())
    assert fresh.status_code == 201


async def test_what_was_refused_before_it_began_may_be_tried_again(
    enrol: Enrol, store: db.Database
) -> None:
    operator, responder = await enrol("operator"), await enrol("responder")
    same = key()
    bad = await operator.http.post(INCIDENTS, json=call(severity=9), headers=same)
    assert code_of(bad) == (422, "malformed")
    good = await operator.http.post(INCIDENTS, json=call(), headers=same)
    assert good.status_code == 201
    assert code_of(await responder.http.post(INCIDENTS, json=call(), headers=same)) == (
        403,
        "not_allowed",
    )
    assert await _count(store) == 1


async def test_API_2_after_72_hours_the_key_is_free(enrol: Enrol, store: db.Database) -> None:
    operator = await enrol("operator")
    same = key()
    first = await operator.http.post(INCIDENTS, json=call(), headers=same)
    long_ago = datetime.now(UTC) - timedelta(hours=72, seconds=1)
    async with store.transaction() as conn:
        await conn.execute(sa.update(tables.idempotency).values(created_at=long_ago))
    second = await operator.http.post(INCIDENTS, json=call(note="x"), headers=same)
    assert second.status_code == 201
    assert second.json()["id"] != first.json()["id"]
    async with store.transaction() as conn:
        await accounts.sweep(conn, now=datetime.now(UTC) + timedelta(hours=73))
        assert await conn.scalar(sa.select(sa.func.count()).select_from(tables.idempotency)) == 0


async def test_AUTH_7_whom_this_process_signs_out_changes_nothing_any_more(
    stranger: httpx.AsyncClient, enrol: Enrol, store: db.Database
) -> None:
    member = await enrol("operator", password=PASSWORD)
    said = {"username": member.username, "password": PASSWORD}
    signed_in = await stranger.post("/api/v1/session", json=said)
    secret = signed_in.cookies["golden_session"]
    assert (await stranger.post(INCIDENTS, json=call(), headers=key())).status_code == 201
    await stranger.delete("/api/v1/session")
    stranger.cookies.set("golden_session", secret)
    assert code_of(await stranger.post(INCIDENTS, json=call(), headers=key())) == (
        401, "not_signed_in",
    )  # fmt: skip
    assert await _count(store) == 1


async def test_AUTH_7_whom_another_process_ends_is_nobody_within_a_second(
    app: FastAPI, enrol: Enrol, store: db.Database
) -> None:
    instant = 0.0
    app.state.callers = recent_callers.RecentCallers(lambda: instant)
    operator = await enrol("operator")

    async def ask() -> int:
        answer = await operator.http.post(INCIDENTS, json=call(), headers=key())
        return int(answer.status_code)

    assert await ask() == 201
    async with store.transaction() as conn:
        await conn.execute(sa.text("update api_token set revoked_at = now()"))
    assert await ask() == 201
    instant = recent_callers.HOLDS_S
    assert await ask() == 401


@pytest.mark.parametrize(
    "sent",
    [
        {"json": call(kind="no such")},
        {"json": call(), "params": {"crs": "mars"}},
        {"content": b'{"kind": '},
        {"content": orjson.dumps(call()), "headers": {"content-type": "text/plain"}},
    ],
)
async def test_what_is_not_plain_is_refused_as_everywhere(
    enrol: Enrol, sent: dict[str, Any]
) -> None:
    operator = await enrol("operator")
    headers = {"content-type": "application/json", **key(), **sent.pop("headers", {})}
    refused = await operator.http.post(INCIDENTS, headers=headers, **sent)
    assert code_of(refused)[0] == 422
    assert refused.json()["errors"]


def test_nearly_every_change_with_a_key_is_called_without_the_solver() -> None:
    done = (idempotency.REQUIRED.dependency, idempotency.FOR_ANYBODY.dependency)
    routes = [route for router in api.ROUTERS for route in router.routes]
    kept = [
        route
        for route in routes
        if isinstance(route, idempotency.Route) and idempotency.REQUIRED in route.dependencies
    ]
    assert len([route for route in kept if plain_call.of(route, done=done)]) > 0.8 * len(kept)


async def test_a_key_must_be_one(enrol: Enrol) -> None:
    operator = await enrol("operator")
    for headers in ({}, {"Idempotency-Key": " "}, {"Idempotency-Key": "x" * 201}):
        answer = await operator.http.post(INCIDENTS, json=call(), headers=headers)
        assert code_of(answer) == (422, "key_required")


async def test_who_is_not_signed_in_is_told_so_first(app: FastAPI, enrol: Enrol) -> None:
    operator = await enrol("operator")
    answer = await operator.http.post(INCIDENTS, json=call(), headers={"Authorization": "Bearer x"})
    assert code_of(answer) == (401, "not_signed_in")


#: POSTs that neither create nor alert: repeating them is harmless by the rules of the states.
STEPS = {
    "/session",
    "/incidents/{incident_id}/ambulance",
    "/incidents/{incident_id}/stand-down",
    "/incidents/{incident_id}/close",
    "/incidents/{incident_id}/reopen",
    "/aeds/{aed_id}/reports/{report_id}/settle",
    "/aeds/{aed_id}/uses/{use_id}/return",
    "/alerts/{alert_id}/seen",
    "/alerts/{alert_id}/accept",
    "/alerts/{alert_id}/decline",
    "/assignments/{assignment_id}/{step}",
    "/reservations/{reservation_id}/issue",
    "/reservations/{reservation_id}/release",
    "/transfers/{transfer_id}/arrive",
    "/incidents/{incident_id}/merge",
    "/incidents/{incident_id}/unmerge",
    "/incidents/{incident_id}/values/{value_id}/choose",
    "/disasters/{disaster_id}/close",
    "/policies/{policy_id}/publish",
    "/policies/{policy_id}/retire",
    "/tasks/{task_id}/take",
    "/tasks/{task_id}/done",
    "/me/surveys/{survey_id}",
    "/live/acks",
    "/live/poll",
    "/me/push",  # the same browser again renews what is kept
    "/gateways/push/received",
    "/gateways/sms/receipts",
    "/gateways/voice/answers",
    "/gateways/voice/receipts",
    "/matrix",
    "/track/owntracks",
    "/track/traccar",
}


def test_API_2_every_post_that_creates_or_alerts_asks_for_the_key(app: FastAPI) -> None:
    without = {
        path.removeprefix("/api/v1")
        for path, verbs in app.openapi()["paths"].items()
        if "post" in verbs
        and "Idempotency-Key" not in {item["name"] for item in verbs["post"].get("parameters", ())}
    }
    assert without == STEPS


def test_a_marked_route_is_of_the_class_that_keeps_the_promise() -> None:
    def plain() -> None:
        """Do nothing."""

    route = APIRoute("/", plain, methods=["POST"], dependencies=[idempotency.REQUIRED])
    kept = idempotency.Route("/", plain, methods=["POST"], dependencies=[idempotency.REQUIRED])
    assert route.get_route_handler().__qualname__ != kept.get_route_handler().__qualname__
