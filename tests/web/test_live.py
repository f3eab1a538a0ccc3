"""The live socket over uvicorn, PostgreSQL and Redis: who may hear, bounds, rights that end."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa
from callers import Enrol, Member
from fastapi import FastAPI
from live_wire import append, serving, wire
from waiting import until
from websockets.exceptions import InvalidStatus

from dispatch import db, tables
from realtime import protocol
from realtime.protocol import Close
from web import live_session


@pytest.fixture
async def host(app: FastAPI) -> AsyncIterator[str]:
    async with serving(app) as address:
        yield address


@pytest.fixture
async def operator(enrol: Enrol) -> Member:
    return await enrol("operator")


def _token(member: Member) -> str:
    return member.http.headers["Authorization"].removeprefix("Bearer ")


# ---- who may hear


async def test_a_console_gets_its_board_then_events(
    host: str, store: db.Database, operator: Member
) -> None:
    async with wire(host, operator) as console:
        welcome = await console.hello("org:red")
        assert welcome["topics"]["org:red"]["recovered"] is False
        assert welcome["heartbeat_s"] == protocol.HEARTBEAT_S
        snapshot = await console.next()
        assert (snapshot["type"], snapshot["seq"]) == ("snapshot", "0")
        assert snapshot["body"]["org"]["code"] == "red"
        await append(store, "org:red", 2)
        events = [await console.next("event"), await console.next("event")]
        assert [event["seq"] for event in events] == ["1", "2"]
        assert {event["epoch"] for event in events} == {snapshot["epoch"]}


async def test_the_token_may_come_in_the_hello(host: str, operator: Member) -> None:
    async with wire(host) as console:
        welcome = await console.hello("org:red", token=_token(operator))
        assert "org:red" in welcome["topics"]


async def test_a_session_cookie_signs_in(
    host: str, store: db.Database, enrol: Enrol, settings: object
) -> None:
    member = await enrol("operator", password="correct horse")
    answer = await member.http.post(
        "/api/v1/session",
        json={"username": member.username, "password": "correct horse"},
        headers={"Authorization": "", "Origin": "http://testserver"},
    )
    assert answer.status_code in {200, 201}
    cookie = "; ".join(f"{name}={value}" for name, value in answer.cookies.items())
    async with wire(host, headers={"Cookie": cookie, "Origin": f"http://{host}"}) as console:
        assert "org:red" in (await console.hello("org:red"))["topics"]


async def test_without_a_valid_token_it_is_4001(host: str) -> None:
    for token in (None, "", "nonsense"):
        async with wire(host) as stranger:
            await stranger.say(type="hello", topics={"org:red": None}, token=token)
            assert await stranger.end() == Close.SIGN_IN_AGAIN


async def test_RT_12_a_foreign_topic_and_one_that_is_not_there_look_the_same(
    host: str, store: db.Database, enrol: Enrol
) -> None:
    ours, theirs = await enrol("operator", "red"), await enrol("responder", "blue")
    foreign = f"person:{theirs.id}"
    for topic in ("org:blue", "org:nowhere", foreign, f"person:{uuid4()}", "moon:1", "person:x"):
        async with wire(host, ours) as console:
            await console.say(type="hello", topics={topic: None})
            error = await console.next()
            assert (error["type"], error["code"], error["topic"]) == ("error", "not_allowed", topic)
            assert await console.end() == Close.NOT_ALLOWED


async def test_RT_12_a_topic_that_may_not_be_heard_is_left_out(
    host: str, store: db.Database, operator: Member
) -> None:
    async with wire(host, operator) as console:
        welcome = await console.hello("org:red", "org:blue")
        assert set(welcome["topics"]) == {"org:red"}
        await append(store, "org:blue")
        await append(store, "org:red")
        assert (await console.next("event"))["topic"] == "org:red"


async def test_an_id_in_other_letters_is_refused_as_it_would_never_move(
    host: str, enrol: Enrol
) -> None:
    phone = await enrol("responder")
    async with wire(host, phone) as socket:
        await socket.say(type="hello", topics={f"person:{str(phone.id).upper()}": None})
        assert await socket.end() == Close.NOT_ALLOWED


async def test_a_foreign_origin_is_refused_in_the_handshake(host: str, operator: Member) -> None:
    for origin in ("http://evil.example", "null", f"http://{host}.evil.example"):
        with pytest.raises(InvalidStatus) as refused:
            async with wire(host, operator, headers={"Origin": origin}):
                pass
        assert refused.value.response.status_code == 403


# ---- the first five seconds


async def test_RT_8_no_hello_in_time_is_4008(
    host: str, operator: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HELLO_WITHIN_S", 0.1)
    async with wire(host, operator) as silent:
        assert await silent.end() == Close.TOO_SLOW


async def test_bad_messages_get_an_error_and_the_socket_stays(host: str, operator: Member) -> None:
    async with wire(host, operator) as console:
        await console.say(type="ack", alert="x", level="shown")
        assert (await console.next())["code"] == "hello_first"
        await console.socket.send("{")
        assert (await console.next())["code"] == "bad_json"
        await console.socket.send(b"\x00\x01")
        assert (await console.next())["code"] == "bad_json"
        await console.hello("org:red")
        await console.say(type="publish")
        assert (await console.next("error"))["code"] == "unknown_type"
        await console.say(type="ack", alert="x", level="shown")
        assert (await console.next("error"))["code"] == "malformed"
        await console.say(type="position", lon=1, lat=95, at=datetime.now(UTC))
        assert (await console.next("error"))["code"] == "bad_position"


async def test_a_message_too_big_is_4009(host: str, operator: Member) -> None:
    async with wire(host, operator) as console:
        await console.socket.send("x" * (protocol.MESSAGE_MOST_BYTES + 1))
        assert (await console.next())["code"] == "too_big"
        assert await console.end() == Close.TOO_BIG


async def test_too_many_messages_are_4029(host: str, operator: Member) -> None:
    async with wire(host, operator) as chatter:
        await chatter.hello("org:red")
        for _ in range(int(live_session.MESSAGES_BURST) + 50):
            await chatter.say(type="publish")
        assert await chatter.end() == Close.TOO_MANY


async def test_too_many_sockets_of_one_person_are_4029(
    host: str, operator: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_session, "SOCKETS_MOST", 1)
    async with wire(host, operator) as first, wire(host, operator) as second:
        await first.hello("org:red")
        await second.say(type="hello", topics={"org:red": None})
        assert await second.end() == Close.TOO_MANY
        await first.socket.close()
    await _soon_welcome(host, operator)


async def _soon_welcome(host: str, member: Member) -> None:
    async with asyncio.timeout(10):
        while True:
            async with wire(host, member) as again:
                await again.say(type="hello", topics={"org:red": None})
                if (await again.next())["type"] == "welcome":
                    return


# ---- rights that end, processes that stop


async def test_RT_9_a_revoked_token_closes_its_sockets(
    host: str, store: db.Database, app: FastAPI, operator: Member
) -> None:
    async with wire(host, operator) as console:
        await console.hello("org:red")
        async with store.transaction() as conn:
            await conn.execute(
                sa.update(tables.api_token)
                .where(tables.api_token.c.person_id == operator.id)
                .values(revoked_at=datetime.now(UTC))
            )
        await _watch(app)
        assert await console.end() == Close.SIGN_IN_AGAIN


async def test_RT_9_sockets_of_one_token_that_came_one_after_the_other_end_together(
    host: str, store: db.Database, app: FastAPI, operator: Member
) -> None:
    async with wire(host, operator) as first, wire(host, operator) as second:
        await first.hello("org:red")
        await _watch(app)
        await second.hello("org:red")
        await _watch(app)
        assert app.state.live.per_person[operator.id] == 2
        async with store.transaction() as conn:
            await conn.execute(sa.delete(tables.api_token))
        await _watch(app)
        assert await first.end() == Close.SIGN_IN_AGAIN
        assert await second.end() == Close.SIGN_IN_AGAIN


async def _watch(app: FastAPI) -> None:
    """Look after the sockets now, as is done every five seconds."""
    await app.state.live.look(app.state.live.watch.look)


async def test_RT_9_a_role_taken_away_closes_its_topics(
    host: str, store: db.Database, app: FastAPI, operator: Member
) -> None:
    async with wire(host, operator) as console:
        await console.hello("org:red")
        await _watch(app)
        async with store.transaction() as conn:
            await conn.execute(
                sa.delete(tables.membership).where(tables.membership.c.person_id == operator.id)
            )
        await _watch(app)
        assert (await console.next("error"))["code"] == "not_allowed"
        assert await console.end() == Close.NOT_ALLOWED


async def test_a_topic_that_stands_still_is_mended_without_the_tailer(
    host: str, store: db.Database, app: FastAPI, operator: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with wire(host, operator) as console:
        await console.hello("org:red")
        await console.next("snapshot")
        monkeypatch.setattr(app.state.live.tailer, "_look", _deaf)
        await append(store, "org:red", 3)
        await _watch(app)
        await _watch(app)
        assert [(await console.next("event"))["seq"] for _ in range(3)] == ["1", "2", "3"]
    assert app.state.live.watch.repairs == 1


async def _deaf(_: object) -> bool:
    return False


async def test_a_stopping_process_says_1012(app: FastAPI, host: str, operator: Member) -> None:
    async with wire(host, operator) as console:
        await console.hello("org:red")
        app.state.live.hub.close_all()
        assert await console.end() == Close.RESTARTING


async def test_the_hub_forgets_who_is_gone(app: FastAPI, host: str, operator: Member) -> None:
    live = app.state.live
    async with wire(host, operator) as console:
        await console.hello("org:red")
        assert len(live.hub.connections) == 1
    await until(lambda: not live.hub.connections and not live.sessions)
    assert [topic for topic in live.hub.cursors() if not topic.startswith("canary:")] == []
    assert live.per_person[operator.id] == 0
    assert live.failures == 0
