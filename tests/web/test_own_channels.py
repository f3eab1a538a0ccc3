"""By which channels a call reaches me, and when each was last proved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from callers import Enrol, Member, alerted, opened

from dispatch import channel_health, db, events, push_devices, tables
from dispatch.ladder import Channel
from web.api import own_channels

CHANNELS = "/api/v1/me/channels"


@pytest.fixture
def now() -> datetime:
    """Give one time to a whole test; the database keeps no less."""
    return datetime.now(UTC).replace(microsecond=0)


async def _standing(person: Member) -> dict[str, tuple[str, str | None]]:
    answer = await person.http.get(CHANNELS)
    shown = own_channels.ChannelsShape.model_validate(answer.json())
    return {one.channel: (one.state, one.heard_at) for one in shown.items}


async def test_PHN_8_each_channel_says_how_it_stands_and_when_it_was_proved(
    enrol: Enrol, volunteer: Enrol, store: db.Database, now: datetime
) -> None:
    operator, person = await enrol("operator"), await volunteer()
    assert {state for state, _ in (await _standing(person)).values()} == {"off"}
    on = dict.fromkeys((Channel.WEB_PUSH, Channel.SMS, Channel.VOICE, Channel.WECOM), True)
    async with store.transaction() as conn:
        await channel_health.announce(conn, on, now=now)
        await conn.execute(
            sa.update(tables.channel)
            .where(tables.channel.c.name == Channel.VOICE)
            .values(flagged_at=now)
        )
        await conn.execute(sa.update(tables.person).values(phone=None))
    nothing = await _standing(person)
    assert [nothing[name][0] for name in ("web_push", "sms", "wecom", "feishu")] == [
        "none", "none", "none", "off",
    ]  # fmt: skip
    await alerted(operator, await opened(operator))
    async with store.transaction() as conn:
        await conn.execute(sa.update(tables.person).values(phone="+8613800000000"))
        await conn.execute(
            sa.insert(tables.contact).values(
                person_id=person.id, channel="wecom", account="somebody"
            )
        )
        await conn.execute(
            sa.update(tables.delivery)
            .where(tables.delivery.c.channel == Channel.SMS)
            .values(status="delivered", why=None, delivered_at=now)
        )
    reached = await _standing(person)
    assert reached["sms"] == ("ready", events.time(now))
    assert (reached["voice"][0], reached["wecom"]) == ("silent", ("ready", None))


async def test_PHN_8_the_answer_to_the_silent_check_is_the_proof_of_web_push(
    volunteer: Enrol, store: db.Database, now: datetime
) -> None:
    person = await volunteer()
    async with store.transaction() as conn:
        await channel_health.announce(conn, {Channel.WEB_PUSH: True}, now=now)
        device = await push_devices.add(
            conn, person.id, endpoint="https://push.example/a", p256dh="x" * 20, auth="y" * 20,
            now=now - timedelta(days=8),
        )  # fmt: skip
        code = push_devices.new_code()
        await push_devices.note_asked(conn, device, code, now=now)
        assert await push_devices.note_heard(conn, code, now=now)
    assert (await _standing(person))["web_push"] == ("ready", events.time(now))
    async with store.transaction() as conn:
        await push_devices.mark_gone(conn, [device], now=now)
    assert (await _standing(person))["web_push"][0] == "dead"
