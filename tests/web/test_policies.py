"""Policies over HTTP: drafts, a simulation before publishing, and where and when one holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from callers import Enrol, Member, code_of, key, opened

from dispatch import db, matching, policies, tables
from dispatch import store as dispatch_store
from web.api import policies as routes

SQUARE = [[114.2, 30.5], [114.4, 30.5], [114.4, 30.7], [114.2, 30.7], [114.2, 30.5]]
AREA = {"type": "Polygon", "coordinates": [SQUARE]}


async def _draft(admin: Member, **body: Any) -> dict[str, Any]:
    answer = await admin.http.post("/api/v1/policies", json={"name": "ours", **body}, headers=key())
    assert answer.status_code == 201, answer.text
    draft: dict[str, Any] = answer.json()
    return draft


async def _simulated(store: db.Database, *digests: str) -> None:
    async with store.transaction() as conn:
        await conn.execute(
            sa.insert(tables.simulation_report).values(
                id=dispatch_store.new_id(), digests=list(digests), seed=7, incidents=10, body={},
                made_at=datetime.now(UTC),
            )
        )  # fmt: skip


async def _publish(admin: Member, draft: dict[str, Any], **dates: Any) -> Any:
    return await admin.http.post(f"/api/v1/policies/{draft['id']}/publish", json=dates)


async def test_POL_1_a_draft_is_what_is_shipped_with_the_fields_that_differ(enrol: Enrol) -> None:
    admin = await enrol("admin")
    draft = await _draft(admin, document={"price": 0.001}, kinds=["cardiac_arrest"], area=AREA)
    shape = routes.PolicyShape.model_validate(draft)
    assert (shape.version, shape.status) == (1, "draft")
    expected = matching.Policy(name="ours", price=0.001)
    assert matching.Policy.from_document(shape.document) == expected
    assert shape.digest == expected.digest()
    assert shape.area is not None
    assert (await _draft(admin, base="seven-and-replace"))["version"] == 2
    listed = await admin.http.get("/api/v1/policies", params={"limit": 1})
    page = routes.PolicyList.model_validate(listed.json())
    assert [item.version for item in page.items] == [2]
    assert [item.name for item in page.shipped] == list(policies.SHIPPED)
    assert page.next_cursor is not None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"document": {"price": -1}}, "price"),
        ({"document": {"wave_size": "8"}}, "wave_size"),
        ({"document": {"chooser": "luck"}}, "chooser"),
        ({"document": {"model": "none"}}, "model"),
        ({"document": {"no_such_field": 1}}, "no_such_field"),
        ({"document": {"ladder": {"1": [{"channel": "pigeon"}]}}}, "ladder.1.0.channel"),
        ({"base": "nothing"}, "base"),
    ],
)
async def test_POL_2_a_wrong_field_is_named(enrol: Enrol, body: dict[str, Any], field: str) -> None:
    admin = await enrol("admin")
    answer = await admin.http.post("/api/v1/policies", json={"name": "ours", **body}, headers=key())
    assert code_of(answer) == (422, "bad_policy")
    assert answer.json()["state"]["field"] == field
    assert (await admin.http.get("/api/v1/policies")).json()["items"] == []


async def test_POL_2_an_area_must_be_a_closed_polygon(enrol: Enrol) -> None:
    admin = await enrol("admin")
    for ring in (SQUARE[:3], SQUARE[:4], [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]], [[0, 200]] * 4):
        area = {"type": "Polygon", "coordinates": [ring]}
        answer = await admin.http.post(
            "/api/v1/policies", json={"name": "ours", "area": area}, headers=key()
        )
        assert code_of(answer)[0] == 422


async def test_POL_3_nothing_is_published_that_was_not_simulated_exactly_so(
    enrol: Enrol, store: db.Database
) -> None:
    admin = await enrol("admin")
    first, second = await _draft(admin), await _draft(admin, document={"price": 0.002})
    await _simulated(store, first["digest"])
    assert code_of(await _publish(admin, second)) == (409, "simulation_missing")
    published = await _publish(admin, first)
    shape = routes.PolicyShape.model_validate(published.json())
    assert (shape.status, shape.report is None) == ("published", False)
    assert code_of(await _publish(admin, first)) == (409, "policy_not_draft")
    retire = f"/api/v1/policies/{first['id']}/retire"
    assert (await admin.http.post(retire)).json()["status"] == "retired"
    assert (await admin.http.post(retire)).status_code == 200
    refused = await admin.http.post(f"/api/v1/policies/{second['id']}/retire")
    assert code_of(refused) == (409, "policy_not_published")


async def test_POL_3_it_may_not_end_before_it_begins(enrol: Enrol, store: db.Database) -> None:
    admin = await enrol("admin")
    draft = await _draft(admin)
    await _simulated(store, draft["digest"])
    past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert code_of(await _publish(admin, draft, effective_until=past)) == (422, "malformed")


async def test_POL_4_only_administrators_change_policies(enrol: Enrol) -> None:
    admin, operator, responder = [await enrol(role) for role in ("admin", "operator", "responder")]
    draft = await _draft(admin)
    path = f"/api/v1/policies/{draft['id']}"
    assert (await operator.http.get(path)).status_code == 200
    for step in ("publish", "retire"):
        assert code_of(await operator.http.post(f"{path}/{step}")) == (403, "not_allowed")
    assert code_of(await responder.http.get(path))[0] == 404
    stranger = await enrol("admin", "elsewhere")
    assert code_of(await stranger.http.get(path))[0] == 404


async def test_POL_8_the_plan_says_by_which_policy_and_speaks_to_each(
    enrol: Enrol, volunteer: Enrol, store: db.Database
) -> None:
    admin, operator = await enrol("admin"), await enrol("operator")
    near, far = await volunteer(), await volunteer(metres=1_200)
    draft = await _draft(admin, document={"reach_s": 1_500})
    await _simulated(store, draft["digest"])
    assert (await _publish(admin, draft)).status_code == 200
    incident = await opened(operator)
    answer = await operator.http.get(f"/api/v1/incidents/{incident['id']}/plan")
    plan = answer.json()
    assert (plan["policy"], plan["policy_digest"]) == ("ours v1", draft["digest"])
    assert {"no_ambulance_eta", "no_routing"} <= set(plan["modes"])
    assert plan["expected"]["nobody"]["index"] < plan["expected"]["plan"]["index"]
    [chosen], [left] = plan["chosen"], plan["excluded"]
    assert (chosen["responder"], left["responder"]) == (str(near.id), str(far.id))
    assert chosen["marginal"] > 0
    assert "直接前往患者处" in chosen["sentence"]["zh"]
    assert left["reason"] == "cannot_beat_ambulance"
    assert left["sentence"]["en"].endswith("would arrive after the ambulance")
