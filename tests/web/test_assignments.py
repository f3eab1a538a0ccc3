"""The steps of a mission over HTTP."""

from __future__ import annotations

from typing import Any

import factories
import pytest
from callers import Enrol, Member, alerted, code_of, opened

from dispatch import db
from web.api import assignments

ASSIGNMENTS = "/api/v1/assignments"
STEPS = ("en_route", "on_scene", "with_patient", "handed_over", "cleared")


@pytest.fixture
async def operator(enrol: Enrol) -> Member:
    return await enrol("operator")


@pytest.fixture
async def responder(volunteer: Enrol) -> Member:
    return await volunteer()


async def _accepted(operator: Member, responder: Member, kind: str = "fire") -> dict[str, Any]:
    incident = await opened(operator, kind=kind)
    sent = await alerted(operator, incident)
    address = f"/api/v1/alerts/{sent['alerts'][0]['id']}/accept"
    mission: dict[str, Any] = (await responder.http.post(address)).json()["assignment"]
    return mission


async def test_a_mission_goes_from_step_to_step(operator: Member, responder: Member) -> None:
    mission = await _accepted(operator, responder)
    address = f"{ASSIGNMENTS}/{mission['id']}"
    assert mission["steps"] == list(STEPS)
    for step in STEPS:
        answer = await responder.http.post(f"{address}/{step}", json={"at": "2026-11-22T08:30:00Z"})
        shown = assignments.MissionAnswer.model_validate(answer.json()).assignment
        assert shown.status == step
        assert shown.times[f"{step}_at"] is not None
    assert shown.next_step is None
    assert shown.incident.position is None
    found = await responder.http.get(address)
    assignments.MissionAnswer.model_validate(found.json())


async def test_repeating_a_step_returns_what_is(operator: Member, responder: Member) -> None:
    mission = await _accepted(operator, responder)
    address = f"{ASSIGNMENTS}/{mission['id']}/en_route"
    first = await responder.http.post(address)
    again = await responder.http.post(address)
    assert again.json() == first.json()


async def test_ERR_1_a_step_out_of_order_says_which_may_follow(
    operator: Member, responder: Member
) -> None:
    mission = await _accepted(operator, responder)
    address = f"{ASSIGNMENTS}/{mission['id']}"
    await responder.http.post(f"{address}/on_scene")
    back = await responder.http.post(f"{address}/en_route")
    assert code_of(back) == (409, "step_out_of_order")
    assert back.json()["state"] == {
        "status": "on_scene", "next": ["with_patient", "handed_over", "cleared"],
    }  # fmt: skip


async def test_a_step_may_carry_a_position(
    operator: Member, responder: Member, store: db.Database
) -> None:
    mission = await _accepted(operator, responder)
    place = factories.north_of(factories.HARBOUR, 10)
    taken = {"position": {"lon": place.lon, "lat": place.lat}}
    await responder.http.post(f"{ASSIGNMENTS}/{mission['id']}/on_scene", json=taken)
    known = (await responder.http.get("/api/v1/me/position")).json()
    assert known["position"]["coordinates"] == pytest.approx([place.lon, place.lat])


async def test_giving_up_says_why(operator: Member, responder: Member) -> None:
    mission = await _accepted(operator, responder)
    address = f"{ASSIGNMENTS}/{mission['id']}/unable"
    answer = await responder.http.post(address, json={"reason": "hurt"})
    assert answer.json()["assignment"]["status"] == "unable"
    detail = await operator.http.get(f"/api/v1/incidents/{mission['incident']['id']}")
    assert detail.json()["assignments"][0]["unable_reason"] == "hurt"


async def test_an_unknown_step_is_malformed(operator: Member, responder: Member) -> None:
    mission = await _accepted(operator, responder)
    answer = await responder.http.post(f"{ASSIGNMENTS}/{mission['id']}/fly")
    assert code_of(answer) == (422, "malformed")


async def test_RGT_2_only_the_one_who_accepted_takes_steps(
    operator: Member, responder: Member, volunteer: Enrol
) -> None:
    mission = await _accepted(operator, responder)
    colleague = await volunteer()
    for caller in (operator, colleague):
        answer = await caller.http.post(f"{ASSIGNMENTS}/{mission['id']}/en_route")
        assert code_of(answer) == (404, "not_found")
