"""A phone at the live socket is known to the runners; a console is no phone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import redis.asyncio
from callers import Enrol
from fastapi import FastAPI
from live_wire import serving, wire
from waiting import until_answer

from realtime import connected


async def test_CHN_4_a_phone_that_listens_is_connected(
    app: FastAPI, redis: redis.asyncio.Redis, enrol: Enrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator, member = await enrol(), await enrol("responder")
    monkeypatch.setattr(connected, "SAY_EVERY_S", 0.05)
    people = [str(operator.id), str(member.id)]

    async def is_found() -> bool:
        found = await connected.find(redis, people, now=datetime.now(UTC))
        return found == {str(member.id)}

    async with (
        serving(app) as host,
        wire(host, operator) as console,
        wire(host, member) as phone,
    ):
        await console.hello("org:red")
        await phone.hello(f"person:{member.id}")
        await until_answer(is_found, within_s=30)
