"""The registry over HTTP: read by everybody, changed by its owners only, never forgetful."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from callers import Enrol, Member, key

from dispatch import db
from geo import aeds
from geo.position import Position
from web import aed_record, dependencies

HERE = {"type": "Point", "coordinates": [7.42, 43.73]}
NEW = {"name": "Mairie", "position": HERE, "access": "public", "hours": "24/7", "floor": "0"}
PUBLIC = set(aed_record.PublicAedShape.model_fields)
#: Whatever may be said of a device, each unlike its default.
EVERYTHING = {
    **NEW, "address": "Place de la Mairie 1", "entrance": "A", "location_note": "Hall",
    "indoor": True, "phone": "+377 93 15 28 63", "accuracy_m": 4.5, "position_method": "survey",
    "hours_note": "ring", "closed_from": "2026-12-24T12:00:00.000Z",
    "closed_until": "2026-12-26T08:00:00.000Z", "closed_note": "Christmas", "cabinet": "code",
    "brand": "Mindray", "model": "C1A", "serial": "S-1", "pads_expire_on": "2099-05-01",
    "child_pads_expire_on": "2099-06-01", "has_child_pads": True,
    "battery_expires_on": "2099-07-01", "installed_on": "2025-01-31", "acquired": "donation",
    "donor": "Lions", "carrier": "Police car 7", "check_every_days": 30,
    "verified_at": "2026-11-20T08:00:00.000Z",
}  # fmt: skip


async def add(member: Member, **facts: object) -> dict[str, Any]:
    answer = await member.http.post("/api/v1/aeds", json={**NEW, **facts}, headers=key())
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_new_device_is_shown_as_it_was_entered(enrol: Enrol) -> None:
    operator = await enrol()
    answer = await operator.http.post("/api/v1/aeds", json=NEW, headers=key())
    made = answer.json()
    assert answer.headers["Location"] == f"/api/v1/aeds/{made['id']}"
    shown = await operator.http.get(f"/api/v1/aeds/{made['id']}")
    assert shown.headers["ETag"] == '"1"'
    assert shown.json() == {**made, "photos": [], "has_code": False}
    said = {"org": "red", "name": "Mairie", "position": HERE, "usable": "yes", "version": 1}
    assert {name: made[name] for name in said} == said


async def test_AED_1_everybody_may_read_the_public_facts(
    enrol: Enrol, stranger: httpx.AsyncClient
) -> None:
    made = await add(await enrol())
    listed = (await stranger.get("/api/v1/aeds?bbox=7,43,8,44")).json()
    assert [set(item) for item in listed["items"]] == [PUBLIC]
    assert listed["items"][0]["id"] == made["id"]
    assert (await stranger.get("/api/v1/aeds?bbox=8,43,9,44")).json()["items"] == []
    one = (await stranger.get(f"/api/v1/aeds/{made['id']}")).json()
    assert one == {**listed["items"][0], "photos": [], "crs": "wgs84"}


async def test_AED_2_all_that_is_said_comes_back(enrol: Enrol) -> None:
    operator = await enrol()
    made = await add(operator, **EVERYTHING)
    assert {name: made[name] for name in EVERYTHING} == EVERYTHING
    bare = dict.fromkeys(EVERYTHING.keys() - {"name", "position", "access", "cabinet"})
    path = f"/api/v1/aeds/{made['id']}"
    emptied = await operator.http.patch(path, json=bare, headers={"If-Match": '"1"'})
    assert {name: emptied.json()[name] for name in bare} == bare
    filled = await operator.http.patch(path, json=EVERYTHING, headers={"If-Match": '"2"'})
    assert {name: filled.json()[name] for name in EVERYTHING} == EVERYTHING


async def test_AED_2_what_was_sent_of_the_place_is_kept(enrol: Enrol) -> None:
    operator = await enrol()
    sent = {"position": {"lon": 114.305, "lat": 30.593}, "crs": "gcj02", "accuracy_m": 5}
    made = await add(operator, **sent)
    raw = ("source_crs", "raw_lon", "raw_lat", "accuracy_m")
    assert [made[name] for name in raw] == ["gcj02", 114.305, 30.593, 5]
    path = f"/api/v1/aeds/{made['id']}"
    shown = (await operator.http.get(path, params={"crs": "bd09"})).json()
    assert [shown[name] for name in raw] == ["gcj02", 114.305, 30.593, 5]
    moved = await operator.http.patch(
        path, json={"position": {"lon": 7.5, "lat": 43.7}}, headers={"If-Match": '"1"'}
    )
    assert [moved.json()[name] for name in raw] == ["wgs84", 7.5, 43.7, None]


async def test_AED_1_ones_own_devices_are_listed_with_all_that_is_known(
    enrol: Enrol, stranger: httpx.AsyncClient
) -> None:
    operator = await enrol()
    made = await add(operator, name="Harbour", check_every_days=30)
    await add(operator, name="School")
    await add(await enrol(org="blue"), name="Harbour")
    listed, own = "/api/v1/aeds", {"own": "true"}
    items = (await operator.http.get(listed, params={**own, "q": "harb"})).json()["items"]
    assert items == [{name: value for name, value in made.items() if name != "crs"}]
    due = (await operator.http.get(listed, params={**own, "due": "true"})).json()["items"]
    assert [item["name"] for item in due] == ["Harbour"]
    suspect = (await operator.http.get(listed, params={**own, "trust": "suspect"})).json()["items"]
    assert [item["name"] for item in suspect] == ["Harbour"]
    assert (await stranger.get(listed, params=own)).status_code == 401
    for query in ("due=true", "status=withdrawn"):
        assert (await stranger.get(f"/api/v1/aeds?{query}")).status_code == 422


async def test_a_time_may_be_asked_for(enrol: Enrol, stranger: httpx.AsyncClient) -> None:
    await add(await enrol(), hours="Mo 08:00-09:00", position={"lon": 114.3, "lat": 30.6})
    for at, usable in (("2026-11-23T00:30:00Z", "yes"), ("2026-11-23T01:30:00Z", "no")):
        items = (await stranger.get("/api/v1/aeds", params={"at": at})).json()["items"]
        assert items[0]["usable"] == usable


@pytest.mark.parametrize(
    "bbox", ["1,2,3", "a,b,c,d", "7,44,8,43", "7,43,8,99", "nan,0,1,1", ",,,", "7,43,8,44,5"]
)
async def test_a_box_that_is_none_is_refused(stranger: httpx.AsyncClient, bbox: str) -> None:
    answer = await stranger.get("/api/v1/aeds", params={"bbox": bbox})
    assert answer.status_code == 422
    assert answer.json()["code"] in {"malformed", "bad_position"}


async def test_pages_cover_everything_once(enrol: Enrol, stranger: httpx.AsyncClient) -> None:
    operator = await enrol()
    made = {(await add(operator, name=f"A{n}"))["id"] for n in range(5)}
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await stranger.get("/api/v1/aeds", params={"limit": "2", **cursor})).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert len(seen) == 5
    assert set(seen) == made


async def test_positions_in_the_shifted_system(enrol: Enrol) -> None:
    operator = await enrol()
    shifted = {"type": "Point", "coordinates": [114.305, 30.593]}
    made = await add(operator, position=shifted, crs="gcj02")
    lon, lat = made["position"]["coordinates"]
    assert made["crs"] == "wgs84"
    assert 100 < abs(lon - 114.305) * 95_000 + abs(lat - 30.593) * 111_000 < 1_500
    again = (await operator.http.get(f"/api/v1/aeds/{made['id']}?crs=gcj02")).json()
    assert again["position"]["coordinates"] == pytest.approx([114.305, 30.593], abs=1e-7)


async def test_a_change_needs_the_present_version(enrol: Enrol) -> None:
    operator = await enrol()
    made = await add(operator)
    path = f"/api/v1/aeds/{made['id']}"
    assert (await operator.http.patch(path, json={"name": "A"})).status_code == 412
    changed = await operator.http.patch(path, json={"name": "A"}, headers={"If-Match": '"1"'})
    assert (changed.json()["name"], changed.headers["ETag"]) == ("A", '"2"')
    stale = await operator.http.patch(path, json={"name": "B"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert stale.json()["state"]["name"] == "A"
    emptied = await operator.http.patch(path, json={"hours": None}, headers={"If-Match": '"2"'})
    assert (emptied.json()["hours"], emptied.json()["floor"]) == (None, "0")


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"hours": "whenever"}, "malformed"),
        ({"access": "friends"}, "malformed"),
        ({"colour": "green"}, "unknown_field"),
        ({"name": None}, "malformed"),
        ({"name": ""}, "malformed"),
        ({"position": None}, "bad_position"),
        ({"position": {"type": "Point", "coordinates": [43.73, 97.42]}}, "bad_position"),
        ({"indoor": "yes"}, "malformed"),
        ({"verified_at": "2026-11-22"}, "malformed"),
        ({"is_invented": True}, "unknown_field"),
        ({"closed_from": "2026-12-02T00:00Z", "closed_until": "2026-12-01T00:00Z"}, "malformed"),
        ({"check_every_days": 0}, "malformed"),
        ({"pads_expire_on": "soon"}, "malformed"),
        ({"acquired": "found"}, "malformed"),
    ],
)
async def test_what_cannot_be_is_refused(enrol: Enrol, facts: dict[str, object], code: str) -> None:
    operator = await enrol()
    answer = await operator.http.post("/api/v1/aeds", json={**NEW, **facts}, headers=key())
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_withdrawing_keeps_the_history(enrol: Enrol, stranger: httpx.AsyncClient) -> None:
    operator = await enrol()
    made = await add(operator)
    path = f"/api/v1/aeds/{made['id']}"
    between = datetime.now(UTC).isoformat()
    for _ in range(2):
        gone = await operator.http.delete(path)
        assert (gone.json()["status"], gone.json()["version"]) == ("withdrawn", 2)
    assert (await stranger.get("/api/v1/aeds")).json()["items"] == []
    assert (await stranger.get(path)).status_code == 404
    then = await operator.http.get(path, params={"as_of": between})
    assert (then.json()["status"], then.json()["version"]) == ("in_service", 1)
    before = await operator.http.get(path, params={"as_of": "2020-01-01T00:00:00Z"})
    assert before.status_code == 404


async def test_the_registry_of_a_past_day_is_for_its_owners(
    enrol: Enrol, stranger: httpx.AsyncClient
) -> None:
    operator = await enrol()
    made = await add(operator)
    await add(await enrol(org="blue"))
    between = {"as_of": dependencies.clock().isoformat()}
    await operator.http.delete(f"/api/v1/aeds/{made['id']}")
    then = (await operator.http.get("/api/v1/aeds", params=between)).json()["items"]
    assert [item["id"] for item in then] == [made["id"]]
    elsewhere = await operator.http.get("/api/v1/aeds", params={**between, "bbox": "8,43,9,44"})
    assert elsewhere.json()["items"] == []
    assert (await stranger.get("/api/v1/aeds", params=between)).status_code == 401


async def test_AED_1_a_device_of_others_is_not_there(enrol: Enrol) -> None:
    made = await add(await enrol(org="red"))
    foreign = await enrol(org="blue")
    path = f"/api/v1/aeds/{made['id']}"
    answers = [
        await foreign.http.get(path, params={"as_of": datetime.now(UTC).isoformat()}),
        await foreign.http.patch(path, json={"name": "X"}, headers={"If-Match": '"1"'}),
        await foreign.http.delete(path),
        await foreign.http.get(f"{path}/checks"),
        await foreign.http.get(f"{path}/reports"),
        await foreign.http.post(f"{path}/checks", json={"result": "ok"}, headers=key()),
        await foreign.http.get(f"{path}/history"),
        await foreign.http.post("/api/v1/aeds", json={**NEW, "org": "red"}, headers=key()),
        await foreign.http.get(f"/api/v1/aeds/{uuid4()}"),
    ]
    assert [answer.status_code for answer in answers] == [404] * 9


async def test_a_planner_reads_and_does_not_write(enrol: Enrol) -> None:
    made = await add(await enrol())
    planner = await enrol("planner")
    path = f"/api/v1/aeds/{made['id']}"
    assert (await planner.http.get(path)).status_code == 200
    assert (await planner.http.delete(path)).status_code == 403
    refused = await planner.http.post("/api/v1/aeds", json=NEW, headers=key())
    assert refused.status_code == 403


async def test_a_repeated_key_enters_one_device(enrol: Enrol, stranger: httpx.AsyncClient) -> None:
    operator, same = await enrol(), key()
    answers = [await operator.http.post("/api/v1/aeds", json=NEW, headers=same) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert len((await stranger.get("/api/v1/aeds")).json()["items"]) == 1


async def test_invented_devices_say_so(
    enrol: Enrol, store: db.Database, stranger: httpx.AsyncClient
) -> None:
    org: UUID = (await enrol()).org.id
    async with store.transaction() as conn:
        facts = {"name": "Demo", "position": Position(7.42, 43.73)}
        await aeds.add(conn, org, facts, is_invented=True, now=datetime.now(UTC))
    items = (await stranger.get("/api/v1/aeds")).json()["items"]
    assert [item["is_invented"] for item in items] == [True]
