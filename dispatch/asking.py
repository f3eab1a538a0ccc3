"""What can wait, by other ways than the app: how somebody is, and that a certificate ends."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from dispatch import channels, delivering, ladder, push_devices, reminders, states, surveys
from dispatch.channels import Message, Undelivered
from dispatch.ladder import Channel, Purpose

#: Messages of one kind sent in one round.
AT_ONCE = 20
#: What a runner that was away finds later than this is left to the app. A certificate that ends
#: waits for the day, and over one that was missed.
FRESH_FOR = timedelta(hours=6)
REMIND_FOR = timedelta(hours=36)
#: All channels of one person, one after the other, fit into one round of the runner.
SEND_WITHIN_S = 3.0
#: Nobody has to do anything today: the ladder of the least severe.
_LEAST = max(ladder.DEFAULT)


async def push(means: delivering.Means) -> int:
    """Send the questions and reminders of the last hours once each; say how many went out."""
    return sum(await asyncio.gather(_ask(means), _remind(means)))


async def _ask(means: delivering.Means) -> int:
    gateway = means.gateways.get(Channel.WEB_PUSH)
    if gateway is None:
        return 0
    now = means.clock()
    async with means.database.transaction() as conn:
        asked = await surveys.take_unpushed(conn, limit=AT_ONCE, since=now - FRESH_FOR, now=now)
        devices = await push_devices.list_live(conn, [one.responder_id for one in asked])
    sends = [
        _send(
            gateway,
            _message(
                Purpose.SURVEY, one.id, one.language, devices.get(one.responder_id, ()),
                exercise=one.exercise,
            ),
        )
        for one in asked
        if one.responder_id in devices and (gateway.is_test or not one.exercise)
    ]  # fmt: skip
    return sum(await asyncio.gather(*sends))


async def _remind(means: delivering.Means) -> int:
    ways = [
        means.gateways[one]
        for one in ladder.personal(ladder.DEFAULT[_LEAST])
        if one in means.gateways
    ]
    if not ways:
        return 0
    now = means.clock()
    async with means.database.transaction() as conn:
        told = await reminders.take_untold(conn, limit=AT_ONCE, since=now - REMIND_FOR, now=now)
        devices = await push_devices.list_live(conn, [one.responder_id for one in told])
    link = f"{means.base_url}/go"
    climbs = [_climb(ways, one, devices.get(one.responder_id, ()), link) for one in told]
    return sum(await asyncio.gather(*climbs))


async def _climb(
    ways: Sequence[channels.Gateway],
    told: reminders.Untold,
    devices: Sequence[push_devices.Device],
    link: str,
) -> bool:
    """Tell somebody by the first way that takes it."""
    message = _message(
        Purpose.REMINDER, told.id, told.language, devices, org=told.org, link=link,
        phone=told.phone, accounts=(told.wecom,) if told.wecom else (),
    )  # fmt: skip
    for gateway in ways:
        if _is_open(gateway, told) and await _send(gateway, message):
            return True
    return False


def _is_open(gateway: channels.Gateway, told: reminders.Untold) -> bool:
    match gateway.channel:
        case Channel.WEB_PUSH:
            return told.can_push
        case Channel.WECOM:
            return bool(told.wecom)
        case _:  # an invented person's number may be somebody's
            return bool(told.phone) and (gateway.is_test or not told.is_invented)


def _message(
    purpose: Purpose,
    subject_id: UUID,
    language: str,
    devices: Sequence[push_devices.Device],
    *,
    exercise: bool = False,
    org: str = "",
    link: str = "",
    phone: str = "",
    accounts: tuple[str, ...] = (),
) -> Message:
    return Message(
        key=subject_id,
        purpose=purpose,
        alert_id=subject_id,
        kind=states.Kind.OTHER,
        exercise=exercise,
        language=language,
        org=org,
        ttl_s=int(FRESH_FOR.total_seconds()),
        link=link,
        phone=phone,
        accounts=accounts,
        devices=tuple(channels.Device(d.id, d.endpoint, d.p256dh, d.auth) for d in devices),
    )


async def _send(gateway: channels.Gateway, message: Message) -> bool:
    try:
        async with asyncio.timeout(SEND_WITHIN_S):
            await gateway.send(message)
    except (Undelivered, TimeoutError):
        return False
    return True
