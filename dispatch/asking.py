"""Web push of what can wait: the question how somebody is, and that a certificate ends."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

from dispatch import channels, delivering, push_devices, reminders, states, surveys
from dispatch.channels import Message, Undelivered
from dispatch.ladder import Channel, Purpose

#: Messages of one kind pushed in one round.
AT_ONCE = 20
#: What a runner that was away finds later than this is left to the app.
FRESH_FOR = timedelta(hours=6)


async def push(means: delivering.Means) -> int:
    """Push the questions and reminders of the last hours once each, and say how many went out."""
    gateway = means.gateways.get(Channel.WEB_PUSH)
    if gateway is None:
        return 0
    now = means.clock()
    since = now - FRESH_FOR
    async with means.database.transaction() as conn:
        asked = await surveys.take_unpushed(conn, limit=AT_ONCE, since=since, now=now)
        reminded = await reminders.take_unpushed(conn, limit=AT_ONCE, since=since)
        people = [*(one.responder_id for one in asked), *(one.responder_id for one in reminded)]
        devices = await push_devices.list_live(conn, people) if people else {}
    sends = [
        *(
            _send(
                gateway, Purpose.SURVEY, one.id, one.language,
                devices.get(one.responder_id, []), exercise=one.exercise,
            )
            for one in asked
        ),
        *(
            _send(
                gateway, Purpose.REMINDER, one.id, one.language,
                devices.get(one.responder_id, []),
            )
            for one in reminded
        ),
    ]  # fmt: skip
    return sum(await asyncio.gather(*sends))


async def _send(
    gateway: channels.Gateway,
    purpose: Purpose,
    subject_id: UUID,
    language: str,
    devices: list[push_devices.Device],
    *,
    exercise: bool = False,
) -> bool:
    message = Message(
        key=subject_id,
        purpose=purpose,
        alert_id=subject_id,
        kind=states.Kind.OTHER,
        exercise=exercise,
        language=language,
        org="",
        ttl_s=int(FRESH_FOR.total_seconds()),
        devices=tuple(channels.Device(d.id, d.endpoint, d.p256dh, d.auth) for d in devices),
    )
    if not devices or (exercise and not gateway.is_test):
        return False
    try:
        await gateway.send(message)
    except Undelivered:
        return False
    return True
