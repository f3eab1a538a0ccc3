"""The volunteers of an office: found, changed, suspended; their certificates reviewed."""

from __future__ import annotations

from typing import Any

from callers import code_of, key

from tests.web.conftest import Enrol
from web.api.certificates import CertificatesShape
from web.api.responders import ResponderShape

PEOPLE = "/api/v1/responders"
VALID = {"kind": "first_aid", "expires_on": "2099-01-01"}
PAST = {"kind": "first_aid", "expires_on": "2020-01-01"}


async def enter(admin: Any, name: str, **facts: object) -> ResponderShape:
    """Enter a volunteer."""
    made = await admin.http.post(PEOPLE, json={"name": name, **facts}, headers=key())
    assert made.status_code == 201, made.text
    return ResponderShape.model_validate(made.json())


async def names(admin: Any, **query: object) -> list[str]:
    found = await admin.http.get(PEOPLE, params=query)
    assert found.status_code == 200, found.text
    return [person["name"] for person in found.json()["items"]]


async def test_RSP_16_volunteers_are_found_by_words_duty_team_and_papers(enrol: Enrol) -> None:
    admin = await enrol("admin")
    one = await enter(admin, "李雷", code="V-7", phone="13800000001", certificates=[VALID])
    await enter(admin, "韩梅梅", name_en="Han Meimei", certificates=[PAST])
    await enter(admin, "100%", username="percent")
    team = {"code": "boat", "name": "船队", "leader": one.id}
    made = await admin.http.post("/api/v1/teams", json=team, headers=key())
    assert await names(admin, q="0001") == ["李雷"]
    assert await names(admin, q="meimei") == ["韩梅梅"]
    assert await names(admin, q="%") == ["100%"]
    assert await names(admin, team=made.json()["id"]) == ["李雷"]
    assert await names(admin, certificate="expired") == ["韩梅梅", "100%"]
    assert await names(admin, certificate="expiring") == []
    assert await names(admin, duty="available") == []
    assert await names(await enrol("admin", "blue"), q="李") == []
    shown = (await admin.http.get(f"{PEOPLE}/{one.id}")).json()
    assert (shown["teams"], shown["phone"], shown["code"]) == (["boat"], "13800000001", "V-7")


async def test_RSP_17_a_code_belongs_to_one_person_of_the_organisation(enrol: Enrol) -> None:
    admin = await enrol("admin")
    await enter(admin, "李雷", code="V-7")
    taken = await admin.http.post(PEOPLE, json={"name": "b", "code": "V-7"}, headers=key())
    assert code_of(taken) == (409, "name_taken")
    assert await names(admin) == ["李雷"]
    assert (await enter(await enrol("admin", "blue"), "c", code="V-7")).code == "V-7"


async def test_RSP_18_a_suspension_has_a_reason_and_ends_off_duty(enrol: Enrol) -> None:
    admin = await enrol("admin")
    person = await enter(admin, "李雷")
    path = f"{PEOPLE}/{person.id}"
    suspended = await admin.http.post(f"{path}/suspend", json={"reason": "投诉待查"}, headers=key())
    body = ResponderShape.model_validate(suspended.json())
    assert (body.duty, body.suspended_reason) == ("suspended", "投诉待查")
    resumed = await admin.http.post(f"{path}/resume", headers=key())
    after = ResponderShape.model_validate(resumed.json())
    assert (after.duty, after.suspended_reason) == ("off_duty", None)
    operator = await enrol("operator")
    refused = await operator.http.post(f"{path}/suspend", json={"reason": "x"}, headers=key())
    assert code_of(refused) == (403, "not_allowed")
    foreign = await enrol("admin", "blue")
    hidden = await foreign.http.post(f"{path}/resume", headers=key())
    assert code_of(hidden) == (404, "not_found")


async def test_RSP_19_a_handed_in_certificate_counts_when_it_is_verified(
    enrol: Enrol, volunteer: Enrol
) -> None:
    admin, person = await enrol("admin"), await volunteer()
    sent = await person.http.post("/api/v1/me/certificates", json=VALID, headers=key())
    mine = CertificatesShape.model_validate(sent.json())
    [waiting] = [one for one in mine.items if one.status == "pending"]
    assert await names(admin, certificate="pending") != []
    path = f"{PEOPLE}/{person.id}/certificates/{waiting.id}/review"
    verified = await admin.http.post(path, json={"status": "verified"}, headers=key())
    states = {one["id"]: one["status"] for one in verified.json()["certificates"]}
    assert states[waiting.id] == "verified"
    revoked = await admin.http.post(path, json={"status": "revoked"}, headers=key())
    assert {one["id"]: one["status"] for one in revoked.json()["certificates"]}[
        waiting.id
    ] == "revoked"
    foreign = await enrol("admin", "blue")
    hidden = await foreign.http.post(path, json={"status": "verified"}, headers=key())
    assert code_of(hidden) == (404, "not_found")
    assert await names(admin, certificate="pending") == []
