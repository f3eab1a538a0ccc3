"""Relief stock over HTTP: sending, taking in, taking back, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from callers import Enrol, Member, code_of, key, opened

from tests import factories as f


async def made(member: Member, path: str, **body: Any) -> Any:
    answer = await member.http.post(f"/api/v1{path}", json=body, headers=key())
    assert answer.status_code == 201, answer.text
    return answer.json()


async def listed(member: Member, path: str) -> list[Any]:
    answer = await member.http.get(f"/api/v1{path}")
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["items"]
    return found


@pytest.fixture
async def keeper(enrol: Enrol) -> Member:
    return await enrol("keeper", "county")


@pytest.fixture
async def second(enrol: Enrol) -> Member:
    return await enrol("keeper", "county")


@pytest.fixture
async def lot(keeper: Member) -> dict[str, str]:
    """Give two depots, and a lot of 100 quilts in the first."""
    place = f.HARBOUR.geojson()
    here = await made(keeper, "/depots", code="here", name="北仓", position=place)
    there = await made(keeper, "/depots", code="there", name="南仓", position=place)
    item = await made(
        keeper, "/items", code="quilt", name_zh="棉被", name_en="Quilt", unit_zh="床", unit_en="pc"
    )
    first = await made(keeper, "/lots", depot=here["id"], item=item["id"], quantity=100)
    return {"here": here["id"], "there": there["id"], "item": item["id"], "id": first["id"]}


async def test_STK_10_goods_are_sent_by_one_keeper_and_taken_in_by_another(
    keeper: Member, second: Member, lot: dict[str, str]
) -> None:
    sent = await made(
        keeper, "/transfers", from_depot=lot["here"], to_depot=lot["there"],
        items=[{"item": "quilt", "quantity": 30}], due_at="2026-11-23T09:00:00Z", note="汛期前置",
    )  # fmt: skip
    [line] = sent["lines"]
    told = (sent["from_depot"], sent["to_depot"], line["item"], line["quantity"], line["arrived"])
    assert told == ("here", "there", "quilt", 30, None)
    arrive = f"/api/v1/transfers/{sent['id']}/arrive"
    count = {"lines": [{"line": line["id"], "quantity": 28}], "difference": "2 床浸水"}
    assert code_of(await keeper.http.post(arrive, json=count)) == (409, "second_person")
    unexplained = {"lines": count["lines"]}
    assert code_of(await second.http.post(arrive, json=unexplained)) == (422, "malformed")
    answer = await second.http.post(arrive, json=count)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["lines"][0]["arrived"]) == ("arrived", 28)
    assert code_of(await second.http.post(arrive, json=count)) == (409, "conflict")
    assert [one["id"] for one in await listed(second, "/transfers")] == [sent["id"]]
    lots = {one["depot"]: one["on_hand"] for one in await listed(keeper, "/lots")}
    assert lots == {"here": 70, "there": 28}
    kinds = [(one["kind"], one["quantity"]) for one in await listed(keeper, "/movements")]
    assert kinds == [("receive", 100), ("send", -30), ("arrive", 28)]


@pytest.mark.parametrize("quantity", [1.5, "many", 0, -3, None])
async def test_STK_15_goods_are_counted_in_whole_units(
    keeper: Member, lot: dict[str, str], quantity: object
) -> None:
    body = {
        "from_depot": lot["here"], "to_depot": lot["there"],
        "items": [{"item": "quilt", "quantity": quantity}],
    }  # fmt: skip
    answer = await keeper.http.post("/api/v1/transfers", json=body, headers=key())
    assert code_of(answer) == (422, "malformed")
    more = {"depot": lot["here"], "item": lot["item"], "quantity": quantity}
    answer = await keeper.http.post("/api/v1/lots", json=more, headers=key())
    assert code_of(answer) == (422, "malformed")


async def test_STK_14_a_lot_out_of_turn_needs_a_reason(
    enrol: Enrol, keeper: Member, lot: dict[str, str]
) -> None:
    operator = await enrol("operator", "county")
    incident = await opened(operator)
    soon = await made(
        keeper, "/lots", depot=lot["here"], item=lot["item"], quantity=5, expires_on="2099-01-01"
    )
    claim = {"incident": incident["id"], "item": "quilt", "quantity": 2, "lot": lot["id"]}
    answer = await operator.http.post("/api/v1/reservations", json=claim, headers=key())
    assert code_of(answer) == (409, "not_first_to_expire")
    assert answer.json()["state"]["lot"] == soon["id"]
    claims = await made(operator, "/reservations", **claim, reason="加厚款")
    [reserved] = claims["items"]
    assert (await keeper.http.post(f"/api/v1/reservations/{reserved['id']}/issue")).is_success
    back = f"/api/v1/reservations/{reserved['id']}/return"
    some = {"quantity": 1, "note": "多余"}
    answer = await keeper.http.post(back, json=some, headers=key())
    assert (answer.status_code, answer.json()["on_hand"]) == (201, 99)
    answer = await keeper.http.post(back, json={"quantity": 2, "note": "多余"}, headers=key())
    assert (code_of(answer), answer.json()["state"]) == ((409, "conflict"), {"out": 1})


async def test_STK_10_who_may_not_change_stock_sends_nothing(
    enrol: Enrol, lot: dict[str, str]
) -> None:
    operator, stranger = await enrol("operator", "county"), await enrol("keeper", "elsewhere")
    body = {
        "from_depot": lot["here"], "to_depot": lot["there"],
        "items": [{"item": "quilt", "quantity": 1}],
    }  # fmt: skip
    answer = await operator.http.post("/api/v1/transfers", json=body, headers=key())
    assert code_of(answer) == (403, "not_allowed")
    answer = await stranger.http.post("/api/v1/transfers", json=body, headers=key())
    assert code_of(answer) == (404, "not_found")
    assert await listed(stranger, "/transfers") == []
