"""An AED that is missing: one tap, and within two seconds the other phones show another way."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from live_processes import App, app, bus, runner
from waiting import until

from dispatch import accounts, db, tables, timers
from tests import factories as f
from web.drill.live_client import LiveClient

pytestmark = [pytest.mark.system, pytest.mark.alone]

WITHIN_S = 2.0


@dataclass
class Phone:
    """The phone of somebody who was asked; notes the AED of each change of the mission."""

    person: UUID
    token: str
    alert: UUID
    is_on: bool = False
    aeds: list[str | None] = field(default_factory=list)
    changed_at: list[float] = field(default_factory=list)

    def connected(self) -> None:
        self.is_on = True

    def lost(self, _code: int | None) -> None:
        self.is_on = False

    def snapshot(self, _topic: str, body: dict[str, Any]) -> None:
        pass

    def event(self, _topic: str, kind: str, body: dict[str, Any]) -> None:
        if kind == "mission_changed" and body["mission"] is not None:
            aed = body["mission"]["aed"]
            self.aeds.append(None if aed is None else aed["id"])
            self.changed_at.append(time.monotonic())

    def http(self, served: App) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": str(self.person)}
        return httpx.AsyncClient(base_url=f"{served.url}/api/v1", headers=headers, timeout=30)


async def _arrange(database: str) -> tuple[list[Phone], UUID, UUID]:
    """Ask three people to fetch one AED; another one hangs near. Give the phones and both AEDs."""
    now = datetime.now(UTC)
    engine = db.make_engine(database)
    async with db.Database(engine, None).transaction() as conn:
        org_id = await f.make_org(conn)
        operator = await f.make_person(conn, org_id)
        crew = [
            await f.make_responder(conn, org_id, position=f.north_of(f.HARBOUR, away), now=now)
            for away in (150, 200, 250)
        ]
        wrong, right = [
            await f.make_aed(conn, org_id, position=f.north_of(f.HARBOUR, away), now=now)
            for away in (100, 180)
        ]
        incident = await f.make_incident(conn, org_id, now=now)
        scene = f.Scene(org_id, "", operator, tuple(crew), (wrong, right), incident)
        # Whatever else is due of this alarm may come later.
        sent = await f.send(conn, scene, named=crew, now=now)
        await conn.execute(sa.update(tables.alert).values(role="via_aed", aed_id=wrong.id))
        await timers.disarm(conn, incident.id)
        phones = [
            Phone(a.responder_id, await accounts.add_token(
                conn, a.responder_id, name="test", now=now), a.id)
            for a in sent.alerts
        ]  # fmt: skip
    await engine.dispose()
    return phones, wrong.id, right.id


async def test_WAV_13_the_other_phones_show_the_other_way_within_two_seconds(
    database: str, open_folder: Path, tmp_path: Path
) -> None:
    phones, wrong, right = await _arrange(database)
    with bus() as hints, ExitStack() as stack:
        stack.enter_context(runner(database, hints.url, open_folder))
        async with app(database, hints.url, tmp_path) as served:
            lives = [
                LiveClient(served.live_url, [f"person:{p.person}"], p, token=p.token)
                for p in phones
            ]
            running = [asyncio.create_task(live.run()) for live in lives]
            await until(lambda: all(phone.is_on for phone in phones), within_s=30)
            for phone in phones:
                async with phone.http(served) as http:
                    (await http.post(f"/alerts/{phone.alert}/accept")).raise_for_status()
            await until(lambda: all(phone.aeds for phone in phones), within_s=30)
            await _until_runner_is_idle(database)
            for phone in phones:
                phone.aeds.clear()
                phone.changed_at.clear()
            finder, *others = phones
            tapped_at = time.monotonic()
            async with finder.http(served) as http:
                said = await http.post(f"/aeds/{wrong}/reports", json={"kind": "missing"})
                assert said.status_code == 201
            await until(lambda: all(phone.aeds for phone in phones), within_s=30)
            for task in running:
                task.cancel()
    assert {tuple(phone.aeds) for phone in others} <= {(str(right),), (None,)}
    assert [phone.aeds[0] for phone in phones].count(str(right)) == 1
    assert max(phone.changed_at[0] for phone in others) - tapped_at < WITHIN_S


async def _until_runner_is_idle(database: str) -> None:
    """Wait until the runner has started and fired what the accepts armed."""
    engine = db.make_engine(database)
    house = db.Database(engine, None)
    async with asyncio.timeout(60):
        while True:
            async with house.transaction() as conn:
                due = await timers.list_due(conn, list(timers.Lane), limit=9, now=datetime.now(UTC))
            if not due:
                break
            await asyncio.sleep(0.1)
    await engine.dispose()
