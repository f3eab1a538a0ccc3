"""The weekly silent check: does a message still get to each person's devices?

Acceptance by a push service is no delivery, so each device has to answer; who has not for a day is
told, on the phone and by a task for the organisation.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import channels, delivering, events, push_devices, states, tasks
from dispatch.channels import Message, Undelivered
from dispatch.ladder import Channel, Purpose

#: Devices asked in one round.
AT_ONCE = 20
#: The leader should have spoken to the person by then.
TASK_DUE = timedelta(days=3)


async def ask(means: delivering.Means) -> int:
    """Ask the devices whose check is due, and say how many were asked."""
    gateway = means.gateways.get(Channel.WEB_PUSH)
    if gateway is None:
        return 0
    async with means.database.transaction() as conn:
        due = await push_devices.take_due(conn, limit=AT_ONCE, now=means.clock())
    codes = [push_devices.new_code() for _ in due]
    asked = zip(due, codes, strict=True)
    answers = await asyncio.gather(*(_ask(gateway, device, code) for device, code in asked))
    async with means.database.transaction() as conn:
        for device, code, is_taken in zip(due, codes, answers, strict=True):
            if is_taken:
                await push_devices.note_asked(conn, device.id, code, now=means.clock())
        gone = [one.id for one, taken in zip(due, answers, strict=True) if taken is None]
        await push_devices.mark_gone(conn, gone, now=means.clock())
    return len(due)


async def _ask(gateway: channels.Gateway, device: push_devices.Device, code: str) -> bool | None:
    """Say whether the push service took the question; None when it knows the device no more."""
    message = Message(
        key=device.id,
        purpose=Purpose.PROBE,
        alert_id=device.id,
        kind=states.Kind.OTHER,
        exercise=False,
        language="zh",
        org="",
        code=code,
        ttl_s=int(push_devices.ANSWER_WITHIN.total_seconds()),
        devices=(
            channels.Device(device.id, device.endpoint, device.p256dh, device.auth),
        ),
    )  # fmt: skip
    try:
        await gateway.send(message)
    except Undelivered as problem:
        return None if problem.gone else False
    return True


async def report(conn: AsyncConnection, *, now: datetime) -> list[push_devices.Silent]:
    """Make a task of each person whom web push does not reach any more; each once."""
    silent = await push_devices.take_silent(conn, now=now)
    for person in silent:
        body: events.Body = {"channel": Channel.WEB_PUSH.value}
        await tasks.add(
            conn, person.org_id, tasks.Kind.UNREACHABLE, subject_id=person.person_id,
            due_at=now + TASK_DUE, body=body, exercise=False, now=now,
        )  # fmt: skip
    return silent
