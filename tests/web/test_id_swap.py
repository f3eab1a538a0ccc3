"""Two organisations with one of everything: no id of the one opens anything to the other.

Generated from the OpenAPI text, the topics and the tiles. Removing the one check makes it fail,
which the last test shows.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import factories
import httpx
import pytest
import sqlalchemy as sa
from callers import Enrol, Member, alerted, key, opened
from fastapi import FastAPI
from foreign_ids import Request, requests
from live_wire import serving, wire
from PIL import Image
from sqlalchemy.ext.asyncio import AsyncConnection
from websockets.exceptions import ConnectionClosed

from dispatch import db, tables, tasks
from realtime.protocol import Close
from web import aed_record, auth, live_watch, rights
from web.api import aed_reports

#: What a list asks for, near enough to find the other organisation's things too.
QUERY = {"lat": "43.7347", "lon": "7.4246", "from": "7.42,43.73", "to": "7.43,43.74", "q": "red"}
#: What is public about an AED is public (docs/decisions/0005); the lists of it hold everybody's.
PUBLIC = {"/api/v1/aeds", "/api/v1/nearest/aeds"}
#: Looked up below what they belong to, so that nobody need look at whose they are.
BELOW = {
    "line", "photo", "report", "use", "tracker", "certificate", "value", "attachment", "survey",
}  # fmt: skip


_JPEG = {"Content-Type": "image/jpeg"}
_LIST = "名称,经度,纬度\n市民中心,114.305,30.593\n".encode()


def _picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (8, 8)).save(written, "JPEG")
    return written.getvalue()


def _is_public(request: Request) -> bool:
    """Tell whether anybody may ask this of any AED: to see it, and to say what is wrong."""
    is_one = request.verb == "GET" and re.fullmatch("/api/v1/aeds/[^/]+", request.path) is not None
    return is_one or (request.verb == "POST" and request.path.endswith("/reports"))


@dataclass(frozen=True, slots=True)
class World:
    """An organisation with one of everything, by kind of thing, and its people."""

    ids: Mapping[str, str]
    people: tuple[Member, ...]

    @property
    def secrets(self) -> set[str]:
        """Name every id and code that no foreigner may read."""
        return {*self.ids.values(), *(str(person.id) for person in self.people)}


async def _made(member: Member, path: str, **body: Any) -> str:
    answer = await member.http.post(f"/api/v1{path}", json=body, headers=key())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def _world(code: str, enrol: Enrol, volunteer: Enrol, store: db.Database) -> World:
    admin, operator = await enrol("admin", code), await enrol("operator", code)
    keeper, responder = await enrol("keeper", code), await volunteer(code)
    # Asked before the incident opens: the wave of the first incident must not take them.
    second = await volunteer(code, duty="off_duty")
    incident = await opened(operator, kind="fire", address=f"{code} street 1", note=code)
    line = await _made(operator, f"/incidents/{incident['id']}/timeline", text="a note")
    of_incident = await _of_incident(operator, incident["id"], code)
    team = await _made(admin, "/teams", code="t", name=code, leader=str(responder.id))
    policy = await _made(admin, "/policies", name="ours")
    simulation = await _simulated(admin, policy, store)
    place = factories.HARBOUR.geojson()
    depot = await _made(keeper, "/depots", code="d", name=code, position=place)
    item = await _made(
        keeper, "/items", code="bandage", name_zh=code, name_en=code, unit_zh="卷", unit_en="roll"
    )
    lot = await _made(keeper, "/lots", depot=depot, item=item, quantity=100)
    claim = {"incident": incident["id"], "item": "bandage", "quantity": 1}
    reserved = await operator.http.post("/api/v1/reservations", json=claim, headers=key())
    async with store.transaction() as conn:
        aed = await factories.make_aed(conn, operator.org.id, now=datetime.now(UTC))
        of_care = await _of_care(conn, responder, incident["id"], aed.id)
    sent = await alerted(operator, incident)
    alert = sent["alerts"][0]["id"]
    taken = await responder.http.post(f"/api/v1/alerts/{alert}/accept")
    below = f"/api/v1/aeds/{aed.id}"
    photo = await operator.http.post(f"{below}/photos", content=_picture(), headers=key())
    of_aed = {
        "photo": photo.json()["id"],
        "report": await _made(operator, f"/aeds/{aed.id}/reports", kind="other", note=code),
        "use": await _made(operator, f"/aeds/{aed.id}/uses", note=code),
    }
    tracker = await _made(responder, "/me/trackers", kind="traccar")
    shown = (await admin.http.get(f"/api/v1/responders/{responder.id}")).json()
    listed = await operator.http.post(
        "/api/v1/imports/aeds", params={"name": "a.csv"}, content=_LIST, headers=key()
    )
    ids = {
        "org": str(operator.org.id), "org code": code, "incident": incident["id"], "line": line,
        "alert": alert, "assignment": taken.json()["assignment"]["id"],
        "responder": str(responder.id), "team": team, "aed": str(aed.id), "depot": depot,
        "item": item, "lot": lot, "reservation": _first_id(reserved), "policy": policy, **of_aed,
        **await _sent(keeper, depot, code),
        **of_incident, **of_care, **simulation,
        "tracker": tracker, "certificate": shown["certificates"][0]["id"],
        "import": listed.json()["id"],
    }  # fmt: skip
    return World(ids, (admin, operator, keeper, responder, second))


async def _sent(keeper: Member, depot: str, code: str) -> dict[str, str]:
    """Send a roll of bandage to a second depot."""
    place = factories.HARBOUR.geojson()
    other = await _made(keeper, "/depots", code="e", name=code, position=place)
    body = {"from_depot": depot, "to_depot": other, "items": [{"item": "bandage", "quantity": 1}]}
    answer = await keeper.http.post("/api/v1/transfers", json=body, headers=key())
    assert answer.status_code == 201, answer.text
    sent = answer.json()
    return {"other depot": other, "transfer": sent["id"], "transfer line": sent["lines"][0]["id"]}


async def _simulated(admin: Member, policy: str, store: db.Database) -> dict[str, str]:
    address = f"/api/v1/policies/{policy}/simulate"
    asked = await admin.http.post(address, json={"incidents": 1}, headers=key())
    assert asked.status_code == 202, asked.text
    report = uuid4()
    async with store.transaction() as conn:
        await conn.execute(
            sa.insert(tables.simulation_report).values(
                id=report, org_id=admin.org.id, digests=[], seed=1, incidents=1, body={},
                html="", made_at=datetime.now(UTC),
            )
        )  # fmt: skip
    return {"simulation": asked.json()["id"], "simulation report": str(report)}


async def _of_care(
    conn: AsyncConnection, responder: Member, incident: str, aed: UUID
) -> dict[str, str]:
    now = datetime.now(UTC)
    task = await tasks.add(
        conn, responder.org.id, tasks.Kind.AED_PROBLEM, subject_id=aed, due_at=now, body={},
        exercise=False, now=now,
    )  # fmt: skip
    survey = uuid4()
    await conn.execute(
        sa.insert(tables.survey).values(
            id=survey, responder_id=responder.id, incident_id=UUID(incident), round=1, asked_at=now
        )
    )
    return {"task": str(task.id), "survey": str(survey)}


async def _of_incident(operator: Member, incident: str, code: str) -> dict[str, str]:
    below = f"/incidents/{incident}"
    attached = await operator.http.post(
        f"/api/v1{below}/attachments", content=_picture(), headers={**key(), **_JPEG}
    )
    return {
        "disaster": await _made(operator, "/disasters", name=code, kind="flood"),
        "value": await _made(
            operator, f"{below}/values", field="floor", source="caller", value=code
        ),
        "attachment": _first_id(attached),
    }


def _first_id(answer: httpx.Response) -> str:
    assert answer.status_code == 201, answer.text
    found = re.search(r'"id":"([0-9a-f-]{36})"', answer.text)
    assert found is not None
    return found.group(1)


@pytest.fixture
async def red(enrol: Enrol, volunteer: Enrol, store: db.Database) -> World:
    return await _world("red-org", enrol, volunteer, store)


@pytest.fixture
async def blue(enrol: Enrol, volunteer: Enrol, store: db.Database) -> World:
    return await _world("blue-org", enrol, volunteer, store)


async def _ask(member: Member, request: Request) -> httpx.Response:
    content = None
    headers = {**key(), "If-Match": '"1"'}
    if request.verb == "POST" and request.path.endswith(("/photos", "/attachments")):
        content, headers = _picture(), headers | _JPEG
    if request.verb == "POST" and re.fullmatch("/api/v1/imports/[a-z]+", request.path):
        content = _LIST
    return await member.http.request(
        request.verb, request.path, params=dict(request.query), json=request.body,
        content=content, headers=headers,
    )  # fmt: skip


def _swaps(app: FastAPI, own: World, other: World) -> list[tuple[Request, Request]]:
    """Pair every request for something foreign with the same one for something that is nowhere."""
    nowhere = {noun: str(uuid4()) for noun in own.ids} | {"org code": "nowhere"}
    text = app.openapi()
    return list(
        zip(requests(text, own.ids, other.ids), requests(text, own.ids, nowhere), strict=True)
    )


async def _leaks(app: FastAPI, own: World, other: World) -> list[str]:
    """Let each of the people ask for each foreign thing, and report what told them anything."""
    found = []
    for foreign, nowhere in _swaps(app, own, other):
        if _is_public(foreign):
            continue
        for member in own.people:
            answer, missing = await _ask(member, foreign), await _ask(member, nowhere)
            is_same = (answer.status_code, answer.content) == (
                missing.status_code,
                missing.content,
            )
            # A list that is filtered by something foreign may be empty, as for something missing.
            is_filter = answer.status_code == 200 and foreign.where in foreign.query
            if not is_same or not (is_filter or answer.status_code in {403, 404}):
                found.append(f"{foreign.name}: {answer.status_code} to {member.username}")
    return found


async def test_RGT_1_no_foreign_id_opens_anything(app: FastAPI, red: World, blue: World) -> None:
    swaps = _swaps(app, blue, red)
    assert len(swaps) >= 60
    # Lines are named inside of a transfer of one's own: test_STK_12 tries others.
    assert {request.noun for request, _ in swaps} == set(red.ids) - {"transfer line"}
    assert await _leaks(app, blue, red) == []


async def test_RGT_1_the_same_requests_pass_for_ones_own(app: FastAPI, blue: World) -> None:
    """Without this the test above could pass because its requests are malformed."""
    refused: list[str] = []
    gone: set[str] = set()
    mine = requests(app.openapi(), blue.ids, blue.ids)
    for request in sorted(mine, key=lambda request: request.verb == "DELETE"):
        if request.verb == "GET" and request.path.endswith("/code"):
            continue  # for whoever fetches it alone: test_AED_9 asks on a mission
        if request.path in gone:
            continue  # its other id was swapped before, for itself, and it was deleted
        if request.verb == "DELETE":
            gone.add(request.path)
        answers = {(await _ask(member, request)).status_code for member in blue.people}
        if answers <= {401, 403, 404, 405, 422, 500}:
            refused.append(f"{request.name}: {answers}")
    assert refused == [], "\n".join(refused)


async def test_AED_1_foreigners_see_of_an_aed_what_everybody_sees(
    stranger: httpx.AsyncClient, red: World, blue: World
) -> None:
    path = f"/api/v1/aeds/{red.ids['aed']}"
    public = (await stranger.get(path)).json()
    assert public.keys() == aed_record.PublicDetailShape.model_fields.keys()
    for member in blue.people:
        assert (await member.http.get(path)).json() == public
        said = await member.http.post(f"{path}/reports", json={"kind": "other"}, headers=key())
        assert said.json().keys() == aed_reports.SaidShape.model_fields.keys()


async def test_RGT_1_no_list_holds_anything_foreign(app: FastAPI, red: World, blue: World) -> None:
    told = []
    for path, verbs in app.openapi()["paths"].items():
        if "get" not in verbs or "{" in path:
            continue
        query = {
            item["name"]: QUERY.get(item["name"], "1")
            for item in verbs["get"].get("parameters", ())
            if item["in"] == "query" and item.get("required")
        }
        for member in blue.people:
            answer = await member.http.get(path, params={**query, "limit": "200"})
            assert answer.status_code < 500, (path, answer.text)
            secrets = red.secrets - ({red.ids["aed"]} if path in PUBLIC else set())
            told += [f"{path}: {secret}" for secret in secrets if secret in answer.text]
    assert told == []


def _topics(world: World) -> list[str]:
    return [
        f"org:{world.ids['org code']}",
        f"incident:{world.ids['incident']}",
        f"team:{world.ids['team']}",
        *(f"person:{person.id}" for person in world.people),
    ]


async def test_RGT_4_no_foreign_topic_is_heard(
    app: FastAPI, store: db.Database, red: World, blue: World
) -> None:
    heard = {
        (topic, member.username)
        for topic in _topics(red)
        for member in blue.people
        if await _may_listen(store, member, topic)
    }
    assert heard == set()
    own = {topic for topic in _topics(blue) for member in blue.people
           if await _may_listen(store, member, topic)}  # fmt: skip
    assert own == set(_topics(blue))
    async with serving(app) as host, wire(host, blue.people[1]) as console:
        for topic in _topics(red):
            with pytest.raises(ConnectionClosed) as closed:
                async with wire(host, blue.people[1]) as line:
                    await line.hello(topic)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == Close.NOT_ALLOWED
        await console.hello(*_topics(blue)[:3])


async def _may_listen(store: db.Database, member: Member, topic: str) -> bool:
    token = member.http.headers["Authorization"].removeprefix("Bearer ")
    async with store.snapshot() as conn:
        caller = await auth.caller_from_token(conn, token, now=datetime.now(UTC))
        assert caller is not None
        return topic in await live_watch.audible(conn, caller, [topic])


async def test_RGT_5_tiles_are_the_same_for_everybody(
    stranger: httpx.AsyncClient, red: World, blue: World
) -> None:
    for layer in ("base", "aeds"):
        path = f"/tiles/{layer}/14/8529/5974.mvt"
        seen = {(await member.http.get(path)).content for member in (*red.people, *blue.people)}
        assert seen == {(await stranger.get(path)).content}


@pytest.mark.long
async def test_without_the_check_every_thing_would_leak(
    app: FastAPI, red: World, blue: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rights, "may", lambda *_: True)
    leaks = await _leaks(app, blue, red)
    whose = {request.noun for request, _ in _swaps(app, blue, red)} - BELOW
    leaked = {
        request.noun
        for request, _ in _swaps(app, blue, red)
        if any(leak.startswith(request.name) for leak in leaks)
    }
    assert leaked == whose
