"""The AsyncAPI document is true: it names every code and kind, and real frames have its shapes."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import factories
import sqlalchemy as sa
from callers import Enrol, Member, key
from fastapi import FastAPI
from live_wire import serving, wire

from dispatch import db, events, responders, tables
from realtime import protocol
from realtime.protocol import Close
from web import live_document, live_frames


def test_every_reference_leads_somewhere() -> None:
    document = live_document.document()
    for path in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        part = document
        for name in path.split("/"):
            part = part[name]


def test_every_kind_and_code_is_described() -> None:
    text = live_document.document()["info"]["description"]
    for kind in [*events.Kind, *events.PersonKind, events.TEAM_ANSWER]:
        assert f"`{kind}`" in text
    assert live_document.CLOSES.keys() == set(Close)


def test_every_close_code_stands_in_the_page_about_the_socket() -> None:
    with open("docs/realtime.md", encoding="utf-8") as page:  # noqa: PTH123 - one read
        text = page.read()
    for code in Close:
        assert f"| {code.value} | {code.name.lower().replace('_', ' ')} |" in text


def test_what_it_says_of_client_messages_the_server_takes() -> None:
    for message in (
        {"type": "hello", "topics": {"org:a": None, "org:b": {"epoch": "e", "seq": "1"}}},
        {"type": "ack", "alert": "a", "level": "shown"},
        {"type": "position", "lon": 7.4, "lat": 43.7, "at": "2026-11-22T08:30:00Z"},
    ):
        text = json.dumps(message)
        frame = next(f for f in live_frames.UP if live_document._name(f) == message["type"])
        frame.model_validate_json(text, strict=False)
        protocol.parse(text)


async def test_it_is_served(app: FastAPI, stranger: Any) -> None:
    answer = await stranger.get("/api/v1/asyncapi.json")
    assert answer.json()["channels"]["live"]["address"] == "/api/v1/live"


async def test_real_frames_have_the_described_shapes(
    app: FastAPI, store: db.Database, enrol: Enrol
) -> None:
    async with store.transaction() as conn:
        scene = await factories.make_scene(conn, people=4, now=datetime.now(UTC))
        team = await responders.add_team(
            conn, scene.org_id, code="t", name="队", leader_id=scene.responders[0],
            members=list(scene.responders),
        )  # fmt: skip
    console = await enrol("operator", scene.org_code)
    phone = await _become(store, await enrol("responder", scene.org_code), scene.responders[0])
    topics = [f"org:{scene.org_code}", f"incident:{scene.incident.id}", f"team:{team.id}"]
    async with serving(app) as host, wire(host, console) as board, wire(host, phone) as own:
        await board.hello(*topics)
        await own.hello(f"person:{phone.id}")
        async with store.transaction() as conn:
            sent = await factories.send(conn, scene, team_id=team.id, now=datetime.now(UTC))
        alert = next(item for item in sent.alerts if item.responder_id == phone.id)
        await own.say(type="ack", alert=str(alert.id), level="shown")
        await own.say(type="publish")
        accepted = await phone.http.post(
            f"/api/v1/alerts/{alert.id}/accept", json={}, headers=key()
        )
        assert accepted.is_success, accepted.text
        where = {"lon": 7.4246, "lat": 43.7348, "accuracy_m": 5}
        await own.say(type="position", **where, at=datetime.now(UTC))
        for kind in ("heartbeat", "ack_ok", "error"):  # an ack is stored beside: in any order
            if kind not in own.kinds:
                await own.next(kind)
        for kind in ("positions", "heartbeat"):
            await board.next(kind)
        seen = own.kinds | board.kinds
    # The wire has held each of them against its description.
    assert seen >= {"snapshot", "event", "ack_ok", "error", "heartbeat", "positions"}


async def _become(store: db.Database, member: Member, responder: object) -> Member:
    async with store.transaction() as conn:
        await conn.execute(
            sa.update(tables.api_token)
            .where(tables.api_token.c.person_id == member.id)
            .values(person_id=responder)
        )
    return Member(responder, member.username, member.org, member.http)  # type: ignore[arg-type]  # a UUID
