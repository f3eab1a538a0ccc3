"""A wave that was committed reaches its phones though the process that sent it is gone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from live_processes import App, app, bus
from waiting import until

from dispatch import accounts, db, states
from tests import factories as f
from web.drill.live_client import LiveClient

pytestmark = pytest.mark.system


class Phone:
    """Notes the alerts that arrive, however they do."""

    def __init__(self) -> None:
        self.is_on = False
        self.alerts: list[str] = []

    def connected(self) -> None:
        self.is_on = True

    def lost(self, _code: int | None) -> None:
        self.is_on = False

    def snapshot(self, _topic: str, body: dict[str, Any]) -> None:
        if body["alert"]:
            self.alerts.append(body["alert"]["id"])

    def event(self, _topic: str, kind: str, body: dict[str, Any]) -> None:
        if kind == "alert_sent":
            self.alerts.append(body["alert"]["id"])


async def _people(database: str) -> tuple[UUID, str, str]:
    """Add one operator and one responder at the harbour; give the responder's id and tokens."""
    now = datetime.now(UTC)
    engine = db.make_engine(database)
    async with db.Database(engine, None).transaction() as conn:
        org_id = await f.make_org(conn)
        operator = await f.make_person(conn, org_id)
        await accounts.grant(conn, operator, org_id, states.OrgRole.OPERATOR)
        responder = await f.make_responder(conn, org_id, now=now)
        tokens = [
            await accounts.add_token(conn, person, name="test", now=now)
            for person in (operator, responder)
        ]
    await engine.dispose()
    return responder, tokens[0], tokens[1]


async def _alert_and_die(sender: App, token: str) -> str:
    """Open an incident, send the wave, and kill the sender as soon as it has answered."""
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "one"}
    async with httpx.AsyncClient(base_url=f"{sender.url}/api/v1", headers=headers) as operator:
        body = {"kind": "cardiac_arrest", "position": f.HARBOUR.geojson(), "ambulance": "notified"}
        incident = (await operator.post("/incidents", json=body)).raise_for_status().json()
        headers["Idempotency-Key"] = "two"
        sent = await operator.post(
            f"/incidents/{incident['id']}/alert", json={}, headers=headers, timeout=30
        )
        sender.kill()
    return str(sent.raise_for_status().json()["alerts"][0]["id"])


async def test_ALR_1_a_process_killed_between_the_wave_and_its_sending_loses_no_alert(
    database: str, tmp_path: Path
) -> None:
    responder, operator_token, phone_token = await _people(database)
    topic = f"person:{responder}"
    with bus() as hints:
        async with (
            app(database, hints.url, tmp_path) as dying,
            app(database, hints.url, tmp_path) as staying,
        ):
            hints.kill()  # Without hints the sender would send at its next look, up to a second on.
            phone = Phone()
            first = LiveClient(dying.live_url, [topic], phone, token=phone_token)
            running = asyncio.create_task(first.run())
            await until(lambda: phone.is_on and first.snapshots == 1, within_s=30)
            alert = await _alert_and_die(dying, operator_token)
            await until(lambda: not phone.is_on)
            running.cancel()
            second = LiveClient(staying.live_url, [topic], phone, token=phone_token)
            second.cursors = first.cursors
            running = asyncio.create_task(second.run())
            await until(lambda: second.welcomes and phone.alerts, within_s=30)
            running.cancel()
            assert phone.alerts == [alert]
            assert second.recovered == {topic: True}
            hints.start()
