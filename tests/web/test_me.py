"""One's own duty, position and places."""

from __future__ import annotations

import factories
import pytest
import redis.asyncio
import sqlalchemy as sa
from callers import Enrol, alerted, code_of, opened, soon

from dispatch import db, tables
from realtime import presence
from web.api import me

ME = "/api/v1/me"


async def test_me_shows_what_the_phone_shows(enrol: Enrol, volunteer: Enrol) -> None:
    operator, responder = await enrol("operator"), await volunteer()
    incident = await opened(operator)
    await alerted(operator, incident)
    shown = me.MeShape.model_validate((await responder.http.get(ME)).json())
    assert shown.person.id == str(responder.id)
    assert shown.duty == "available"
    assert shown.alert is not None
    assert shown.alert.incident.id == incident["id"]
    assert (shown.mission, shown.stand_down, shown.blocked) == (None, None, [])
    assert {item.code: item.ok for item in shown.readiness} == {
        "duty": True, "certificate": True, "position": True,
    }  # fmt: skip


async def test_me_says_all_that_keeps_me_from_being_asked(
    volunteer: Enrol, store: db.Database
) -> None:
    responder = await volunteer(duty="off_duty")
    async with store.transaction() as conn:
        await conn.execute(sa.delete(tables.certificate))
        await conn.execute(sa.delete(tables.last_position))
    shown = me.MeShape.model_validate((await responder.http.get(ME)).json())
    assert shown.blocked == ["off_duty", "no_certificate", "no_position"]
    assert not any(item.ok for item in shown.readiness)


async def test_me_of_an_operator_has_no_duty(enrol: Enrol) -> None:
    shown = me.MeShape.model_validate((await (await enrol("operator")).http.get(ME)).json())
    assert (shown.duty, shown.readiness, shown.alert) == (None, [], None)


async def test_ALR_27_duty_goes_on_and_off_and_ends_by_itself(volunteer: Enrol) -> None:
    responder = await volunteer(duty="off_duty")
    until = soon(3600).isoformat()
    on = await responder.http.put(f"{ME}/duty", json={"duty": "available", "until": until})
    assert me.DutyShape.model_validate(on.json()).duty == "available"
    assert on.json()["duty_until"] is not None
    off = await responder.http.put(f"{ME}/duty", json={"duty": "off_duty"})
    assert off.json() == {"duty": "off_duty", "duty_until": None}
    assert (await responder.http.get(f"{ME}/duty")).json() == off.json()


async def test_RGT_8_who_is_suspended_stays_so(volunteer: Enrol) -> None:
    responder = await volunteer(duty="suspended")
    answer = await responder.http.put(f"{ME}/duty", json={"duty": "available"})
    assert code_of(answer) == (409, "conflict")
    asked = await responder.http.put(f"{ME}/duty", json={"duty": "suspended"})
    assert code_of(asked) == (422, "malformed")


async def test_who_is_no_responder_has_no_duty_to_set(enrol: Enrol) -> None:
    operator = await enrol("operator")
    answer = await operator.http.put(f"{ME}/duty", json={"duty": "available"})
    assert code_of(answer) == (404, "not_found")


async def test_position_comes_in_either_spelling(
    volunteer: Enrol, redis: redis.asyncio.Redis
) -> None:
    responder = await volunteer()
    place = factories.north_of(factories.HARBOUR, 80)
    flat = {"lon": place.lon, "lat": place.lat, "accuracy_m": 8, "at": soon(30).isoformat()}
    answer = await responder.http.put(f"{ME}/position", json=flat)
    shown = me.PositionAnswer.model_validate(answer.json())
    assert shown.position is not None
    assert shown.position.coordinates == pytest.approx([place.lon, place.lat])
    live = await presence.latest(redis, [str(responder.id)], now=soon(0))
    assert live[str(responder.id)].lat == pytest.approx(place.lat)
    nested = {"position": {"type": "Point", "coordinates": [place.lon, place.lat]}}
    assert (await responder.http.put(f"{ME}/position", json=nested)).status_code == 200


async def test_ERR_1_a_bad_position_is_named(volunteer: Enrol) -> None:
    responder = await volunteer()
    for bad in (
        {},
        {"lon": 7},
        {"lat": 43},
        {"lon": 700, "lat": 43},
        {"lon": True, "lat": 43},
        {"lon": 7, "lat": 43, "position": {"lon": 7, "lat": 43}},
    ):
        answer = await responder.http.put(f"{ME}/position", json=bad)
        assert code_of(answer) == (422, "bad_position"), bad


async def test_a_jump_of_the_gps_is_left_out(volunteer: Enrol) -> None:
    responder = await volunteer()
    far = factories.north_of(factories.HARBOUR, 60_000)
    answer = await responder.http.put(f"{ME}/position", json={"lon": far.lon, "lat": far.lat})
    assert answer.status_code == 200
    assert answer.json()["position"]["coordinates"][1] < far.lat


async def test_places_are_replaced_as_a_whole(volunteer: Enrol) -> None:
    responder = await volunteer()
    home = {"kind": "home", "label": "家", "position": {"lon": 7.42, "lat": 43.73}}
    work = {**home, "kind": "work", "hours": "Mo-Fr 08:00-18:00"}
    both = await responder.http.put(f"{ME}/places", json={"places": [home, work]})
    shown = me.PlacesAnswer.model_validate(both.json())
    assert [(place.kind, place.hours) for place in shown.places] == [
        ("home", None), ("work", "Mo-Fr 08:00-18:00"),
    ]  # fmt: skip
    one = await responder.http.put(f"{ME}/places", json={"places": [work]})
    assert len(one.json()["places"]) == 1
    assert (await responder.http.get(f"{ME}/places")).json() == one.json()
    bad = await responder.http.put(f"{ME}/places", json={"places": [{**home, "hours": "often"}]})
    assert code_of(bad) == (422, "malformed")


async def test_profile_changes_the_language_of_refusals(enrol: Enrol) -> None:
    operator = await enrol("operator")
    changed = await operator.http.put(ME, json={"language": "en"})
    assert changed.json()["language"] == "en"
    answer = await operator.http.get("/api/v1/incidents/00000000-0000-7000-8000-000000000000")
    assert answer.json()["title"].startswith("There is no such thing")
