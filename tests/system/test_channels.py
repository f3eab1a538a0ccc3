"""Messages with real runners: one is killed between taking a message and having sent it."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from gateways import aliyun, all_of_them
from live_processes import runner
from waiting import until_answer

from dispatch import db, matching, tables
from tests import factories as f

pytestmark = pytest.mark.system

#: A loaded machine starts a runner, numba and all, within this.
PATIENCE_S = 60
SMS_ONLY = ("aliyun_key_id", "aliyun_key_secret", "sms_url", "sms_sign_name", "sms_template_alert")


async def _column(house: db.Database, query: sa.Select[tuple[object]]) -> list[object]:
    async with house.transaction() as conn:
        return list((await conn.execute(query)).scalars())


async def _ask_one(house: db.Database) -> None:
    now = datetime.now(UTC)
    async with house.transaction() as conn:
        scene = await f.make_scene(conn, people=1, now=now)
        phone = {"phone": "13812345678", "is_invented": False}
        await conn.execute(sa.update(tables.person).values(**phone))
        policy = matching.Policy(alert_expires_s=600)
        await f.send(conn, scene, policy=policy, named=scene.responders, now=now)


async def test_CHN_9_a_killed_runners_message_goes_out_under_the_same_key(
    database: str, redis_url: str, open_folder: Path
) -> None:
    house = db.Database(db.make_engine(database), None)
    on = sa.select(tables.channel.c.name).where(tables.channel.c.is_on)
    ends = sa.select(tables.delivery.c.status).where(tables.delivery.c.channel == "sms")

    async def is_on() -> bool:
        return await _column(house, on) == ["sms"]

    async def is_taken() -> bool:
        return len(doubles.aliyun.requests) == 1

    async def is_sent() -> bool:
        return await _column(house, ends) == ["sent"]

    with all_of_them.running() as doubles, ExitStack() as stack:
        settings = doubles.settings()
        sms = {name: str(settings[name]) for name in SMS_ONLY}
        doomed = stack.enter_context(runner(database, redis_url, open_folder, **sms))
        await until_answer(is_on, within_s=PATIENCE_S)
        doubles.aliyun.answers.clear()
        await _ask_one(house)
        await until_answer(is_taken, within_s=PATIENCE_S)
        doomed.kill()
        stack.enter_context(runner(database, redis_url, open_folder, **sms))
        doubles.aliyun.answers.set()
        await until_answer(is_sent, within_s=PATIENCE_S)
    await house.engine.dispose()
    messages = doubles.aliyun.messages
    assert len({message["out_id"] for message in messages}) == 1
    log = (open_folder / "runner.log").read_text()
    for secret in ("13812345678", aliyun.KEY_SECRET, *(message["code"] for message in messages)):
        assert secret not in log
