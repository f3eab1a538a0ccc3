"""The incident routes: what they take, what they refuse, and that answers are as documented."""

from __future__ import annotations

from typing import Any

import pytest
from callers import Enrol, alerted, call, code_of, key, opened

from geo import datum
from web import shapes
from web.api import alerting, incidents, timeline

INCIDENTS = "/api/v1/incidents"


async def test_an_incident_is_opened_and_found_at_its_address(enrol: Enrol) -> None:
    operator = await enrol("operator")
    answer = await operator.http.post(
        INCIDENTS, json=call(address="Quai 1", caller_phone="+377 1"), headers=key()
    )
    assert answer.status_code == 201
    body = answer.json()
    incidents.IncidentAnswer.model_validate(body)
    assert body["org"] == "red"
    assert body["severity"] == 1
    assert body["caller_phone"] == "+377 1"
    assert answer.headers["etag"] == f'"{body["version"]}"'
    found = await operator.http.get(answer.headers["location"])
    assert found.status_code == 200
    detail = incidents.IncidentDetail.model_validate(found.json())
    assert [line.kind for line in detail.lines] == ["opened"]


async def test_120_is_said_in_one_word_or_with_its_time(enrol: Enrol) -> None:
    operator = await enrol("operator")
    unknown = await opened(operator, ambulance="unknown")
    assert (unknown["ambulance"], unknown["ambulance_eta_at"]) == ("unknown", None)
    for coming in ({"ambulance": "dispatched", "eta_s": 300},
                   {"ambulance": {"state": "dispatched", "eta_s": 300}}):  # fmt: skip
        body = await opened(operator, **coming)
        assert body["ambulance"] == "dispatched"
        assert body["ambulance_eta_at"] is not None


async def test_positions_come_in_either_spelling_and_in_three_systems(enrol: Enrol) -> None:
    operator = await enrol("operator")
    wuhan = (114.305, 30.593)
    for crs in datum.Crs:
        lon, lat = datum.from_wgs84(*wuhan, crs)
        body = await opened(operator, position={"lon": lon, "lat": lat}, crs=crs.value)
        assert body["crs"] == "wgs84"
        assert body["position"]["coordinates"] == pytest.approx(wuhan, abs=1e-7)
        shown = (await operator.http.get(f"{INCIDENTS}/{body['id']}?crs={crs}")).json()
        assert shown["crs"] == crs.value
        assert shown["position"]["coordinates"] == pytest.approx((lon, lat), abs=1e-7)


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"position": {"type": "Point", "coordinates": [200, 40]}}, "bad_position", "position.lon"),
    ({"position": {"type": "Point", "coordinates": [7]}}, "bad_position", "position"),
    ({"position": {"lon": False, "lat": 40}}, "bad_position", "position.lon"),
    ({"position": {"lon": "7", "lat": 40}}, "bad_position", "position.lon"),
    ({"position": [7, 40]}, "bad_position", "position"),
    ({"position": None}, "bad_position", "position"),
    ({"colour": "red"}, "unknown_field", "colour"),
    ({"org_id": "x"}, "unknown_field", "org_id"),
    ({"kind": "party"}, "malformed", "kind"),
    ({"kind": None}, "malformed", "kind"),
    ({"severity": 0}, "malformed", "severity"),
    ({"severity": True}, "malformed", "severity"),
    ({"severity": 1.5}, "malformed", "severity"),
    ({"severity": "1"}, "malformed", "severity"),
    ({"exercise": 1}, "malformed", "exercise"),
    ({"note": "a\x00b"}, "malformed", "note"),
    ({"address": "x" * 201}, "malformed", "address"),
    ({"eta_s": -1}, "malformed", "eta_s"),
    ({"crs": "epsg:3857"}, "malformed", "crs"),
]


async def test_ERR_1_each_mistake_has_its_own_code_and_names_its_field(enrol: Enrol) -> None:
    operator = await enrol("operator")
    for change, code, field in BAD:
        answer = await operator.http.post(INCIDENTS, json=call(**change), headers=key())
        assert code_of(answer) == (422, code), change
        assert answer.json()["errors"][0]["field"].startswith(field), change


