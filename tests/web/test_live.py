"""The live socket over real uvicorn, PostgreSQL and Redis: who may hear, resume, acks, bounds."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import factories
import pytest
import redis.asyncio
import sqlalchemy as sa
from callers import Enrol, Member
from fastapi import FastAPI
from live_wire import serving, wire
from waiting import until
from websockets.exceptions import InvalidStatus

from dispatch import db, states, tables
from realtime import log, protocol
from realtime.protocol import Close
from web import live_session


@pytest.fixture
async def host(app: FastAPI) -> AsyncIterator[str]:
    async with serving(app) as address:
        yield address


@pytest.fixture
async def operator(enrol: Enrol) -> Member:
    return await enrol("operator")


async def _say(store: db.Database, topic: str, count: int = 1) -> None:
    async with store.transaction() as conn:
        items = [log.Item(topic, "x", {"n": number}) for number in range(count)]
        await log.append_many(conn, items, at=datetime.now(UTC))


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
        await _say(store, "org:red", 2)
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
        await _say(store, "org:blue")
        await _say(store, "org:red")
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


# ---- resume


async def test_RT_3_a_resume_brings_what_was_missed_and_nothing_else(
    host: str, store: db.Database, operator: Member
) -> None:
    async with wire(host, operator) as console:
        epoch = (await console.hello("org:red"))["topics"]["org:red"]["epoch"]
    await _say(store, "org:red", 5)
    async with wire(host, operator) as console:
        welcome = await console.resume(org__red=(epoch, "2"))
        assert welcome["topics"]["org:red"] == {"epoch": epoch, "seq": "5", "recovered": True}
        await _say(store, "org:red", 1)
        frames = [await console.next() for _ in range(4)]
        assert [frame["type"] for frame in frames] == ["event"] * 4
        assert [frame["seq"] for frame in frames] == ["3", "4", "5", "6"]


@pytest.mark.parametrize(
    "cursor",
    [(None, "9"), ("other", "2"), (None, "0")],
    ids=["from the future", "of another past", "not kept"],
)
async def test_RT_4_what_cannot_be_resumed_gets_a_snapshot(
    host: str, store: db.Database, operator: Member, cursor: tuple[str | None, str]
) -> None:
    await _say(store, "org:red", 5)
    async with store.transaction() as conn:
        await conn.execute(sa.text("DELETE FROM event WHERE seq <= 2"))
        mark = (await log.position_of(conn, ["org:red"]))["org:red"]
    async with wire(host, operator) as console:
        welcome = await console.resume(org__red=(cursor[0] or mark.epoch, cursor[1]))
        assert welcome["topics"]["org:red"]["recovered"] is False
        snapshot = await console.next()
        assert (snapshot["type"], snapshot["epoch"]) == ("snapshot", mark.epoch)
        assert snapshot["seq"] == "5"


async def test_RT_4_a_new_epoch_under_open_sockets_brings_a_snapshot(
    host: str, store: db.Database, operator: Member
) -> None:
    async with wire(host, operator) as console:
        await console.hello("org:red")
        await console.next("snapshot")
        async with store.transaction() as conn:
            epoch = await log.new_epoch(conn)
        assert (await console.next("snapshot"))["epoch"] == epoch
        await _say(store, "org:red")
        assert (await console.next("event"))["epoch"] == epoch


async def test_RT_3_writers_during_the_hello_are_all_heard_once(
    host: str, store: db.Database, operator: Member
) -> None:
    """Sockets come while events are written: each sees its snapshot's number, then every next."""

    async def write() -> None:
        for _ in range(120):
            await _say(store, "org:red")

    async def listen() -> list[int]:
        async with wire(host, operator) as console:
            await console.hello("org:red")
            seqs = [int((await console.next("snapshot"))["seq"])]
            while seqs[-1] < 120:
                seqs.append(int((await console.next("event"))["seq"]))
            return seqs

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(write())
        ears = [tasks.create_task(listen()) for _ in range(8)]
    for ear in ears:
        seqs = ear.result()
        assert seqs == list(range(seqs[0], 121))


async def test_a_second_hello_changes_the_topics(
    host: str, store: db.Database, enrol: Enrol, operator: Member
) -> None:
    phone = await enrol("admin", "red")
    own = f"person:{phone.id}"
    async with wire(host, phone) as socket:
        first = await socket.hello("org:red")
        epoch = first["topics"]["org:red"]["epoch"]
        await socket.next("snapshot")
        cursor = {"epoch": epoch, "seq": "0"}
        await socket.say(type="hello", topics={"org:red": cursor, own: None})
        welcome = await socket.next("welcome")
        assert welcome["topics"]["org:red"]["recovered"] is True
        if own in welcome["topics"]:
            assert (await socket.next())["topic"] == own
        await _say(store, "org:red")
        assert (await socket.next("event"))["seq"] == "1"


