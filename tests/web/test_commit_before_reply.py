"""A reply must not come before its commit: else a crash in between loses what was confirmed."""

from datetime import UTC, datetime

import httpx
import pytest
import sqlalchemy as sa
from callers import Enrol
from fastapi import FastAPI
from live_wire import serving

from dispatch import db, tables
from realtime import log

#: Makes every commit that opened an incident take long enough to be overtaken.
SLOW_COMMIT = """
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON incident
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle();
"""


async def test_RT_2_a_reply_means_that_incident_and_event_are_committed(
    app: FastAPI, store: db.Database, enrol: Enrol
) -> None:
    operator = await enrol("operator")
    async with store.transaction() as conn:
        for statement in SLOW_COMMIT.split(";\nCREATE"):
            prefix = "" if statement.lstrip().startswith("CREATE") else "CREATE"
            await conn.execute(sa.text(prefix + statement))
    call = {
        "kind": "cardiac_arrest",
        "severity": 1,
        "position": {"type": "Point", "coordinates": [7.4246, 43.7347]},
        "exercise": True,
    }
    headers = {
        "Authorization": operator.http.headers["Authorization"],
        "Idempotency-Key": f"commit-{datetime.now(UTC).timestamp()}",
    }
    async with (
        serving(app) as host,
        httpx.AsyncClient(base_url=f"http://{host}/api/v1", headers=headers) as client,
        store.engine.connect() as other,
    ):
        answer = await client.post("/incidents", json=call)
        assert answer.status_code == 201, answer.text
        found = await other.scalar(
            sa.select(tables.incident.c.status).where(
                tables.incident.c.id == sa.cast(answer.json()["id"], sa.Uuid)
            )
        )
        mark = (await log.position_of(other, ["org:red"]))["org:red"]
    assert found is not None
    assert mark.seq == 1


@pytest.mark.parametrize("crash", ["before", "after"])
async def test_a_failed_action_leaves_neither_state_nor_event(
    store: db.Database, app: FastAPI, crash: str
) -> None:
    del app
    with pytest.raises(RuntimeError):
        await _fail(store, crash)
    async with store.snapshot() as conn:
        marks = await log.position_of(conn, ["org:red"])
        count = await conn.scalar(sa.select(sa.func.count()).select_from(tables.org))
    assert (marks["org:red"].seq, count) == (0, 0)


async def _fail(store: db.Database, crash: str) -> None:
    async with store.transaction() as conn:
        await conn.execute(
            sa.text(
                "INSERT INTO org (id, code, name_zh, name_en, level, path, timezone) "
                "VALUES (gen_random_uuid(), 'red', '红', 'Red', 3, 'red/', 'UTC')"
            )
        )
        if crash == "after":
            await log.append(conn, "org:red", "x", {}, at=datetime.now(UTC))
        raise RuntimeError(crash)
