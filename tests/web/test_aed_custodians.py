"""What only an AED's organisation knows, its photos, its uses, and what it is told."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import factories
import httpx
import sqlalchemy as sa
from callers import Enrol, Member, alerted, code_of, key, opened
from PIL import Image

from dispatch import db, devices, tables
from geo import aeds
from geo import tables as geo_tables
from geo.position import Position
from realtime import log

HERE = {"type": "Point", "coordinates": [7.42, 43.73]}
NEW = {"name": "Mairie", "position": HERE, "access": "public", "hours": "24/7"}
TWO = [
    {"rank": 1, "unit": "Mairie", "name": "Anne", "phone": "+377 1", "email": None},
    {"rank": 2, "unit": None, "name": "Bo", "phone": None, "email": "bo@example.org"},
]


async def entered(member: Member, **facts: Any) -> str:
    answer = await member.http.post("/api/v1/aeds", json={**NEW, **facts}, headers=key())
    assert answer.status_code == 201, answer.text
    return f"/api/v1/aeds/{answer.json()['id']}"


async def told(store: db.Database, org: str = "red") -> list[log.Event]:
    """Give the events of an organisation's topic that are about AEDs."""
    topic = f"org:{org}"
    async with store.snapshot() as conn:
        epoch = (await log.position_of(conn, [topic]))[topic].epoch
        events = await log.read_after(conn, topic, epoch, 0, limit=500)
    return [event for event in events if event.kind.startswith("aed_")]


async def test_AED_19_two_custodians_known_to_the_organisation_alone(
    enrol: Enrol, stranger: httpx.AsyncClient
) -> None:
    operator = await enrol()
    path = f"{await entered(operator)}/custodians"
    assert (await operator.http.get(path)).json() == {"items": []}
    put = await operator.http.put(path, json={"items": TWO[::-1]})
    assert put.json() == {"items": TWO}
    assert (await operator.http.get(path)).json() == {"items": TWO}
    same = {"items": [TWO[0], {**TWO[1], "rank": 1}]}
    assert code_of(await operator.http.put(path, json=same)) == (422, "malformed")
    assert (await stranger.get(path)).status_code == 401
    assert (await (await enrol(org="blue")).http.get(path)).status_code == 404
    assert (await (await enrol("planner")).http.put(path, json={"items": []})).status_code == 403
    assert (await operator.http.put(path, json={"items": TWO[:1]})).json() == {"items": TWO[:1]}


async def test_AED_8_the_history_over_http(enrol: Enrol) -> None:
    operator = await enrol()
    path = await entered(operator)
    await operator.http.patch(path, json={"floor": "2"}, headers={"If-Match": '"1"'})
    await operator.http.delete(path)
    page = (await operator.http.get(f"{path}/history", params={"limit": "1"})).json()
    assert [(item["version"], item["reason"]) for item in page["items"]] == [(3, "withdrawn")]
    assert page["items"][0]["changed"]["status"] == ["in_service", "withdrawn"]
    rest = await operator.http.get(f"{path}/history", params={"cursor": page["next_cursor"]})
    [change] = rest.json()["items"]
    assert (change["changed"], change["actor"]["id"]) == ({"floor": [None, "2"]}, str(operator.id))


# ---- the code of the lock


async def _fetcher(enrol: Enrol, volunteer: Enrol, store: db.Database) -> tuple[Member, str, str]:
    """Open an incident for whose AED somebody is asked; give them, their alert and the AED."""
    operator = await enrol()
    async with store.transaction() as conn:
        place = factories.north_of(factories.HARBOUR, 200)
        aed = await factories.make_aed(conn, operator.org.id, position=place, now=datetime.now(UTC))
    near, far = await volunteer(metres=20), await volunteer(metres=220)
    incident = await opened(operator)
    sent = await alerted(operator, incident, responders=[str(near.id), str(far.id)])
    [alert] = [one for one in sent["alerts"] if one["aed"] is not None]
    assert alert["aed"]["id"] == str(aed.id)
    who = next(one for one in (near, far) if str(one.id) == alert["responder"])
    return who, alert["id"], f"/api/v1/aeds/{aed.id}"


