"""What consoles are told of the channels, and the rules of the ladder and of what may be called."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from gateways import aliyun, double
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import channel_health, deliveries, ladder, matching, outbox, outside, states, tables
from dispatch.channels import Message, Undelivered, numbers, outgoing, sms, texts
from dispatch.deliveries import Status
from dispatch.ladder import Channel, Purpose, Rung, Unless
from tests import factories as f
from tests.dispatch.verify import verify_action


async def _with_sms(conn: AsyncConnection, now: datetime) -> tuple[f.Scene, UUID]:
    """Ask one person while only SMS is on, and give the key of the message."""
    await channel_health.announce(conn, {Channel.SMS: True}, now=now)
    scene = await f.make_scene(conn, people=1, now=now)
    await conn.execute(sa.update(tables.person).values(phone="13812345678"))
    await f.send(conn, scene, named=scene.responders, now=now)
    key: UUID = await conn.scalar(
        sa.select(tables.delivery.c.id).where(
            _IS_SMS,
            tables.delivery.c.responder_id == scene.responders[0],
        )
    )
    return scene, key


async def _copies(conn: AsyncConnection, count: int) -> None:
    """Make more of the one SMS, as if it had gone out for other purposes."""
    row = (await conn.execute(sa.select(tables.delivery).where(_IS_SMS))).mappings().one()
    await conn.execute(
        sa.insert(tables.delivery),
        [{**row, "id": uuid4(), "purpose": f"copy{number}"} for number in range(count)],
    )


_IS_SMS = tables.delivery.c.channel == "sms"


async def test_CHN_10_consoles_are_told_how_far_each_channel_came(
    conn: AsyncConnection, now: datetime
) -> None:
    scene, key = await _with_sms(conn, now)
    topics = [f"org:{scene.org_code}", f"incident:{scene.incident.id}"]
    async with verify_action(conn, topics, golden="delivery_changed", now=now):
        await outbox.take_receipt(conn, key, Status.DELIVERED, now=now)


async def test_CHN_11_boards_are_told_of_a_silent_channel(
    conn: AsyncConnection, now: datetime
) -> None:
    scene, _ = await _with_sms(conn, now)
    await conn.execute(
        sa.insert(tables.membership).values(
            person_id=scene.operator, org_id=scene.org_id, role="operator"
        )
    )
    rows = sa.update(tables.delivery).where(_IS_SMS)
    await conn.execute(rows.values(status="sent", sent_at=now - timedelta(minutes=2)))
    assert await channel_health.check(conn, now=now) == []  # one message alone is no proof
    await _copies(conn, 4)
    async with verify_action(conn, [f"org:{scene.org_code}"], golden="channels_changed", now=now):
        [sms] = await channel_health.check(conn, now=now)
    assert (sms.name, sms.flagged_at, sms.sent) == ("sms", now - timedelta(minutes=2), 5)


@given(
    st.lists(
        st.builds(
            Rung,
            st.sampled_from(Channel),
            st.floats(0, 600),
            st.none() | st.floats(0, 600),
            st.sampled_from(Unless),
            st.lists(st.sampled_from(states.Kind), max_size=2).map(tuple),
        ),
        max_size=12,
    ),
    st.sampled_from(states.Kind),
)
def test_CHN_1_a_ladder_has_each_channel_once_and_the_live_one_first(
    rungs: list[Rung], kind: states.Kind
) -> None:
    chosen = ladder.choose(rungs, kind)
    assert chosen[0].channel is Channel.LIVE
    assert len({rung.channel for rung in chosen}) == len(chosen)
    assert all(not rung.kinds or kind in rung.kinds for rung in chosen)


def test_CHN_1_the_ladder_is_part_of_the_policys_document() -> None:
    policy = matching.Policy()
    assert matching.Policy.from_document(policy.document()) == policy
    urgent = {rung.channel: rung for rung in policy.rungs(1)}
    assert (urgent[Channel.WEB_PUSH].after_s, urgent[Channel.WEB_PUSH].connected_after_s) == (0, 8)
    assert (urgent[Channel.SMS].after_s, urgent[Channel.VOICE].after_s) == (0, 15)
    assert Channel.VOICE not in {rung.channel for rung in policy.rungs(3)}


def test_CHN_10_receipts_only_raise() -> None:
    assert Status.DELIVERED.value not in deliveries.BELOW[Status.DELIVERED]
    assert {"sent", "failed", "silenced"} <= set(deliveries.BELOW[Status.DELIVERED])
    assert set(deliveries.BELOW[Status.ACTED]) > set(deliveries.BELOW[Status.SEEN])


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("138 1234 5678", "13812345678"),
        ("+86 138-1234-5678", "13812345678"),
        ("0086 13812345678", "13812345678"),
        ("+377 93 00 00 00", "37793000000"),
        ("0716-8012345", None),
        ("12345", None),
        ("+86 12345678901", None),
        ("", None),
        ("13812345678; drop", None),
    ],
)
def test_CHN_21_numbers_are_written_as_gateways_take_them(text: str, number: str | None) -> None:
    assert numbers.dialable(text) == number


def _message(**more: object) -> Message:
    plain = {
        "key": UUID(int=1), "purpose": Purpose.ALERT, "alert_id": UUID(int=2),
        "kind": states.Kind.CARDIAC_ARREST, "exercise": False, "language": "zh", "org": "",
        "ttl_s": 60, "distance_m": 850, "link": "https://x.cn/a/" + "c" * 22,
    }  # fmt: skip
    return Message(**{**plain, **more})  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize("kind", list(states.Kind))
def test_CHN_21_an_sms_fits_into_one_part(kind: states.Kind) -> None:
    message = _message(kind=kind)
    values = sms.template_values(message)
    text = "【某市红十字会】" + aliyun.TEMPLATES["SMS_1"]
    for name, value in values.items():
        text = text.replace("${" + name + "}", value)
    assert "$" not in text
    assert len(text) <= 70, text


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("purpose", list(Purpose))
def test_CHN_8_every_text_of_an_exercise_begins_with_it(purpose: Purpose, language: str) -> None:
    message = _message(purpose=purpose, exercise=True, language=language)
    marks = {"zh": "【演练】", "en": "[EXERCISE] "}
    assert texts.whole(message).startswith(marks[language])
    assert marks[language] not in texts.whole(_message(purpose=purpose, language=language))


class Hostile(double.Double):
    """A gateway that answers whatever it is told."""

    def take(self, _request: double.Request) -> double.Reply:
        return double.Reply(200, b"{}")


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    """Give a gateway that means no good."""
    gateway = Hostile()
    with gateway.running():
        yield gateway


async def _read(hostile: Hostile) -> None:
    async with outgoing.client() as http:
        hosts = {f"127.0.0.1:{hostile.port}"}
        answer = await outgoing.call(http, "POST", hostile.url, hosts=hosts)
    outgoing.refuse(answer)
    answer.json()


async def _why(hostile: Hostile, reply: double.Reply) -> Undelivered:
    hostile.instead.append(reply)
    with pytest.raises(Undelivered) as caught:
        await _read(hostile)
    return caught.value


async def test_CHN_20_what_gateways_answer_is_bounded_and_checked(hostile: Hostile) -> None:
    big = await _why(hostile, double.Reply(200, b"x" * 70_000))
    assert big.why == "answer_too_big"
    moved = await _why(hostile, double.Reply(302, b"", {"location": "http://169.254.169.254/"}))
    assert (moved.why, moved.is_final) == ("http_302", True)
    assert len(hostile.requests) == 2  # the redirect was not followed
    slow = await _why(hostile, double.Reply(429, b"", {"retry-after": "7"}))
    assert (slow.is_final, slow.retry_after_s) == (False, 7.0)
    endless = await _why(hostile, double.Reply(503, b"", {"retry-after": "9" * 30}))
    assert endless.retry_after_s == outgoing.RETRY_AFTER_MOST_S
    for body in (b"not json", b"[1]", b"\xff", b"[" * 5000):
        wrong = await _why(hostile, double.Reply(200, body))
        assert wrong.why == "bad_answer"


async def test_CHN_20_a_host_that_is_not_listed_is_never_called(hostile: Hostile) -> None:
    async with outgoing.client() as http:
        for url in (hostile.url, f"http://localhost:{hostile.port}/", "https://evil.example/"):
            with pytest.raises(Undelivered) as caught:
                await outgoing.call(http, "POST", url, hosts=outside.PUSH_HOSTS)
            assert (caught.value.why, caught.value.is_final) == ("host_not_allowed", True)
    assert hostile.requests == []


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://fcm.googleapis.com/fcm/send/abc", True),
        ("https://updates.push.services.mozilla.com/wpush/v2/abc", True),
        ("https://web.push.apple.com/QGv", True),
        ("https://wns2-by3p.notify.windows.com/w/?token=x", True),
        ("https://notify.windows.com.evil.example/", False),
        ("https://evilnotify.windows.com.example/", False),
        ("https://web.push.apple.com:444/", False),
        ("http://web.push.apple.com/", False),
        ("https://web.push.apple.com.", False),
        ("https://127.1/", False),
        ("https://[::ffff:127.0.0.1]/", False),
        ("https://\u3002example/", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_CHN_20_push_services_are_known_by_their_whole_name(url: str, is_allowed: bool) -> None:
    assert outside.is_allowed(url, outside.PUSH_HOSTS) is is_allowed