WORSE = [
    ("", "malformed"),
    ("{", "malformed"),
    ("[]", "malformed"),
    ("null", "malformed"),
    ("nonsense", "malformed"),
    ('"\\ud800"', "malformed"),
    ('{"kind":"fire","position":{"lon":7,"lat":43},"note":"\\ud800"}', "malformed"),
    ('{"kind":"fire","position":{"type":"Point","coordinates":[1e999,NaN]}}', "bad_position"),
    ('{"kind":"fire","position":{"lon":7,"lat":43},"severity":1' + "0" * 5000 + "}", "malformed"),
]


async def test_ERR_1_what_is_hardly_json_is_refused_as_well(enrol: Enrol) -> None:
    operator = await enrol("operator")
    for text, code in WORSE:
        headers = {**key(), "Content-Type": "application/json"}
        answer = await operator.http.post(INCIDENTS, content=text, headers=headers)
        assert code_of(answer) == (422, code), text[:80]


async def test_lists_are_paged_and_filtered(enrol: Enrol) -> None:
    operator = await enrol("operator")
    made = [(await opened(operator, kind="fire"))["id"] for _ in range(5)]
    await operator.http.post(f"{INCIDENTS}/{made[0]}/close", json={"disposition": "duplicate"})
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = f"?limit=2&status=all{'&cursor=' + cursor if cursor else ''}"
        page = (await operator.http.get(INCIDENTS + query)).json()
        incidents.IncidentList.model_validate(page)
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == made[::-1]
    still_open = (await operator.http.get(INCIDENTS)).json()["items"]
    closed = (await operator.http.get(f"{INCIDENTS}?status=closed")).json()["items"]
    assert [item["id"] for item in still_open] == made[:0:-1]
    assert [item["id"] for item in closed] == made[:1]


async def test_a_bad_query_is_malformed(enrol: Enrol) -> None:
    operator = await enrol("operator")
    for query in ("?cursor=%00", "?cursor=abc", "?cursor=YWJj", "?limit=0", "?status=some"):
        assert code_of(await operator.http.get(INCIDENTS + query)) == (422, "malformed")


async def test_API_3_a_change_needs_the_version_that_it_was_made_from(enrol: Enrol) -> None:
    operator = await enrol("operator")
    body = await opened(operator)
    address = f"{INCIDENTS}/{body['id']}"
    without = await operator.http.patch(address, json={"floor": "3"})
    assert code_of(without) == (412, "version_required")
    first = await operator.http.patch(address, json={"floor": "3"}, headers={"If-Match": '"1"'})
    assert first.status_code == 200
    assert first.json()["floor"] == "3"
    assert first.headers["etag"] == '"2"'
    stale = await operator.http.patch(address, json={"floor": "4"}, headers={"If-Match": '"1"'})
    assert code_of(stale) == (412, "stale_version")
    assert stale.json()["state"]["version"] == 2


async def test_a_correction_may_move_the_place_but_not_take_it_away(enrol: Enrol) -> None:
    operator = await enrol("operator")
    body = await opened(operator, note="old")
    address = f"{INCIDENTS}/{body['id']}"
    change = {"position": {"lon": 7.42, "lat": 43.73}, "note": None}
    moved = await operator.http.patch(address, json=change, headers={"If-Match": '"1"'})
    assert moved.json()["position"]["coordinates"] == [7.42, 43.73]
    assert moved.json()["note"] is None
    assert moved.json()["kind"] == body["kind"]
    gone = await operator.http.patch(address, json={"position": None}, headers={"If-Match": '"2"'})
    assert code_of(gone) == (422, "bad_position")


async def test_a_medical_incident_cannot_be_completed_while_nobody_knows_of_120(
    enrol: Enrol,
) -> None:
    operator = await enrol("operator")
    body = await opened(operator, ambulance="unknown")
    address = f"{INCIDENTS}/{body['id']}"
    refused = await operator.http.post(f"{address}/close", json={})
    assert code_of(refused) == (409, "ambulance_unknown")
    told = await operator.http.post(
        f"{address}/ambulance", json={"state": "dispatched", "eta_s": 240}
    )
    assert told.json()["ambulance"] == "dispatched"
    closed = await operator.http.post(f"{address}/close", json={})
    assert closed.json()["disposition"] == "completed"
    again = await operator.http.post(f"{address}/stand-down")
    assert code_of(again) == (409, "incident_closed")
    reopened = await operator.http.post(f"{address}/reopen")
    assert reopened.json()["closed_at"] is None