async def test_AED_9_the_code_is_for_whoever_fetches_the_device_and_each_time_on_record(
    enrol: Enrol, volunteer: Enrol, store: db.Database, stranger: httpx.AsyncClient
) -> None:
    who, alert, path = await _fetcher(enrol, volunteer, store)
    operator = await enrol()
    kept = await operator.http.put(f"{path}/code", json={"code": "4711#"})
    assert kept.json() == {"has_code": True}
    assert (await operator.http.get(path)).json()["has_code"] is True
    assert (await who.http.get(f"{path}/code")).status_code == 404
    taken = await who.http.post(f"/api/v1/alerts/{alert}/accept")
    assignment = taken.json()["assignment"]
    assert (await who.http.get(f"{path}/code")).json() == {"code": "4711#"}
    assert (await who.http.get(f"{path}/code")).json() == {"code": "4711#"}
    for member in (operator, await enrol("admin"), await enrol("responder")):
        assert (await member.http.get(f"{path}/code")).status_code == 404
    assert (await stranger.get(f"{path}/code")).status_code == 401
    incident = assignment["incident"]["id"]
    lines = (await operator.http.get(f"/api/v1/incidents/{incident}/timeline")).json()["items"]
    released = [line for line in lines if line["kind"] == "code_released"]
    assert [line["args"]["aed"] for line in released] == [path.rpartition("/")[2]] * 2
    assert released[0]["actor"]["id"] == str(who.id)
    await who.http.post(f"/api/v1/assignments/{assignment['id']}/unable", json={})
    assert (await who.http.get(f"{path}/code")).status_code == 404
    async with store.snapshot() as conn:
        for table in (geo_tables.aed_history, tables.line, tables.idempotency, tables.delivery):
            rows = (await conn.execute(sa.select(table))).all()
            assert "4711#" not in repr(rows), table.name
        assert "4711#" not in repr((await conn.execute(sa.text("select body from event"))).all())
    await operator.http.put(f"{path}/code", json={"code": None})
    assert (await operator.http.get(path)).json()["has_code"] is False


async def test_AED_14_collecting_the_device_takes_it_off_the_map(
    enrol: Enrol, volunteer: Enrol, store: db.Database, stranger: httpx.AsyncClient
) -> None:
    who, alert, path = await _fetcher(enrol, volunteer, store)
    taken = await who.http.post(f"/api/v1/alerts/{alert}/accept")
    mission = f"/api/v1/assignments/{taken.json()['assignment']['id']}"
    for step in ("en_route", "aed_collected"):
        assert (await who.http.post(f"{mission}/{step}", json={})).status_code == 200
    shown = (await stranger.get(path)).json()
    assert (shown["usable"], shown["usable_reason"]) == ("no", "taken")
    assert (await told(store))[-1].value()["aed"]["usable_reason"] == "taken"
    operator = await enrol()
    [use] = (await operator.http.get(f"{path}/uses")).json()["items"]
    assert (use["by"]["id"], use["returned_at"]) == (str(who.id), None)
    back = f"{path}/uses/{use['id']}/return"
    foreign = await enrol("responder")
    assert (await foreign.http.post(back, json={"pads_used": False})).status_code == 404
    returned = await who.http.post(back, json={"pads_used": True})
    assert (returned.status_code, returned.json()["pads_used"]) == (200, True)
    shown = (await stranger.get(path)).json()
    assert shown["usable_reason"] == "out_of_service"
    again = await operator.http.post(f"{path}/uses", json={"note": "drill"}, headers=key())
    assert again.status_code == 201
    twice = await operator.http.post(f"{path}/uses", json={}, headers=key())
    assert twice.json()["state"]["id"] == again.json()["id"]


async def test_AED_14_whoever_took_it_is_told_what_to_bring_back(
    enrol: Enrol, volunteer: Enrol, store: db.Database, stranger: httpx.AsyncClient
) -> None:
    who, alert, path = await _fetcher(enrol, volunteer, store)
    own = "/api/v1/me/aed-uses"
    taken = await who.http.post(f"/api/v1/alerts/{alert}/accept")
    assert (await who.http.get(own)).json()["items"] == []
    mission = f"/api/v1/assignments/{taken.json()['assignment']['id']}"
    for step in ("en_route", "aed_collected", "on_scene", "with_patient", "handed_over", "cleared"):
        assert (await who.http.post(f"{mission}/{step}", json={})).status_code == 200
    [use] = (await who.http.get(own)).json()["items"]
    assert (use["aed"]["id"], use["aed"]["position"]["type"]) == (path.rpartition("/")[2], "Point")
    for other in (await volunteer(), await enrol()):
        assert (await other.http.get(own)).json()["items"] == []
    assert (await stranger.get(own)).status_code == 401
    back = await who.http.post(f"{path}/uses/{use['id']}/return", json={"pads_used": False})
    assert back.status_code == 200
    assert (await who.http.get(own)).json()["items"] == []


async def test_AED_17_whoever_fetches_it_may_add_a_photo_for_a_day(
    enrol: Enrol, volunteer: Enrol, store: db.Database
) -> None:
    who, alert, path = await _fetcher(enrol, volunteer, store)

    async def add(member: Member) -> int:
        answer = await member.http.post(f"{path}/photos", content=_jpeg(), headers=key())
        return answer.status_code

    assert await add(who) == 404
    taken = await who.http.post(f"/api/v1/alerts/{alert}/accept")
    assert (await add(who), await add(await volunteer())) == (201, 404)
    mission = f"/api/v1/assignments/{taken.json()['assignment']['id']}"
    for step in ("en_route", "aed_collected"):
        await who.http.post(f"{mission}/{step}", json={})
    await who.http.post(f"{mission}/unable", json={})
    assert await add(who) == 201
    async with store.transaction() as conn:
        before = datetime.now(UTC) - timedelta(hours=24)
        await conn.execute(sa.update(geo_tables.aed_use).values(taken_at=before))
    assert await add(who) == 404


