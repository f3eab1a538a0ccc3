"""Polls in place of a socket: the same frames, the same rights, nothing missed between two."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import factories
import pytest
import sqlalchemy as sa
from callers import Enrol, Member, code_of
from fastapi import FastAPI
from live_wire import append, check_frame
from waiting import until

from dispatch import db, states, tables
from web import live_frames, live_session

Frames = list[dict[str, Any]]


@pytest.fixture
async def operator(enrol: Enrol) -> Member:
    return await enrol("operator")


async def _ask(member: Member, wait_s: int = 0, **cursors: tuple[str, int] | None) -> Frames:
    """Poll with cursors (colons in topics written as `__`), and check every frame."""
    topics = {
        topic.replace("__", ":"): None if at is None else {"epoch": at[0], "seq": str(at[1])}
        for topic, at in cursors.items()
    }
    answer = await member.http.post("/api/v1/live/poll", json={"topics": topics, "wait_s": wait_s})
    assert answer.status_code == 200, answer.text
    return [check_frame(frame) for frame in answer.json()["frames"]]


def _kinds(frames: Frames) -> list[str]:
    # A heartbeat comes with whatever takes long.
    return [frame["type"] for frame in frames if frame["type"] != "heartbeat"]


async def _until_waiting(app: FastAPI) -> None:
    """Wait until a poll has read what there is and waits for more."""
    await until(
        lambda: any(
            stream.is_live
            for connection in app.state.live.hub.connections
            for stream in connection.streams.values()
        )
    )


async def _epoch(member: Member) -> str:
    return str((await _ask(member, org__red=None))[0]["topics"]["org:red"]["epoch"])


async def test_RT_19_a_poll_is_answered_as_a_hello_is(store: db.Database, operator: Member) -> None:
    first = await _ask(operator, 25, org__red=None)
    assert _kinds(first) == ["welcome", "snapshot"]
    epoch = first[1]["epoch"]
    await append(store, "org:red", 5)
    missed = await _ask(operator, 25, org__red=(epoch, 2))
    assert _kinds(missed) == ["welcome", "event", "event", "event"]
    assert [frame["seq"] for frame in missed[1:]] == ["3", "4", "5"]
    assert missed[0]["topics"]["org:red"]["recovered"] is True
    other = await _ask(operator, 25, org__red=("another", 2))
    assert _kinds(other) == ["welcome", "snapshot"]
    assert _kinds(await _ask(operator, 0, org__red=(epoch, 5))) == ["welcome"]


async def test_RT_19_a_poll_waits_for_news(
    app: FastAPI, store: db.Database, operator: Member
) -> None:
    epoch = await _epoch(operator)
    waiting = asyncio.create_task(_ask(operator, 25, org__red=(epoch, 0)))
    await _until_waiting(app)
    await append(store, "org:red", 2)
    frames = await waiting
    assert [frame["seq"] for frame in frames if frame["type"] == "event"] == ["1", "2"]
    assert not app.state.live.hub.connections


async def test_RT_19_a_wait_that_brings_nothing_ends(operator: Member) -> None:
    epoch = await _epoch(operator)
    frames = await _ask(operator, 1, org__red=(epoch, 0))
    assert "event" not in _kinds(frames)
    assert frames[0]["type"] == "welcome"


@pytest.mark.parametrize("has_another", [True, False])
async def test_RT_20_a_role_taken_away_while_it_waits_ends_what_is_heard(
    app: FastAPI, store: db.Database, operator: Member, has_another: bool
) -> None:
    body: dict[str, Any] = {
        "topics": {"org:red": {"epoch": await _epoch(operator), "seq": "0"}}, "wait_s": 25,
    }  # fmt: skip
    if has_another:
        own = f"person:{operator.id}"
        found = await _ask(operator, **{own: None})
        body["topics"][own] = {"epoch": found[1]["epoch"], "seq": found[1]["seq"]}
    waiting = asyncio.create_task(operator.http.post("/api/v1/live/poll", json=body))
    await _until_waiting(app)
    async with store.transaction() as conn:
        await conn.execute(
            sa.delete(tables.membership).where(tables.membership.c.person_id == operator.id)
        )
    await append(store, "org:red")
    answer = await waiting
    if not has_another:
        assert code_of(answer) == (403, "not_allowed")
        return
    frames = answer.json()["frames"]
    assert "event" not in _kinds(frames)
    assert ("not_allowed", "org:red") in {(f.get("code"), f.get("topic")) for f in frames}


async def test_RT_20_a_token_revoked_while_it_waits_ends_the_poll(
    app: FastAPI, store: db.Database, operator: Member
) -> None:
    epoch = await _epoch(operator)
    body = {"topics": {"org:red": {"epoch": epoch, "seq": "0"}}}
    waiting = asyncio.create_task(operator.http.post("/api/v1/live/poll", json=body))
    await _until_waiting(app)
    async with store.transaction() as conn:
        await conn.execute(
            sa.update(tables.api_token)
            .where(tables.api_token.c.person_id == operator.id)
            .values(revoked_at=datetime.now(UTC))
        )
    await append(store, "org:red")
    assert code_of(await waiting) == (401, "not_signed_in")


async def test_RT_20_foreign_topics_are_refused_as_by_the_socket(
    operator: Member, stranger: Any
) -> None:
    some = await _ask(operator, org__red=None, org__blue=None)
    assert _kinds(some) == ["error", "welcome", "snapshot"]
    assert some[0]["topic"] == "org:blue"
    for body, expected in (
        ({"topics": {"org:blue": None}}, (403, "not_allowed")),
        ({"topics": {}}, (422, "malformed")),
        ({"topics": {"org:red": {"epoch": "e", "seq": "x"}}}, (422, "malformed")),
        ({"topics": {"org:red": None}, "wait_s": 60}, (422, "malformed")),
    ):
        answer = await operator.http.post("/api/v1/live/poll", json=body)
        assert code_of(answer) == expected
    answer = await stranger.post("/api/v1/live/poll", json={"topics": {"org:red": None}})
    assert code_of(answer) == (401, "not_signed_in")
    foreign = {"Origin": "http://evil.example", "Authorization": "", "Cookie": "golden_session=x"}
    answer = await operator.http.post(
        "/api/v1/live/poll", json={"topics": {"org:red": None}}, headers=foreign
    )
    assert code_of(answer) == (403, "foreign_origin")


async def test_RT_20_a_waiting_poll_counts_as_a_socket(
    app: FastAPI, store: db.Database, operator: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_session, "SOCKETS_MOST", 1)
    epoch = await _epoch(operator)
    waiting = asyncio.create_task(_ask(operator, 25, org__red=(epoch, 0)))
    live = app.state.live
    await _until_waiting(app)
    body = {"topics": {"org:red": None}, "wait_s": 0}
    refused = await operator.http.post("/api/v1/live/poll", json=body)
    assert code_of(refused) == (429, "too_many")
    await append(store, "org:red")
    await waiting
    assert live.per_person[operator.id] == 0
    assert not live.sessions


async def test_RT_20_a_process_that_stops_lets_polls_go(
    app: FastAPI, store: db.Database, operator: Member
) -> None:
    epoch = await _epoch(operator)
    body = {"topics": {"org:red": {"epoch": epoch, "seq": "0"}}}
    waiting = asyncio.create_task(operator.http.post("/api/v1/live/poll", json=body))
    await _until_waiting(app)
    app.state.live.hub.close_all()
    assert code_of(await waiting) == (503, "unavailable")


async def test_RT_16_acks_by_request_are_confirmed_as_by_the_socket(
    store: db.Database, enrol: Enrol
) -> None:
    async with store.transaction() as conn:
        scene = await factories.make_scene(conn, people=2, now=datetime.now(UTC))
        sent = await factories.send(conn, scene, now=datetime.now(UTC))
    member = await enrol("responder", "red")
    mine, foreign = (str(alert.id) for alert in sent.alerts[:2])
    async with store.transaction() as conn:
        await conn.execute(
            sa.update(tables.api_token)
            .where(tables.api_token.c.person_id == member.id)
            .values(person_id=sent.alerts[0].responder_id)
        )
    acks = [{"alert": alert, "level": "received"} for alert in (mine, foreign, "x")]
    answer = await member.http.post("/api/v1/live/acks", json={"acks": acks})
    shown = live_frames.AckOkFrame.model_validate(answer.json()["frames"][0])
    assert (shown.alert, shown.level) == (mine, "received")
    refused = [(frame["code"], frame["alert"]) for frame in answer.json()["frames"][1:]]
    assert refused == [("not_found", foreign), ("malformed", "x")]
    async with store.snapshot() as conn:
        alert = tables.alert.c
        status = await conn.scalar(sa.select(alert.status).where(alert.id == sent.alerts[0].id))
    assert status == states.Alert.DELIVERED
