"""What the person who is asked may see and say."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from callers import Enrol, Member, alerted, code_of, opened

from web.api import alerts

ALERTS = "/api/v1/alerts"


@pytest.fixture
async def operator(enrol: Enrol) -> Member:
    return await enrol("operator")


async def _asked(operator: Member, responder: Member, **call: Any) -> tuple[dict[str, Any], str]:
    """Open an incident, ask the responder, and give the incident and the alert's address."""
    incident = await opened(operator, address="Quai 1", caller_phone="+377 99", **call)
    sent = await alerted(operator, incident, responders=[str(responder.id)])
    return incident, f"{ALERTS}/{sent['alerts'][0]['id']}"


async def test_RSP_1_before_the_accept_only_a_coarse_place(
    operator: Member, volunteer: Enrol
) -> None:
    responder = await volunteer()
    incident, address = await _asked(operator, responder)
    answer = await responder.http.get(address)
    shown = alerts.AlertAnswer.model_validate(answer.json())
    assert shown.place is not None
    assert shown.place.position.coordinates != incident["position"]["coordinates"]
    for secret in ("Quai 1", "+377 99", incident["number"], "7.4246"):
        assert secret not in answer.text


async def test_RSP_2_the_accept_gives_the_exact_place_and_is_the_same_twice(
    operator: Member, volunteer: Enrol
) -> None:
    responder = await volunteer()
    incident, address = await _asked(operator, responder)
    taken = {"at": "2026-11-22T08:30:00+08:00"}
    first = await responder.http.post(f"{address}/accept", json=taken)
    body = alerts.Accepted.model_validate(first.json())
    assert body.alert.status == "accepted"
    assert body.assignment.incident.position is not None
    assert body.assignment.incident.position.coordinates == incident["position"]["coordinates"]
    assert body.assignment.incident.address == "Quai 1"
    assert "+377 99" not in first.text
    again = await responder.http.post(f"{address}/accept")
    assert again.json()["assignment"]["id"] == body.assignment.id


async def test_RSP_3_after_the_end_there_is_nothing_to_see(
    operator: Member, volunteer: Enrol
) -> None:
    responder = await volunteer()
    incident, address = await _asked(operator, responder)
    await responder.http.post(f"{address}/accept")
    await operator.http.post(f"/api/v1/incidents/{incident['id']}/close", json={})
    answer = await responder.http.get(address)
    shown = alerts.AlertAnswer.model_validate(answer.json())
    assert (shown.place, shown.aed) == (None, None)
    assert "Quai 1" not in answer.text
    me = (await responder.http.get("/api/v1/me")).json()
    assert me["stand_down"]["alert"] == shown.id
    await responder.http.post(f"{address}/seen")
    assert (await responder.http.get("/api/v1/me")).json()["stand_down"] is None


async def test_ALR_18_too_late_is_a_conflict_that_says_what_is(
    operator: Member, volunteer: Enrol
) -> None:
    responder = await volunteer()
    incident, address = await _asked(operator, responder)
    await operator.http.post(f"/api/v1/incidents/{incident['id']}/stand-down", json={})
    late = await responder.http.post(f"{address}/accept")
    assert code_of(late) == (409, "alert_over")
    assert late.json()["state"]["status"] == "stood_down"


async def test_seen_and_decline(operator: Member, volunteer: Enrol) -> None:
    responder = await volunteer()
    _, address = await _asked(operator, responder)
    seen = await responder.http.post(f"{address}/seen", json={})
    assert seen.json()["status"] == "seen"
    no = await responder.http.post(f"{address}/decline", json={"reason": "too far"})
    assert alerts.AlertAnswer.model_validate(no.json()).status == "declined"
    assert (await responder.http.post(f"{address}/decline")).status_code == 200


async def test_RGT_2_somebody_elses_alert_is_not_there(operator: Member, volunteer: Enrol) -> None:
    responder, colleague = await volunteer(), await volunteer()
    _, address = await _asked(operator, responder)
    for caller in (colleague, operator):
        for verb, path in (("GET", ""), ("POST", "/seen"), ("POST", "/accept")):
            answer = await caller.http.request(verb, address + path)
            missing = await caller.http.request(verb, f"{ALERTS}/{uuid4()}{path}")
            assert code_of(answer) == (404, "not_found")
            assert answer.content == missing.content


async def test_positions_come_in_the_system_that_was_asked_for(
    operator: Member, volunteer: Enrol
) -> None:
    responder = await volunteer()
    _, address = await _asked(operator, responder, position={"lon": 114.305, "lat": 30.593})
    plain = (await responder.http.get(address)).json()
    shifted = (await responder.http.get(f"{address}?crs=bd09")).json()
    assert shifted["crs"] == "bd09"
    assert shifted["place"]["position"] != plain["place"]["position"]
