"""What a volunteer tells of how they are, who reads it, and who never does; practice; tasks."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from callers import Enrol, Member, alerted, code_of, key, opened
from fastapi import FastAPI

from dispatch import db, tables, tasks
from web.api import care
from web.api import me as own
from web.api import tasks as web_tasks

ME = "/api/v1/me"
SAID = "I see it every night"


async def _asked(store: db.Database, person: Member, incident: str, *, exercise: bool) -> UUID:
    survey = uuid4()
    async with store.transaction() as conn:
        await conn.execute(
            sa.insert(tables.survey).values(
                id=survey, responder_id=person.id, incident_id=UUID(incident), round=1,
                exercise=exercise, asked_at=datetime.now(UTC),
            )
        )  # fmt: skip
    return survey


async def _answered(store: db.Database, operator: Member, person: Member) -> UUID:
    incident = await opened(operator)
    survey = await _asked(store, person, incident["id"], exercise=False)
    answer = await person.http.post(
        f"{ME}/surveys/{survey}", json={"impact": "severe", "text": SAID}
    )
    assert answer.status_code == 200, answer.text
    said = care.Answered.model_validate(answer.json())
    assert said.call_within_s == 7200
    assert said.rest_until is not None
    return survey


async def test_CARE_3_the_phone_shows_the_question_and_the_rest_that_follows(
    enrol: Enrol, volunteer: Enrol, store: db.Database
) -> None:
    operator, person = await enrol("operator"), await volunteer()
    incident = await opened(operator)
    survey = await _asked(store, person, incident["id"], exercise=False)
    before = own.MeShape.model_validate((await person.http.get(ME)).json())
    assert before.survey is not None
    assert before.survey.id == str(survey)
    assert before.alertable is not None
    assert before.alertable.ok
    await person.http.post(f"{ME}/surveys/{survey}", json={"impact": "severe"})
    after = own.MeShape.model_validate((await person.http.get(ME)).json())
    assert (after.survey, after.duty) == (None, "resting")
    assert after.alertable is not None
    assert [(r.code, r.fix) for r in after.alertable.reasons] == [("resting", "duty")]
    # The person may end it.
    await person.http.put(f"{ME}/duty", json={"duty": "available"})
    again = own.MeShape.model_validate((await person.http.get(ME)).json())
    assert again.alertable is not None
    assert again.alertable.ok


async def test_CARE_3_nobody_answers_for_somebody_else(
    enrol: Enrol, volunteer: Enrol, store: db.Database
) -> None:
    operator, person, other = await enrol("operator"), await volunteer(), await volunteer()
    survey = await _asked(store, person, (await opened(operator))["id"], exercise=False)
    answer = await other.http.post(f"{ME}/surveys/{survey}", json={"impact": "none"})
    assert code_of(answer) == (404, "not_found")


def _lists(app: FastAPI, ids: Iterable[str]) -> list[str]:
    """Give every address that answers a GET, with each id in the place of each id."""
    found = []
    for path, verbs in app.openapi()["paths"].items():
        if "get" not in verbs:
            continue
        names = path.count("{")
        found += [path] if not names else [_filled(path, one) for one in ids] if names == 1 else []
    return found


def _filled(path: str, one: str) -> str:
    before, _, rest = path.partition("{")
    return before + one + rest.partition("}")[2]


@pytest.mark.parametrize("role", ["operator", "auditor", "admin", "planner", "keeper"])
async def test_CARE_13_only_carers_read_of_it(
    app: FastAPI, enrol: Enrol, volunteer: Enrol, store: db.Database, role: str
) -> None:
    operator, person = await enrol("operator"), await volunteer()
    carer, other = await enrol("carer"), await enrol(role)
    survey = await _answered(store, operator, person)
    listed = web_tasks.TaskList.model_validate((await carer.http.get("/api/v1/tasks")).json())
    assert [(task.kind, task.subject) for task in listed.items] == [("aftercare", str(survey))]
    task = listed.items[0]
    shown = (await carer.http.get(f"/api/v1/tasks/{task.id}")).json()
    detail = web_tasks.TaskDetail.model_validate(shown)
    assert (detail.about["person"], detail.about["survey"]["text"]) == (str(person.id), SAID)
    # Whatever the other one asks for, neither the words nor the survey nor the task come.
    for path in _lists(app, [task.id, str(survey), str(person.id)]):
        query = {"lat": "43.7", "lon": "7.4", "bbox": "7,43,8,44", "limit": "200"}
        text = (await other.http.get(path, params=query)).text
        assert SAID not in text, path
        assert "severe" not in text or "openapi" in path, path
        if task.id not in path and str(survey) not in path:
            assert task.id not in text, path
            assert str(survey) not in text, path
    for verb in ("take", "done"):
        tried = await other.http.post(f"/api/v1/tasks/{task.id}/{verb}", headers=key())
        assert code_of(tried) == (404, "not_found")
    async with store.snapshot() as conn:
        events = await conn.execute(sa.text("select topic, cast(body as text) from event"))
        told = [(topic, body) for topic, body in events if str(survey) in body or SAID in body]
    assert {topic for topic, _ in told} <= {f"person:{person.id}"}


async def test_CARE_5_a_carer_takes_a_task_and_ends_it(
    enrol: Enrol, volunteer: Enrol, store: db.Database
) -> None:
    operator, person = await enrol("operator"), await volunteer()
    first, second = await enrol("carer"), await enrol("carer")
    await _answered(store, operator, person)
    task = (await first.http.get("/api/v1/tasks")).json()["items"][0]["id"]
    taken = await first.http.post(f"/api/v1/tasks/{task}/take", headers=key())
    assert taken.json()["taken_by"] == str(first.id)
    tried = await second.http.post(f"/api/v1/tasks/{task}/take", headers=key())
    assert code_of(tried) == (409, "conflict")
    done = await first.http.post(
        f"/api/v1/tasks/{task}/done", json={"note": "spoke for an hour"}, headers=key()
    )
    assert done.json()["done_by"] == str(first.id)
    assert (await second.http.get("/api/v1/tasks")).json()["items"] == []


async def test_CARE_14_who_sees_which_task(
    enrol: Enrol, volunteer: Enrol, store: db.Database
) -> None:
    leader, member, stranger = await volunteer(), await volunteer(), await volunteer()
    admin = await enrol("admin")
    team = {"code": "t", "name": "一队", "leader": str(leader.id), "members": [str(member.id)]}
    made = await admin.http.post("/api/v1/teams", json=team, headers=key())
    assert made.status_code == 201, made.text
    now = datetime.now(UTC)
    async with store.transaction() as conn:
        for kind in tasks.Kind:
            for person in (member, stranger):
                await tasks.add(
                    conn, member.org.id, kind, subject_id=person.id, due_at=now, body={},
                    exercise=False, now=now,
                )  # fmt: skip
    about_people = {"unreachable", "certificate"}
    seen = {
        "operator": {"aed_problem", "channel"},
        "planner": {"aed_problem", "channel"},
        "auditor": {"aed_problem", "channel"},
        "admin": {"aed_problem", "channel", *about_people},
        "carer": {"aftercare"},
        "keeper": set(),
    }
    for role, kinds in seen.items():
        listed = (await (await enrol(role)).http.get("/api/v1/tasks")).json()["items"]
        assert {task["kind"] for task in listed} == kinds, role
    mine = (await leader.http.get("/api/v1/tasks")).json()["items"]
    assert {(task["kind"], task["subject"]) for task in mine} == {
        (kind, str(member.id)) for kind in about_people
    }
    detail = (await leader.http.get(f"/api/v1/tasks/{mine[0]['id']}")).json()
    assert detail["about"]["person"] == str(member.id)
    tried = await leader.http.post(f"/api/v1/tasks/{mine[0]['id']}/done", headers=key())
    assert code_of(tried) == (404, "not_found")


async def test_CARE_8_quiet_hours_are_set_and_taken_away(volunteer: Enrol) -> None:
    person = await volunteer()
    hours = {"from": "22:00", "until": "07:30", "except": ["cardiac_arrest"]}
    answer = await person.http.put(f"{ME}/quiet", json=hours)
    assert answer.json() == {"quiet": hours}
    assert (await person.http.get(ME)).json()["quiet"] == hours
    for bad in ({"from": "22:00"}, {"from": "25:00", "until": "07:00"}, {"except": ["nap"]}):
        assert (await person.http.put(f"{ME}/quiet", json=bad)).status_code == 422
    assert (await person.http.put(f"{ME}/quiet", json={})).json() == {"quiet": None}


async def test_CARE_9_a_practice_is_seen_by_nobody_else(
    app: FastAPI, enrol: Enrol, volunteer: Enrol
) -> None:
    operator, person, other = await enrol("operator"), await volunteer(), await volunteer()
    answer = await person.http.post(f"{ME}/practice", headers=key())
    assert answer.status_code == 201, answer.text
    alert = care.PracticeAnswer.model_validate(answer.json()).alert
    assert (alert.incident.exercise, alert.status) == (True, "notified")
    shown = own.MeShape.model_validate((await person.http.get(ME)).json())
    assert shown.alert is not None
    assert shown.alert.id == alert.id
    for member in (operator, other):
        for path in _lists(app, [alert.id, alert.incident.id]):
            query = {"lat": "43.7", "lon": "7.4", "status": "all"}
            found = await member.http.get(path, params=query)
            if alert.id not in path and alert.incident.id not in path:
                assert alert.incident.id not in found.text, path
            else:
                assert found.status_code in {403, 404, 422}, path
    taken = await person.http.post(f"/api/v1/alerts/{alert.id}/accept")
    assert taken.status_code == 200, taken.text
    mission = taken.json()["assignment"]["id"]
    for step in ("en_route", "on_scene", "cleared"):
        moved = await person.http.post(f"/api/v1/assignments/{mission}/{step}")
        assert moved.status_code == 200, moved.text
    # A second one begins, though the runner has not ended the first yet.
    assert (await person.http.post(f"{ME}/practice", headers=key())).status_code == 201


async def test_CARE_10_a_real_alarm_comes_through_a_practice(
    enrol: Enrol, volunteer: Enrol
) -> None:
    operator, person = await enrol("operator"), await volunteer()
    await person.http.post(f"{ME}/practice", headers=key())
    incident = await opened(operator)
    sent = await alerted(operator, incident)
    assert [alert["responder"] for alert in sent["alerts"]] == [str(person.id)]
    shown = own.MeShape.model_validate((await person.http.get(ME)).json())
    assert shown.alert is not None
    assert shown.alert.incident.id == incident["id"]
    assert shown.stand_down is None


async def test_CARE_9_who_is_off_duty_is_told_why_not(volunteer: Enrol) -> None:
    person = await volunteer(duty="off_duty")
    answer = await person.http.post(f"{ME}/practice", headers=key())
    assert code_of(answer) == (409, "nobody_to_alert")


async def test_off_until_comes_back_by_itself(volunteer: Enrol) -> None:
    person = await volunteer()
    until = datetime.now(UTC) + timedelta(hours=8)
    wish = {"duty": "off_duty", "until": until.isoformat()}
    assert (await person.http.put(f"{ME}/duty", json=wish)).json()["duty"] == "off_duty"
    shown = own.MeShape.model_validate((await person.http.get(ME)).json())
    assert shown.alertable is not None
    assert shown.alertable.reasons[0].args["until"].startswith(until.strftime("%Y-%m-%dT%H:%M"))


@pytest.mark.parametrize("after", ["junk", "2026-11-22 x", "2026-11-22T08:00:00 " + "0" * 32])
async def test_CARE_14_a_foreign_cursor_is_refused(enrol: Enrol, after: str) -> None:
    operator = await enrol("operator")
    cursor = base64.urlsafe_b64encode(after.encode()).decode()
    answer = await operator.http.get("/api/v1/tasks", params={"cursor": cursor})
    assert code_of(answer) == (422, "malformed")