# ---- phones


async def test_an_alert_reaches_its_phone_and_is_acknowledged(
    host: str, store: db.Database, enrol: Enrol
) -> None:
    now = datetime.now(UTC)
    async with store.transaction() as conn:
        scene = await factories.make_scene(conn, people=2, now=now)
    phone = await _phone_of(store, enrol, scene.responders[0])
    async with wire(host, phone) as socket:
        welcome = await socket.hello(f"person:{phone.id}")
        assert welcome["heartbeat_s"] == protocol.IDLE_HEARTBEAT_S
        async with store.transaction() as conn:
            await factories.send(conn, scene, now=datetime.now(UTC))
        event = await socket.next("event")
        assert event["kind"] == "alert_sent"
        alert = event["body"]["alert"]["id"]
        await socket.say(type="ack", alert=alert, level="received")
        assert await socket.next("ack_ok") == {
            "type": "ack_ok", "alert": alert, "level": "received",
        }  # fmt: skip
        assert await _status(store, alert) == states.Alert.DELIVERED
        assert (await socket.next("heartbeat"))["heartbeat_s"] == protocol.HEARTBEAT_S


async def test_the_ack_of_somebody_elses_alert_is_refused(
    host: str, store: db.Database, enrol: Enrol
) -> None:
    async with store.transaction() as conn:
        scene = await factories.make_scene(conn, people=2, now=datetime.now(UTC))
        sent = await factories.send(conn, scene, now=datetime.now(UTC))
    phone = await _phone_of(store, enrol, scene.responders[0])
    foreign = next(alert for alert in sent.alerts if alert.responder_id != phone.id)
    async with wire(host, phone) as socket:
        welcome = await socket.hello(f"person:{phone.id}")
        assert welcome["heartbeat_s"] == protocol.HEARTBEAT_S
        for alert in (str(foreign.id), str(uuid4())):
            await socket.say(type="ack", alert=alert, level="shown")
            assert (await socket.next("error"))["code"] == "not_found"


async def _phone_of(store: db.Database, enrol: Enrol, responder: object) -> Member:
    """Give a member whose token is that of a responder whom a factory made."""
    member = await enrol("responder", "red")
    async with store.transaction() as conn:
        await conn.execute(
            sa.update(tables.api_token)
            .where(tables.api_token.c.person_id == member.id)
            .values(person_id=responder)
        )
    return Member(responder, member.username, member.org, member.http)  # type: ignore[arg-type]  # a UUID


async def _status(store: db.Database, alert_id: str) -> str:
    async with store.snapshot() as conn:
        status = await conn.scalar(
            sa.select(tables.alert.c.status).where(tables.alert.c.id == sa.cast(alert_id, sa.Uuid))
        )
    return str(status)


async def test_RT_10_a_position_is_stored_and_shown_to_the_board_of_the_mission(
    host: str, store: db.Database, enrol: Enrol, redis: redis.asyncio.Redis
) -> None:
    del redis
    async with store.transaction() as conn:
        scene = await factories.make_scene(conn, people=2, now=datetime.now(UTC))
        sent = await factories.send(conn, scene, now=datetime.now(UTC))
    phone = await _phone_of(store, enrol, sent.alerts[0].responder_id)
    console = await enrol("operator", scene.org_code)
    answer = await phone.http.post(
        f"/api/v1/alerts/{sent.alerts[0].id}/accept", json={}, headers={"Idempotency-Key": "k-1"}
    )
    assert answer.is_success, answer.text
    async with wire(host, phone) as moving, wire(host, console) as board:
        await board.hello(f"org:{scene.org_code}")
        await moving.hello(f"person:{phone.id}")
        where = {"lon": 7.42461, "lat": 43.73471, "accuracy_m": 9}
        await moving.say(type="position", **where, at=datetime.now(UTC))
        frame = await board.next("positions")
    assert frame["topic"] == f"org:{scene.org_code}"
    assert frame["items"][0]["responder"] == str(phone.id)
    assert frame["items"][0]["position"]["coordinates"] == [7.42461, 43.73471]


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
        await _say(store, "org:red", 3)
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
    assert live.hub.cursors() == {}
    assert live.per_person[operator.id] == 0
    assert live.failures == 0
