"""Messages with real runners: one is killed between taking a message and having sent it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from gateways import aliyun, all_of_them

from dispatch import db, matching, tables
from tests import factories as f
from web.commands import process

pytestmark = pytest.mark.system

#: A loaded machine starts a runner, numba and all, within this.
PATIENCE_S = 60


@contextmanager
def _runner(
    doubles: all_of_them.Doubles, database: str, redis_url: str, folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    sms_only = ("aliyun_key_id", "aliyun_key_secret", "sms_url", "sms_sign_name",
                "sms_template_alert")  # fmt: skip
    settings = doubles.settings()
    environment = {f"GOLDEN_{name.upper()}": str(settings[name]) for name in sms_only}
    environment |= {"GOLDEN_DATABASE_URL": database, "GOLDEN_REDIS_URL": redis_url}
    golden = str(Path(sys.executable).with_name("golden"))
    argv = (golden, "runner", "--data-dir", str(folder))
    program = process.Program("runner", argv, environment=environment)
    with (folder / "runner.log").open("ab") as output:
        child = program.spawn(output)
        try:
            yield child
        finally:
            program.stop(child)


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():  # noqa: ASYNC110 - the condition is another process's state
            await asyncio.sleep(0.1)


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
        doomed = stack.enter_context(_runner(doubles, database, redis_url, open_folder))
        await _until(is_on)
        doubles.aliyun.answers.clear()
        await _ask_one(house)
        await _until(is_taken)
        doomed.kill()
        stack.enter_context(_runner(doubles, database, redis_url, open_folder))
        doubles.aliyun.answers.set()
        await _until(is_sent)
    await house.engine.dispose()
    messages = doubles.aliyun.messages
    assert len({message["out_id"] for message in messages}) == 1
    log = (open_folder / "runner.log").read_text()
    for secret in ("13812345678", aliyun.KEY_SECRET, *(message["code"] for message in messages)):
        assert secret not in log
