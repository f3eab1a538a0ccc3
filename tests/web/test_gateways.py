"""Receipts, short links and web push over HTTP, with doubles that speak the gateways' protocols."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis.asyncio
import sqlalchemy as sa
from callers import Enrol, Member, alerted, client_of, code_of, opened
from fastapi import FastAPI
from gateways import aliyun, all_of_them

from dispatch import channel_health, channels, db, delivering, runner, tables
from dispatch.ladder import Channel
from dispatch.settings import Settings
from web import app as web_app

BEARER = {"Authorization": f"Bearer {all_of_them.SECRET}"}
SMS, ANSWERS, CALLS = (
    f"/api/v1/gateways/{name}" for name in ("sms/receipts", "voice/answers", "voice/receipts")
)


@pytest.fixture
def doubles() -> Iterator[all_of_them.Doubles]:
    """Give all gateways, running."""
    with all_of_them.running() as running:
        yield running


@pytest.fixture
def settings(
    doubles: all_of_them.Doubles, database: str, redis_url: str, tmp_path: Path
) -> Settings:
    """The settings of an app whose channels are all on."""
    # The tests' clients speak http to a host of their own.
    return all_of_them.read(doubles, database, redis_url, tmp_path, public_url="http://testserver")


@pytest.fixture
async def means(
    app: FastAPI, settings: Settings, redis: redis.asyncio.Redis
) -> AsyncIterator[delivering.Means]:
    """A runner's means beside the app."""

    def clock() -> datetime:
        return datetime.now(UTC)

    async with channels.gateways(settings, clock) as gateways:
        means = delivering.Means(app.state.database, gateways, redis, settings.base_url, clock)
        await runner.watch_channels(means, {c: g.is_test for c, g in gateways.items()})
        yield means


async def _deliver(means: delivering.Means) -> None:
    while dues := (await delivering.take(means, tuple(means.gateways)))[0]:
        await delivering.carry(means, dues)


async def _due(means: delivering.Means, channel: Channel) -> None:
    """Bring a channel's rows forward: this test is about what comes after."""
    async with means.database.transaction() as conn:
        await conn.execute(
            sa.update(tables.delivery)
            .where(tables.delivery.c.channel == channel.value)
            .values(due_at=datetime.now(UTC))
        )


@pytest.fixture
def asked(store: db.Database, enrol: Enrol, volunteer: Enrol, means: delivering.Means) -> Any:
    """Ask one volunteer with a phone; give operator, volunteer, incident and alert."""

    async def ask() -> tuple[Member, Member, dict[str, Any], dict[str, Any]]:
        operator, member = await enrol(), await volunteer()
        async with store.transaction() as conn:
            await conn.execute(
                sa.update(tables.person)
                .where(tables.person.c.id == member.id)
                .values(phone="13812345678", is_invented=False)
            )
        incident = await opened(operator, address="Quai Albert Ier 1")
        sent = await alerted(operator, incident, responders=[str(member.id)])
        await _deliver(means)
        return operator, member, incident, sent["alerts"][0]

    return ask


async def _channels(member: Member, incident: dict[str, Any]) -> dict[str, str]:
    card = (await member.http.get(f"/api/v1/incidents/{incident['id']}")).json()
    [alert] = card["alerts"].values() if isinstance(card["alerts"], dict) else card["alerts"]
    return {way["channel"]: way["status"] for way in alert["channels"]}


async def test_CHN_15_receipts_need_the_secret_and_may_come_twice(
    asked: Any, stranger: httpx.AsyncClient, doubles: all_of_them.Doubles
) -> None:
    operator, _, incident, _ = await asked()
    report = [aliyun.sms_report(doubles.aliyun.messages[0])]
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic !!"}):
        refused = await stranger.post(SMS, json=report, headers=headers)
        assert code_of(refused) == (401, "not_signed_in")
    assert (await _channels(operator, incident))["sms"] == "sent"
    basic = httpx.BasicAuth("golden", all_of_them.SECRET)
    for auth in (basic, basic):
        taken = await stranger.post(SMS, json=report, auth=auth)
        assert taken.json() == {"code": 0, "msg": "OK"}
    assert (await _channels(operator, incident))["sms"] == "delivered"
    strange = [{"out_id": "not ours", "success": True}, {"success": False, "err_code": "X"}]
    assert (await stranger.post(SMS, json=strange, headers=BEARER)).status_code == 200


async def test_CHN_15_without_a_secret_nobody_is_let_in(
    settings: Settings, redis: redis.asyncio.Redis
) -> None:
    made = web_app.create_app(settings.model_copy(update={"gateway_secret": ""}))
    async with made.router.lifespan_context(made), client_of(made) as client:
        refused = await client.post(SMS, json=[], headers={"Authorization": "Bearer "})
        assert code_of(refused) == (401, "not_signed_in")


