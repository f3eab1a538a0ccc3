"""Organisations, volunteers and teams over HTTP."""

from __future__ import annotations

from callers import Enrol, code_of, key

from web.api import orgs, responders, teams

ORGS = "/api/v1/orgs"


async def test_the_tree_is_seen_from_ones_own_place_down(enrol: Enrol) -> None:
    above = await enrol("admin", "province")
    below = await enrol("operator", "county", parent="province")
    await enrol("operator", "other")
    seen = orgs.OrgList.model_validate((await above.http.get(ORGS)).json())
    assert [(org.code, org.parent) for org in seen.items] == [
        ("province", None), ("county", "province"),
    ]  # fmt: skip
    mine = (await below.http.get(ORGS)).json()
    assert [org["code"] for org in mine["items"]] == ["county"]
    assert code_of(await below.http.get(f"{ORGS}/{above.org.id}")) == (404, "not_found")
    assert (await above.http.get(f"{ORGS}/{below.org.id}")).json()["code"] == "county"


async def test_an_organisation_is_added_and_changed(enrol: Enrol) -> None:
    admin = await enrol("admin")
    new = {"code": "hb-01", "name_zh": "县红十字会", "name_en": "County", "level": 4}
    made = await admin.http.post(ORGS, json=new, headers=key())
    body = orgs.OrgDetail.model_validate(made.json())
    assert (made.status_code, body.parent) == (201, "red")
    taken = await admin.http.post(ORGS, json=new, headers=key())
    assert code_of(taken) == (409, "name_taken")
    address = made.headers["location"]
    changed = await admin.http.patch(
        address, json={"phone": "12320"}, headers={"If-Match": made.headers["etag"]}
    )
    assert (changed.json()["phone"], changed.json()["version"]) == ("12320", 2)
    stale = await admin.http.patch(address, json={"phone": "1"}, headers={"If-Match": '"1"'})
    assert code_of(stale) == (412, "stale_version")
    for bad in ({"code": "X"}, {"level": 9}, {"timezone": "Mars/Base"}):
        answer = await admin.http.post(ORGS, json={**new, **bad}, headers=key())
        assert code_of(answer) == (422, "malformed"), bad


async def test_RGT_1_only_who_may_changes_organisations(enrol: Enrol) -> None:
    operator, admin, foreign = await enrol(), await enrol("admin"), await enrol("admin", "other")
    new = {"code": "x", "name_zh": "x", "name_en": "x", "level": 4}
    assert code_of(await operator.http.post(ORGS, json=new, headers=key())) == (403, "not_allowed")
    under_ours = await foreign.http.post(ORGS, json={**new, "parent": "red"}, headers=key())
    assert code_of(under_ours) == (404, "not_found")
    address = f"{ORGS}/{admin.org.id}"
    match = {"If-Match": '"1"'}
    assert code_of(await operator.http.patch(address, json={}, headers=match))[0] == 403
    assert code_of(await foreign.http.patch(address, json={}, headers=match))[0] == 404


async def test_a_volunteer_is_enrolled_found_and_suspended(enrol: Enrol) -> None:
    admin, operator = await enrol("admin"), await enrol("operator")
    new = {
        "name": "李雷", "name_en": "Li Lei", "username": "lilei", "skills": ["cpr"],
        "certificates": [{"kind": "first_aid", "expires_on": "2099-01-01"}],
    }  # fmt: skip
    made = await admin.http.post("/api/v1/responders", json=new, headers=key())
    body = responders.ResponderShape.model_validate(made.json())
    assert (made.status_code, body.duty) == (201, "off_duty")
    page = responders.ResponderList.model_validate(
        (await operator.http.get("/api/v1/responders")).json()
    )
    assert [person.name for person in page.items] == ["李雷"]
    address = made.headers["location"]
    changed = await admin.http.patch(
        address,
        json={"duty": "suspended", "skills": []},
        headers={"If-Match": made.headers["etag"]},
    )
    assert (changed.json()["duty"], changed.json()["skills"]) == ("suspended", [])
    refused = await operator.http.patch(address, json={}, headers={"If-Match": '"1"'})
    assert code_of(refused) == (403, "not_allowed")


async def test_a_team_is_made_and_changed(enrol: Enrol, volunteer: Enrol) -> None:
    admin = await enrol("admin")
    leader, member = await volunteer(), await volunteer()
    new = {"code": "boat", "name": "船队", "leader": str(leader.id)}
    made = await admin.http.post("/api/v1/teams", json=new, headers=key())
    body = teams.TeamShape.model_validate(made.json())
    assert (body.leader, body.members) == (str(leader.id), [str(leader.id)])
    changed = await admin.http.patch(
        made.headers["location"], json={"members": [str(member.id)]}, headers={"If-Match": '"1"'}
    )
    assert set(changed.json()["members"]) == {str(leader.id), str(member.id)}
    listed = teams.TeamList.model_validate((await admin.http.get("/api/v1/teams")).json())
    assert [team.version for team in listed.items] == [2]


async def test_RGT_3_one_foreign_member_refuses_the_whole_team(
    enrol: Enrol, volunteer: Enrol
) -> None:
    admin, own, foreign = await enrol("admin"), await volunteer(), await volunteer("other")
    new = {"code": "x", "name": "x", "members": [str(own.id), str(foreign.id)]}
    answer = await admin.http.post("/api/v1/teams", json=new, headers=key())
    assert code_of(answer) == (404, "not_found")
    assert (await admin.http.get("/api/v1/teams")).json()["items"] == []