async def test_the_timeline_only_grows(enrol: Enrol) -> None:
    operator = await enrol("operator")
    body = await opened(operator)
    address = f"{INCIDENTS}/{body['id']}/timeline"
    added = await operator.http.post(address, json={"text": "他在三楼"}, headers=key())
    assert added.status_code == 201
    struck = await operator.http.post(address, json={"strike": added.json()["id"]}, headers=key())
    assert struck.json()["struck_at"] is not None
    lines = timeline.Timeline.model_validate((await operator.http.get(address)).json()).items
    assert [(line.kind, line.text) for line in lines] == [("opened", None), ("note", "他在三楼")]
    for nothing in ({}, {"text": ""}, {"text": "a", "strike": added.json()["id"]}):
        answer = await operator.http.post(address, json=nothing, headers=key())
        assert code_of(answer) == (422, "malformed")


async def test_the_plan_says_who_and_why_and_sends_nothing(enrol: Enrol, volunteer: Enrol) -> None:
    operator = await enrol("operator")
    near = await volunteer(metres=50)
    off = await volunteer(metres=80, duty="off_duty")
    body = await opened(operator)
    address = f"{INCIDENTS}/{body['id']}/plan"
    plan = shapes.PlanShape.model_validate((await operator.http.get(address)).json())
    assert [item.responder for item in plan.chosen] == [str(near.id)]
    (left_out,) = plan.excluded
    assert (left_out.responder, left_out.reason) == (str(off.id), "off_duty")
    assert left_out.reason_text == "未值守"
    english = (await operator.http.get(f"{address}?lang=en")).json()
    assert english["excluded"][0]["reason_text"] == "Off duty"
    shown = (await operator.http.get(f"{INCIDENTS}/{body['id']}")).json()
    assert shown["alerts"] == []


async def test_a_wave_goes_by_policy_and_is_on_record(enrol: Enrol, volunteer: Enrol) -> None:
    operator = await enrol("operator")
    near = await volunteer()
    body = await opened(operator)
    sent = alerting.AlertAnswer.model_validate(await alerted(operator, body))
    assert [alert.responder for alert in sent.alerts] == [str(near.id)]
    record = await operator.http.get(f"{INCIDENTS}/{body['id']}/allocation")
    records = alerting.AllocationList.model_validate(record.json())
    assert [item.id for item in records.items] == [sent.allocation]
    assert records.items[0].chosen[0]["responder"] == str(near.id)
    detail = (await operator.http.get(f"{INCIDENTS}/{body['id']}")).json()
    incidents.IncidentDetail.model_validate(detail)
    assert detail["status"] == "alerting"
    assert detail["counts"]["alerted"] == 1


async def test_named_people_and_a_team_are_asked(enrol: Enrol, volunteer: Enrol) -> None:
    operator, admin = await enrol("operator"), await enrol("admin")
    near, far, other = [await volunteer(metres=metres) for metres in (50, 500, 900)]
    made = await admin.http.post(
        "/api/v1/teams",
        json={"code": "boat", "name": "船队", "leader": str(far.id), "members": [str(other.id)]},
        headers=key(),
    )
    assert made.status_code == 201, made.text
    body = await opened(operator, kind="flood")
    by_name = await alerted(operator, body, responders=[str(near.id)])
    assert [alert["responder"] for alert in by_name["alerts"]] == [str(near.id)]
    by_team = await alerted(operator, body, team=made.json()["id"])
    assert {alert["responder"] for alert in by_team["alerts"]} == {str(far.id), str(other.id)}
    nobody = await operator.http.post(
        f"{INCIDENTS}/{body['id']}/alert", json={"responders": [str(near.id)]}, headers=key()
    )
    assert code_of(nobody) == (409, "nobody_to_alert")


async def test_the_callers_phone_is_for_those_who_may_call_back(enrol: Enrol) -> None:
    operator, auditor = await enrol("operator"), await enrol("auditor")
    body = await opened(operator, caller_phone="+377 99")
    seen = (await auditor.http.get(f"{INCIDENTS}/{body['id']}")).json()
    assert seen["caller_phone"] is None
    listed = (await auditor.http.get(INCIDENTS)).json()
    assert listed["items"][0]["caller_phone"] is None
    board = await auditor.http.get("/api/v1/board")
    assert "+377 99" not in board.text
    assert (await operator.http.get("/api/v1/board")).text.count("+377 99") == 1


async def test_an_operator_above_opens_for_an_organisation_below(enrol: Enrol) -> None:
    operator = await enrol("operator", "province")
    await enrol("operator", "county", parent="province")
    body = await opened(operator, org="county")
    assert body["org"] == "county"