async def test_CHN_15_the_secret_is_not_guessed(stranger: httpx.AsyncClient) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    answers = [await stranger.post(SMS, json=[], headers=wrong) for _ in range(102)]
    assert {answer.status_code for answer in answers[:100]} == {401}
    assert code_of(answers[-1]) == (429, "too_many")
    assert (await stranger.post(SMS, json=[], headers=BEARER)).status_code == 200


async def test_CHN_16_a_key_pressed_in_a_call_is_the_answer(
    asked: Any, stranger: httpx.AsyncClient, doubles: all_of_them.Doubles, means: delivering.Means
) -> None:
    operator, member, incident, alert = await asked()
    await _due(means, Channel.VOICE)
    await _deliver(means)
    [call] = doubles.aliyun.calls
    for _ in range(2):
        taken = await stranger.post(ANSWERS, json=[aliyun.key_pressed(call, "1")], headers=BEARER)
        assert taken.status_code == 200
    await stranger.post(CALLS, json=[aliyun.call_ended(call, key="1")], headers=BEARER)
    mine = (await member.http.get(f"/api/v1/alerts/{alert['id']}")).json()
    assert mine["status"] == "accepted"
    assert (await _channels(operator, incident))["voice"] == "acted"
    await _deliver(means)
    way = doubles.aliyun.messages[-1]
    assert way["text"].startswith("【某市红十字会】感谢接受任务")
    page = await stranger.get(f"/a/{way['code']}")
    assert "Quai Albert Ier 1" in page.text


async def test_CHN_16_nobody_picks_up(
    asked: Any, stranger: httpx.AsyncClient, doubles: all_of_them.Doubles, means: delivering.Means
) -> None:
    operator, _, incident, _ = await asked()
    await _due(means, Channel.VOICE)
    await _deliver(means)
    ended = aliyun.call_ended(doubles.aliyun.calls[0], status="200005")
    await stranger.post(CALLS, json=[ended], headers=BEARER)
    assert (await _channels(operator, incident))["voice"] == "failed"


