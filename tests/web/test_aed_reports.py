"""What anybody may say of an AED, how often, and what its organisation makes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from callers import Enrol, Member, code_of, key
from fastapi import FastAPI

from web import dependencies

HERE = {"type": "Point", "coordinates": [7.42, 43.73]}
THERE = {"type": "Point", "coordinates": [7.425, 43.735]}
NEW = {"name": "Mairie", "position": HERE, "access": "public", "hours": "24/7"}


async def entered(member: Member) -> str:
    answer = await member.http.post("/api/v1/aeds", json=NEW, headers=key())
    assert answer.status_code == 201, answer.text
    return f"/api/v1/aeds/{answer.json()['id']}"


async def say(http: httpx.AsyncClient, path: str, **said: Any) -> httpx.Response:
    return await http.post(f"{path}/reports", json={"kind": "missing", **said}, headers=key())


def from_address(app: FastAPI, address: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://testserver")


async def test_AED_10_doubt_is_cast_at_once_and_the_map_changes_after_review(
    enrol: Enrol, stranger: httpx.AsyncClient
) -> None:
    operator = await enrol()
    path = await entered(operator)
    said = await say(stranger, path, kind="moved", position=THERE, note="now at the gate")
    assert (said.status_code, said.json()["verdict"]) == (201, "open")
    shown = (await stranger.get(path)).json()
    assert (shown["trust"], shown["usable"], shown["usable_reason"]) == (
        "suspect", "unknown", "reported",
    )  # fmt: skip
    assert (shown["position"], shown["status"]) == (HERE, "in_service")
    queue = (await operator.http.get("/api/v1/aed-reports")).json()["items"]
    assert [(item["aed"]["name"], item["signed_in"]) for item in queue] == [("Mairie", False)]
    settle = f"{path}/reports/{said.json()['id']}/settle"
    settled = await operator.http.post(settle, json={"verdict": "accepted"})
    assert settled.status_code == 200, settled.text
    assert settled.json()["settled_by"]["id"] == str(operator.id)
    shown = (await stranger.get(path)).json()
    assert (shown["position"], shown["usable"]) == (THERE, "yes")
    assert (await operator.http.get("/api/v1/aed-reports")).json()["items"] == []
    done = await operator.http.get("/api/v1/aed-reports", params={"verdict": "accepted"})
    assert len(done.json()["items"]) == 1
    again = await operator.http.post(settle, json={"verdict": "accepted"})
    assert again.json() == settled.json()
    assert code_of(await operator.http.post(settle, json={"verdict": "rejected"})) == (
        409, "conflict",
    )  # fmt: skip


async def test_AED_10_the_sixth_report_in_a_minute_is_refused(
    app: FastAPI, enrol: Enrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await entered(await enrol())
    now = datetime.now(UTC)
    monkeypatch.setattr(dependencies, "clock", lambda: now)
    async with from_address(app, "192.0.2.1") as one, from_address(app, "192.0.2.2") as other:
        statuses = [(await say(one, path)).status_code for _ in range(5)]
        refused = await say(one, path)
        assert statuses == [201] * 5
        assert code_of(refused) == (429, "too_many")
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert (await say(other, path)).status_code == 201
        signed_in = await enrol("responder")
        assert (await say(signed_in.http, path)).status_code == 201
        later = now + timedelta(seconds=61)
        monkeypatch.setattr(dependencies, "clock", lambda: later)
        assert (await say(one, path)).status_code == 201


async def test_AED_10_one_home_network_counts_as_one(app: FastAPI, enrol: Enrol) -> None:
    path = await entered(await enrol())
    for number in range(6):
        async with from_address(app, f"2001:db8:1:2::{number + 1}") as one:
            status = (await say(one, path)).status_code
    assert status == 429
    async with from_address(app, "2001:db8:1:3::1") as other:
        assert (await say(other, path)).status_code == 201


async def test_AED_11_a_repeat_without_sign_in_is_one_report(
    app: FastAPI, enrol: Enrol, stranger: httpx.AsyncClient
) -> None:
    operator = await enrol()
    path, same = await entered(operator), key()
    body = {"kind": "locked"}
    first = await stranger.post(f"{path}/reports", json=body, headers=same)
    again = await stranger.post(f"{path}/reports", json=body, headers=same)
    assert (first.content, again.headers["Idempotent-Replayed"]) == (again.content, "true")
    other = await stranger.post(f"{path}/reports", json={"kind": "broken"}, headers=same)
    assert code_of(other) == (422, "key_reused")
    assert code_of(await stranger.post(f"{path}/reports", json=body)) == (422, "key_required")
    async with from_address(app, "192.0.2.9") as elsewhere:
        theirs = await elsewhere.post(f"{path}/reports", json=body, headers=same)
    assert theirs.json()["id"] != first.json()["id"]
    signed_in = await operator.http.post(f"{path}/reports", json=body, headers=same)
    assert signed_in.json()["id"] != first.json()["id"]
    assert len((await operator.http.get(f"{path}/reports")).json()["items"]) == 3


async def test_AED_1_what_was_said_is_for_the_organisation_alone(
    enrol: Enrol, stranger: httpx.AsyncClient
) -> None:
    operator = await enrol()
    path = await entered(operator)
    said = (await say(stranger, path)).json()
    settle = f"{path}/reports/{said['id']}/settle"
    verdict = {"verdict": "rejected"}
    foreign, planner, responder = (
        await enrol(org="blue"), await enrol("planner"), await enrol("responder"),
    )  # fmt: skip
    for member, read, write in ((foreign, 404, 404), (planner, 200, 403), (responder, 404, 404)):
        assert (await member.http.get(f"{path}/reports")).status_code == read
        assert (await member.http.post(settle, json=verdict)).status_code == write
        assert (await say(member.http, path)).status_code == 201
    assert (await foreign.http.get("/api/v1/aed-reports")).json()["items"] == []
    assert (await stranger.get("/api/v1/aed-reports")).status_code == 401
    pages = await operator.http.get("/api/v1/aed-reports", params={"limit": "3"})
    rest = await operator.http.get(
        "/api/v1/aed-reports", params={"cursor": pages.json()["next_cursor"]}
    )
    assert [len(pages.json()["items"]), len(rest.json()["items"])] == [3, 1]
    nowhere = f"/api/v1/aeds/{uuid4()}"
    assert (await say(stranger, nowhere)).status_code == 404
    missing = f"{path}/reports/{uuid4()}/settle"
    assert (await operator.http.post(missing, json=verdict)).status_code == 404
    assert (await operator.http.post(settle, json={"verdict": "open"})).status_code == 422


async def test_AED_13_checks_over_http(enrol: Enrol, stranger: httpx.AsyncClient) -> None:
    operator = await enrol()
    path = await entered(operator)
    await say(stranger, path)
    look = {"result": "ok", "pads_expire_on": "2099-05-01", "position": THERE}
    looked = await operator.http.post(f"{path}/checks", json=look, headers=key())
    assert looked.status_code == 201, looked.text
    assert (looked.json()["is_far"], looked.json()["by"]["id"]) == (True, str(operator.id))
    assert looked.json()["away_m"] == pytest.approx(689, abs=5)
    shown = (await operator.http.get(path)).json()
    assert (shown["usable"], shown["pads_expire_on"]) == ("yes", "2099-05-01")
    reports = (await operator.http.get(f"{path}/reports")).json()["items"]
    assert [item["verdict"] for item in reports] == ["accepted"]
    checks = (await operator.http.get(f"{path}/checks")).json()["items"]
    assert [item["result"] for item in checks] == ["ok"]
