"""Web push to whoever has just been asked how they are, so that nobody has to look by chance."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from dispatch import channels, delivering, push_devices, states, surveys
from dispatch.channels import Message, Undelivered
from dispatch.ladder import Channel, Purpose

#: Questions pushed in one round.
AT_ONCE = 20
#: What a runner that was away finds later than this is left to the app.
FRESH_FOR = timedelta(hours=6)


async def push(means: delivering.Means) -> int:
    """Push the questions of the last hours once each, and say how many went out."""
    gateway = means.gateways.get(Channel.WEB_PUSH)
    if gateway is None:
        return 0
    now = means.clock()
    async with means.database.transaction() as conn:
        asked = await surveys.take_unpushed(conn, limit=AT_ONCE, since=now - FRESH_FOR, now=now)
        people = [one.responder_id for one in asked]
        devices = await push_devices.list_live(conn, people) if people else {}
    sends = (_send(gateway, one, devices.get(one.responder_id, [])) for one in asked)
    return sum(await asyncio.gather(*sends))


async def _send(
    gateway: channels.Gateway, one: surveys.Unpushed, devices: list[push_devices.Device]
) -> bool:
    message = Message(
        key=one.id,
        purpose=Purpose.SURVEY,
        alert_id=one.id,
        kind=states.Kind.OTHER,
        exercise=one.exercise,
        language=one.language,
        org="",
        ttl_s=int(FRESH_FOR.total_seconds()),
        devices=tuple(channels.Device(d.id, d.endpoint, d.p256dh, d.auth) for d in devices),
    )
    if not devices or (one.exercise and not gateway.is_test):
        return False
    try:
        await gateway.send(message)
    except Undelivered:
        return False
    return True