async def test_CHN_17_who_has_the_link_answers_without_signing_in(
    asked: Any, stranger: httpx.AsyncClient, doubles: all_of_them.Doubles, means: delivering.Means
) -> None:
    operator, member, incident, alert = await asked()
    [message] = doubles.aliyun.messages
    assert len(message["text"]) <= 70
    path = f"/a/{message['code']}"
    page = await stranger.get(path, headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert "Can you go?" in page.text
    assert "About 50 m from you" in page.text
    assert "Quai" not in page.text
    assert "<script" not in page.text
    assert (await _channels(operator, incident))["sms"] == "seen"
    done = await stranger.post(f"{path}/accept", data={"lang": "en"})
    assert (done.status_code, done.headers["location"]) == (303, f"{path}?lang=en")
    assert (await stranger.post(f"{path}/accept")).status_code == 303  # twice is once
    going = await stranger.get(done.headers["location"])
    assert "Quai Albert Ier 1" in going.text
    ways = await _channels(operator, incident)
    assert (ways["sms"], ways["voice"]) == ("acted", "silenced")
    await _due(means, Channel.VOICE)
    await _deliver(means)
    assert doubles.aliyun.calls == []
    into = await stranger.post(f"{path}/open")
    secret = into.headers["location"].removeprefix("/sign-in#")
    signed = await stranger.post("/api/v1/session", json={"link": secret})
    assert signed.json()["person"]["id"] == str(member.id)
    assert code_of(await stranger.post("/api/v1/session", json={"link": secret}))[0] == 401
    assert (await member.http.get(f"/api/v1/alerts/{alert['id']}")).json()["status"] == "accepted"


async def test_CHN_17_a_no_is_as_easy(
    asked: Any, stranger: httpx.AsyncClient, doubles: all_of_them.Doubles
) -> None:
    _, member, _, alert = await asked()
    path = f"/a/{doubles.aliyun.messages[0]['code']}"
    await stranger.post(f"{path}/decline")
    assert "谢谢您的答复" in (await stranger.get(path)).text
    assert (await member.http.get(f"/api/v1/alerts/{alert['id']}")).json()["status"] == "declined"
    assert (await stranger.post(f"{path}/open")).status_code == 409


async def test_CHN_18_a_link_that_is_over_tells_nothing(
    asked: Any, stranger: httpx.AsyncClient, doubles: all_of_them.Doubles, store: db.Database
) -> None:
    operator, _, incident, _ = await asked()
    path = f"/a/{doubles.aliyun.messages[0]['code']}"
    await operator.http.post(
        f"/api/v1/incidents/{incident['id']}/stand-down", json={}, headers={"Idempotency-Key": "x"}
    )
    over = await stranger.get(path)
    assert "已结束" in over.text
    assert "米" not in over.text
    assert (await stranger.post(f"{path}/accept")).status_code == 409
    async with store.transaction() as conn:
        kept = (await conn.execute(sa.select(tables.alert_code.c.code_hash))).scalars().all()
        await conn.execute(sa.update(tables.alert_code).values(expires_at=datetime.now(UTC)))
    assert doubles.aliyun.messages[0]["code"].encode() not in kept
    assert (await stranger.get(path)).status_code == 404


async def test_CHN_18_codes_are_not_guessed(stranger: httpx.AsyncClient) -> None:
    answers = [(await stranger.get(f"/a/{'x' * 22}")).status_code for _ in range(32)]
    assert answers == [404] * 30 + [429] * 2


async def test_CHN_19_a_browser_subscribes_and_confirms(
    *, store: db.Database, enrol: Enrol, volunteer: Enrol, means: delivering.Means,
    stranger: httpx.AsyncClient, doubles: all_of_them.Doubles,
) -> None:  # fmt: skip
    operator, member = await enrol(), await volunteer()
    offered = (await member.http.get("/api/v1/me/push")).json()
    assert (offered["state"], offered["devices"]) == ("none", 0)
    assert re.fullmatch(r"[A-Za-z0-9_-]{87}", offered["public_key"])
    device = doubles.push.subscribe()
    for _ in range(2):
        kept = await member.http.post("/api/v1/me/push", json=device)
        assert (kept.json()["state"], kept.json()["devices"]) == ("ok", 1)
    lights = (await member.http.get("/api/v1/me")).json()["readiness"]
    assert {"code": "push", "ok": True, "detail": "ok"} in lights
    async with store.transaction() as conn:
        await conn.execute(sa.update(tables.person).values(is_invented=False))
    incident = await opened(operator)
    await alerted(operator, incident, responders=[str(member.id)])
    await _deliver(means)
    [shown] = doubles.push.shown
    code = {"code": shown.content["code"]}
    for _ in range(2):
        heard = await stranger.post("/api/v1/gateways/push/received", json=code)
        assert heard.json() == {"is_over": False}
    unknown = await stranger.post("/api/v1/gateways/push/received", json={"code": "x" * 22})
    assert code_of(unknown) == (404, "not_found")
    assert (await _channels(operator, incident))["web_push"] == "delivered"
    await operator.http.post(
        f"/api/v1/incidents/{incident['id']}/stand-down", json={}, headers={"Idempotency-Key": "x"}
    )
    late = await stranger.post("/api/v1/gateways/push/received", json=code)
    assert late.json() == {"is_over": True}
    gone = await member.http.request(
        "DELETE", "/api/v1/me/push", json={"endpoint": device["endpoint"]}
    )
    assert gone.status_code == 204
    assert (await member.http.get("/api/v1/me/push")).json()["devices"] == 0


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/fcm/send/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evil.example/fcm.googleapis.com",
        "https://user:pass@fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://127.0.0.1/x",
        "http://127.0.0.1:1/x",
        "https://[::1]/x",
        "https://2130706433/x",
        "https://0x7f.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://notify.windows.com@127.0.0.1/x",
        "file:///etc/passwd",
    ],
)
async def test_CHN_20_only_push_services_are_ever_called(
    volunteer: Enrol, doubles: all_of_them.Doubles, endpoint: str
) -> None:
    member = await volunteer()
    device = {**doubles.push.subscribe(), "endpoint": endpoint}
    refused = await member.http.post("/api/v1/me/push", json=device)
    assert code_of(refused) == (422, "malformed")


async def test_CHN_13_accounts_in_messengers_are_ones_own_or_the_administrators(
    enrol: Enrol, volunteer: Enrol
) -> None:
    member, admin, stranger = await volunteer(), await enrol("admin"), await enrol("admin", "blue")
    assert (await member.http.get("/api/v1/me/contacts")).json()["wecom"] is None
    mine = await member.http.put("/api/v1/me/contacts", json={"wecom": "zhang"})
    assert mine.json() == {"wecom": "zhang", "dingtalk": None, "feishu": None}
    path = f"/api/v1/responders/{member.id}/contacts"
    theirs = await admin.http.put(path, json={"dingtalk": "manager123", "wecom": None})
    assert theirs.json() == {"wecom": None, "dingtalk": "manager123", "feishu": None}
    assert code_of(await stranger.http.put(path, json={"feishu": "ou_x"})) == (404, "not_found")
    assert code_of(await member.http.put("/api/v1/me/contacts", json={"wecom": "a|b"}))[0] == 422


async def test_CHN_11_metrics_tell_of_each_channel(asked: Any, app: FastAPI) -> None:
    await asked()
    async with app.state.database.transaction() as conn:
        await channel_health.check(conn, now=datetime.now(UTC))
    await app.state.channels.look()
    told = {
        (sample.name, *sample.labels.values()): sample.value
        for metric in app.state.channels.collect()
        for sample in metric.samples
    }
    assert told["golden_channel_silent", "sms"] == 0
    assert told["golden_channel_messages", "sms", "sent"] == 1
    assert told["golden_channel_messages", "sms", "delivered"] == 0
