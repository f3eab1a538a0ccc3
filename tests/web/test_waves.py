"""Alarm levels, the roll call, kind refusals and the one tap at an AED, over HTTP."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import factories as f
import pytest
import sqlalchemy as sa
from callers import Enrol, Member, alerted, code_of, key, opened

from dispatch import alerts, db, matching, policies, responders, tables
from dispatch import store as dispatch_store
from web.api import alerting

CARDS = (
    matching.RunCard(level=1, teams=("boats",), skills={"cpr": 1}),
    matching.RunCard(level=2, teams=("boats", "divers"), skills={"cpr": 3}),
)


@pytest.fixture
async def operator(enrol: Enrol) -> Member:
    return await enrol("operator")


async def _team(store: db.Database, operator: Member, code: str, *members: Member) -> None:
    async with store.transaction() as conn:
        await responders.add_team(
            conn, operator.org.id, code=code, name=f"Team {code}",
            members=[member.id for member in members],
        )  # fmt: skip


async def _hold(store: db.Database, operator: Member, policy: matching.Policy) -> None:
    """Let a policy hold for the organisation."""
    now = datetime.now(UTC)
    async with store.transaction() as conn:
        document = policy.document()
        draft = await policies.draft(
            conn, operator.org.id, policy.name,
            {name: document[name] for name in document if name not in {"name", "version"}},
            by=None, now=now,
        )  # fmt: skip
        await conn.execute(
            sa.insert(tables.simulation_report).values(
                id=dispatch_store.new_id(), digests=[draft.digest], seed=1, incidents=1, body={},
                made_at=now,
            )
        )  # fmt: skip
        await policies.publish(conn, draft.id, by=None, now=now)


async def test_WAV_8_a_level_asks_exactly_what_it_adds(
    store: db.Database, operator: Member, volunteer: Enrol
) -> None:
    near, next_, third, sailor, diver = [
        await volunteer(metres=metres) for metres in (50, 60, 70, 400, 500)
    ]
    await _team(store, operator, "boats", sailor)
    await _team(store, operator, "divers", diver)
    await _hold(store, operator, replace(matching.Policy(name="flood"), run_cards=CARDS))
    incident = await opened(operator, kind="flood")
    first = await alerted(operator, incident, level=1)
    assert alerting.AlertAnswer.model_validate(first).wave.level == 1
    assert {a["responder"] for a in first["alerts"]} == {str(near.id), str(sailor.id)}
    teams = {a["responder"]: a["team"] for a in first["alerts"]}
    assert teams[str(near.id)] is None
    assert teams[str(sailor.id)] is not None
    second = await alerted(operator, incident, level=2)
    asked = {a["responder"] for a in second["alerts"]}
    assert asked == {str(next_.id), str(third.id), str(diver.id)}
    for level in (2, 3):
        again = await operator.http.post(
            f"/api/v1/incidents/{incident['id']}/alert", json={"level": level}, headers=key()
        )
        assert code_of(again) == (409, "conflict")
        assert again.json()["state"] == {"level": level, "reached": 2, "levels": [1, 2]}


async def test_WAV_9_the_roll_call_says_what_the_board_says(
    store: db.Database, operator: Member, volunteer: Enrol
) -> None:
    crew = [await volunteer(metres=50 * number) for number in (1, 2, 3)]
    await _team(store, operator, "boats", *crew)
    incident = await opened(operator, kind="flood")
    async with store.transaction() as conn:
        team = await conn.scalar(sa.select(tables.team.c.id))
        await conn.execute(
            sa.update(tables.person).where(tables.person.c.id == crew[1].id).values(name="=1+1")
        )
    sent = await alerted(operator, incident, team=str(team))
    mine = {a["responder"]: a["id"] for a in sent["alerts"]}
    await crew[0].http.post(f"/api/v1/alerts/{mine[str(crew[0].id)]}/accept")
    await crew[1].http.post(
        f"/api/v1/alerts/{mine[str(crew[1].id)]}/decline", json={"reason": "坐月子"}
    )
    answer = await operator.http.get(f"/api/v1/incidents/{incident['id']}/roll-call")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    headings, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    board = (await operator.http.get(f"/api/v1/incidents/{incident['id']}")).json()
    shown = {a["name"]: (a["status"], a["role"]) for a in board["alerts"]}
    answers = {row[0].lstrip("'"): (row[5], row[4]) for row in rows}
    assert answers == shown
    assert {row[2] for row in rows} == {"Team boats"}
    assert "'=1+1" in {row[0] for row in rows}
    assert [row[13] for row in rows if row[5] == "declined"] == ["坐月子"]
    assert len(headings) == len(rows[0])


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Thank you for answering."), ("zh", "感谢您的响应")],
)
async def test_WAV_2_who_is_covered_is_refused_kindly(
    store: db.Database, operator: Member, volunteer: Enrol, language: str, words: str
) -> None:
    responder = await volunteer()
    incident = await opened(operator)
    sent = await alerted(operator, incident, responders=[str(responder.id)])
    async with store.transaction() as conn:
        await alerts.cover(conn, UUID(incident["id"]), now=datetime.now(UTC))
    late = await responder.http.post(
        f"/api/v1/alerts/{sent['alerts'][0]['id']}/accept", params={"lang": language}
    )
    assert code_of(late) == (409, "alert_over")
    assert words in late.json()["title"]
    assert late.json()["state"]["reason"] == "covered"
    me = (await responder.http.get("/api/v1/me")).json()
    assert me["stand_down"]["reason"] == "covered"


async def test_WAV_5_one_tap_at_the_cabinet(
    store: db.Database, operator: Member, volunteer: Enrol
) -> None:
    responder = await volunteer()
    incident = await opened(operator)
    now = datetime.now(UTC)
    async with store.transaction() as conn:
        aed = await f.make_aed(conn, operator.org.id, now=now)
    sent = await alerted(operator, incident, responders=[str(responder.id)])
    alert = sent["alerts"][0]["id"]
    async with store.transaction() as conn:
        await conn.execute(sa.update(tables.alert).values(role="via_aed", aed_id=aed.id))
    await responder.http.post(f"/api/v1/alerts/{alert}/accept")
    said = await responder.http.post(
        f"/api/v1/aeds/{aed.id}/reports", json={"kind": "locked"}, headers=key()
    )
    assert said.status_code == 201
    async with store.transaction() as conn:
        kinds = (await conn.execute(sa.select(tables.timer.c.kind))).scalars()
    assert "reroute" in set(kinds)
    card = (await operator.http.get(f"/api/v1/incidents/{incident['id']}")).json()
    [line] = [line for line in card["lines"] if line["kind"] == "aed_reported"]
    assert (line["args"]["what"], line["args"]["aed"]) == ("locked", str(aed.id))
    shown: dict[str, Any] = (await operator.http.get(f"/api/v1/aeds/{aed.id}")).json()
    assert shown["usable"] == "unknown"