async def test_AED_9_the_phone_is_shown_the_cabinet_and_its_photos(
    enrol: Enrol, volunteer: Enrol, store: db.Database
) -> None:
    who, _, path = await _fetcher(enrol, volunteer, store)
    operator = await enrol()
    posted = await operator.http.post(f"{path}/photos", content=_jpeg(), headers=key())
    await operator.http.patch(path, json={"cabinet": "code"}, headers={"If-Match": '"1"'})
    shown = (await who.http.get("/api/v1/me")).json()["alert"]["aed"]
    assert (shown["cabinet"], shown["photos"]) == ("code", [posted.json()["id"]])


# ---- photos


def _jpeg() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (80, 60)).save(written, "JPEG")
    return written.getvalue()


async def test_AED_17_photos_over_http(enrol: Enrol, stranger: httpx.AsyncClient) -> None:
    operator = await enrol()
    path = await entered(operator)
    sent = await operator.http.post(
        f"{path}/photos", params={"kind": "cabinet"}, content=_jpeg(), headers=key()
    )
    assert sent.status_code == 201, sent.text
    photo = sent.json()
    assert photo == {"id": photo["id"], "kind": "cabinet", "width": 80, "height": 60}
    assert sent.headers["Location"] == f"{path}/photos/{photo['id']}"
    assert (await stranger.get(path)).json()["photos"] == [photo]
    shown = await stranger.get(f"{path}/photos/{photo['id']}")
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.headers["cache-control"] == "public, max-age=31536000, immutable"
    bad = await operator.http.post(f"{path}/photos", content=b"no", headers=key())
    assert code_of(bad) == (422, "malformed")
    big = await operator.http.post(f"{path}/photos", content=b"0" * 8_000_001, headers=key())
    assert code_of(big) == (413, "too_big")
    foreign = await enrol(org="blue")
    assert (await foreign.http.delete(f"{path}/photos/{photo['id']}")).status_code == 404
    assert (await operator.http.delete(f"{path}/photos/{photo['id']}")).status_code == 204
    assert (await stranger.get(f"{path}/photos/{photo['id']}")).status_code == 404


# ---- devices that travel


async def test_AED_15_a_vehicle_says_where_its_device_is(
    enrol: Enrol, store: db.Database, stranger: httpx.AsyncClient
) -> None:
    operator = await enrol()
    path = await entered(operator, carrier="taxi 1")
    place = {"position": {"lon": 7.425, "lat": 43.735}, "at": datetime.now(UTC).isoformat()}
    moved = await operator.http.put(f"{path}/place", json={**place, "accuracy_m": 8})
    assert moved.status_code == 200, moved.text
    shown = (await operator.http.get(path)).json()
    assert shown["position"]["coordinates"] == [7.425, 43.735]
    assert (shown["version"], shown["accuracy_m"], shown["usable"]) == (1, 8, "yes")
    assert [event.kind for event in await told(store)] == ["aed_changed"] * 2
    await operator.http.put(f"{path}/place", json=place)
    assert len(await told(store)) == 2
    late = {**place, "at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
    assert code_of(await operator.http.put(f"{path}/place", json=late)) == (422, "malformed")
    still = await entered(operator)
    assert code_of(await operator.http.put(f"{still}/place", json=place)) == (409, "conflict")
    assert (await stranger.put(f"{path}/place", json=place)).status_code == 401


# ---- what is told


async def test_AED_18_every_change_is_told_to_the_organisation(
    enrol: Enrol, store: db.Database, stranger: httpx.AsyncClient
) -> None:
    operator = await enrol()
    path = await entered(operator)
    changes = [
        lambda: operator.http.patch(path, json={"floor": "2"}, headers={"If-Match": '"1"'}),
        lambda: stranger.post(f"{path}/reports", json={"kind": "broken"}, headers=key()),
        lambda: operator.http.post(f"{path}/checks", json={"result": "ok"}, headers=key()),
        lambda: operator.http.post(f"{path}/photos", content=_jpeg(), headers=key()),
        lambda: operator.http.delete(path),
        lambda: operator.http.delete(path),
    ]
    for change in changes:
        before = {
            name: value
            for name, value in (await operator.http.get(path)).json().items()
            if name not in {"crs", "photos", "has_code"}
        }
        assert (await told(store))[-1].value()["aed"] in (
            before, {"id": before["id"], "withdrawn": True},
        )  # fmt: skip
        assert (await change()).is_success
    found = await told(store)
    assert [event.kind for event in found] == ["aed_changed"] * 6
    assert found[-1].value() == {"aed": {"id": path.rpartition("/")[2], "withdrawn": True}}
    refused = await operator.http.patch(path, json={"floor": "3"}, headers={"If-Match": '"1"'})
    assert refused.status_code == 412
    assert len(await told(store)) == 6


async def test_a_device_of_no_organisation_tells_nobody(store: db.Database) -> None:
    async with store.transaction() as conn:
        now = datetime.now(UTC)
        facts = {"name": "Lost", "position": Position(7.4, 43.7)}
        aed = await aeds.add(conn, uuid4(), facts, now=now)
        assert await devices.changes_of(conn, [aed.id], now=now) == []
