"""The ladder climbed with real gateways on this machine and clocks passed in."""

from __future__ import annotations

import pytest
import redis.asyncio
import sqlalchemy as sa
from gateways import all_of_them
from gateways.double import Reply

from dispatch import (
    alerts,
    board,
    incidents,
    push_devices,
    tables,
)
from dispatch.ladder import Channel
from realtime import connected
from tests import factories as f
from tests.post import Post, scene_of, send, subscribe


async def test_CHN_1_each_rung_goes_at_its_second_to_whoever_can_be_reached_by_it(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await scene_of(post)
    await subscribe(post, doubles, scene.responders[0])
    async with post.transaction() as conn:
        await push_devices.set_contacts(conn, scene.responders[0], {"wecom": "zhang"})
    [alert] = await send(post, scene)
    assert await post.run(0) == ["sms", "web_push"]
    assert await post.run(4.9) == []
    assert await post.run(5) == ["wecom"]
    assert await post.run(14.9) == []
    assert await post.run(15) == ["voice"]
    assert [message["phone"] for message in doubles.aliyun.messages] == ["13812345678"]
    assert doubles.aliyun.calls[0]["keys"] == {"1", "2"}
    assert doubles.wecom.shown[0]["to"] == "zhang"
    ways = await post.channels(alert.id)
    assert {name: status for name, (status, _) in ways.items()} == {
        "live": "queued", "web_push": "sent", "sms": "sent", "wecom": "sent", "voice": "sent",
    }  # fmt: skip
    refused = [d.refusals for d in (doubles.push, doubles.aliyun, doubles.wecom)]
    assert refused == [[], [], []]


async def test_CHN_2_a_push_is_sealed_for_the_phone_and_names_nobody(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await scene_of(post)
    token = await subscribe(post, doubles, scene.responders[0])
    [alert] = await send(post, scene)
    await post.run(0)
    [shown] = doubles.push.shown
    assert (shown.token, shown.urgency, shown.ttl) == (token, "high", 60)
    assert shown.content["web_push"] == 8030
    assert shown.content["notification"]["tag"] == str(alert.id)
    assert shown.content["notification"]["navigate"] == "https://x.cn/go"
    text = str(shown.content)
    assert "Quai" not in text
    assert "1381234" not in text
    assert "43.7" not in text
    assert alert.name not in text
    raw = doubles.push.requests[0].body
    assert str(alert.id).encode() not in raw


async def test_CHN_3_a_dead_channel_delays_no_other_and_says_why(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await scene_of(post)
    token = await subscribe(post, doubles, scene.responders[0])
    doubles.push.gone.add(token)
    [alert] = await send(post, scene)
    await post.run(0)
    doubles.aliyun.instead.append(Reply(503))
    assert await post.run(15) == ["voice"]
    ways = await post.channels(alert.id)
    assert ways["web_push"] == ("failed", "gone")
    assert ways["sms"] == ("sent", None)
    assert ways["voice"] == ("queued", "http_503")
    await post.run(16)
    assert (await post.channels(alert.id))["voice"] == ("sent", None)
    async with post.transaction() as conn:
        assert (await push_devices.standing(conn, scene.responders[0]))["state"] == "dead"
        card = await board.incident_card(conn, scene.incident.id)
    told = {way["channel"]: way["why"] for way in card["alerts"][str(alert.id)]["channels"]}
    assert told["web_push"] == "gone"


@pytest.mark.parametrize(
    ("reply", "why", "again_at"),
    [
        (Reply(429, b"", {"retry-after": "3"}), "http_429", 3),
        (Reply(500), "http_500", 1),
        (Reply(413), "http_413", None),
        (Reply(404), "gone", None),
        (Reply(307, b"", {"location": "http://127.0.0.1:1/"}), "http_307", None),
    ],
)
async def test_CHN_3_what_push_services_refuse_is_tried_again_or_not(
    post: Post, doubles: all_of_them.Doubles, reply: Reply, why: str, again_at: float | None
) -> None:
    scene = await scene_of(post)
    await subscribe(post, doubles, scene.responders[0])
    doubles.push.instead.append(reply)
    [alert] = await send(post, scene)
    await post.run(0)
    status, told = (await post.channels(alert.id))["web_push"]
    assert (status, told) == ("failed" if again_at is None else "queued", why)
    if again_at is not None:
        assert await post.run(again_at - 0.1) == []
    assert await post.run(again_at or 4) == ([] if again_at is None else ["web_push"])


async def test_CHN_3_one_phone_of_several_is_enough(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await scene_of(post)
    dead = await subscribe(post, doubles, scene.responders[0])
    well = await subscribe(post, doubles, scene.responders[0])
    doubles.push.gone.add(dead)
    [alert] = await send(post, scene)
    await post.run(0)
    assert [shown.token for shown in doubles.push.shown] == [well]
    assert (await post.channels(alert.id))["web_push"] == ("sent", None)
    async with post.transaction() as conn:
        standing = await push_devices.standing(conn, scene.responders[0])
    assert standing == {"state": "ok", "devices": 1}


async def test_CHN_3_a_messengers_own_troubles(post: Post, doubles: all_of_them.Doubles) -> None:
    scene = await scene_of(post)
    async with post.transaction() as conn:
        await push_devices.set_contacts(conn, scene.responders[0], {"wecom": "zhang"})
    [alert] = await send(post, scene)
    await post.run(5)
    doubles.wecom.tokens += 1  # the token that we hold is over
    async with post.transaction() as conn:
        await conn.execute(
            sa.update(tables.delivery)
            .where(tables.delivery.c.channel == "wecom")
            .values(status="queued")
        )
    await post.run(6)
    assert (await post.channels(alert.id))["wecom"] == ("queued", "errcode_42001")
    await post.run(8)
    assert (await post.channels(alert.id))["wecom"] == ("sent", None)


async def test_CHN_4_a_connected_phone_gets_eight_seconds_to_confirm_by_itself(
    post: Post, doubles: all_of_them.Doubles, redis: redis.asyncio.Redis
) -> None:
    scene = await scene_of(post, people=2)
    for person in scene.responders:
        await subscribe(post, doubles, person)
    await connected.say(redis, [str(person) for person in scene.responders], now=post.clock())
    asked = await send(post, scene)
    assert await post.run(0) == []
    assert await post.run(7.9) == []
    async with post.transaction() as conn:
        await alerts.acknowledge(
            conn, asked[0].id, alerts.Level.RECEIVED, by=asked[0].responder_id, now=post.clock()
        )
    assert await post.run(8) == ["sms", "web_push"]
    first = await post.channels(asked[0].id)
    assert first["sms"] == first["web_push"] == ("silenced", "acknowledged")
    assert (await post.channels(asked[1].id))["sms"] == ("sent", None)


async def test_CHN_5_the_first_answer_silences_the_rest(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await scene_of(post)
    [alert] = await send(post, scene)
    await post.run(0)
    post.clock.at(10)
    async with post.transaction() as conn:
        await alerts.accept(
            conn, alert.id, via=Channel.SMS, policy=f.POLICY, by=alert.responder_id,
            now=post.clock(),
        )  # fmt: skip
    assert await post.run(15) == []
    ways = await post.channels(alert.id)
    assert (ways["sms"], ways["voice"]) == (("acted", None), ("silenced", "answered"))
    assert doubles.aliyun.calls == []


async def test_CHN_6_a_stand_down_goes_by_every_way_that_was_used(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await scene_of(post)
    await subscribe(post, doubles, scene.responders[0])
    [alert] = await send(post, scene)
    await post.run(0)
    async with post.transaction() as conn:
        await incidents.stand_down(conn, scene.incident.id, by=scene.operator, now=post.clock())
    assert await post.run(3) == ["sms", "web_push"]
    assert "解除" in doubles.aliyun.messages[-1]["text"]
    asked, stopped = doubles.push.shown
    assert stopped.topic == asked.topic
    assert stopped.content["notification"]["tag"] == str(alert.id)
    assert (await post.channels(alert.id))["voice"] == ("silenced", "stood_down")


async def test_CHN_7_late_work_is_never_sent(post: Post, doubles: all_of_them.Doubles) -> None:
    scene = await scene_of(post)
    [alert] = await send(post, scene)
    assert await post.run(60) == []
    async with post.transaction() as conn:
        await alerts.time_out(conn, scene.incident.id, policy=f.POLICY, now=post.clock())
    assert await post.run(3600) == []
    assert doubles.aliyun.messages == []
    ways = await post.channels(alert.id)
    assert ways["sms"] == ways["voice"] == ("expired", "too_late")


async def test_CHN_7_a_gateway_that_stays_away_ends_with_the_alert(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await scene_of(post)
    doubles.aliyun.instead.extend([Reply(503)] * 40)
    [alert] = await send(post, scene)
    for second in range(60):
        await post.run(second)
    status, why = (await post.channels(alert.id))["sms"]
    assert (status, why) == ("failed", "http_503")
    tries = len([r for r in doubles.aliyun.requests if r.headers["x-acs-action"] == "SendSms"])
    assert 5 <= tries <= 8


@pytest.mark.parametrize("why", ["exercise", "invented"])
async def test_CHN_8_an_exercise_or_invented_people_touch_no_live_gateway(
    post: Post, doubles: all_of_them.Doubles, why: str
) -> None:
    scene = await scene_of(post, exercise=why == "exercise")
    await subscribe(post, doubles, scene.responders[0])
    async with post.transaction() as conn:
        await conn.execute(sa.update(tables.channel).values(is_test=False))
        if why == "invented":
            await conn.execute(sa.update(tables.person).values(is_invented=True))
    [alert] = await send(post, scene)
    gone = [channel for second in (0, 8, 15) for channel in await post.run(second)]
    ways = await post.channels(alert.id)
    assert ways["sms"] == ways["voice"] == ("silenced", why)
    assert doubles.aliyun.requests == []
    # Whoever is invented has an invented number; a browser that subscribed is a real one.
    assert gone == ([] if why == "exercise" else ["web_push"])
    assert len(doubles.push.requests) == len(gone)


async def test_CHN_8_an_exercise_says_so_on_every_channel(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await scene_of(post, exercise=True)
    await subscribe(post, doubles, scene.responders[0])
    accounts = {"wecom": "zhang", "dingtalk": "zhang", "feishu": "ou_zhang"}
    async with post.transaction() as conn:
        await push_devices.set_contacts(conn, scene.responders[0], accounts)
    await send(post, scene)
    for second in (0, 5, 15):
        await post.run(second)
    texts = [
        doubles.push.shown[0].content["notification"]["title"],
        doubles.aliyun.messages[0]["text"],
        doubles.aliyun.calls[0]["spoken"]["what"],
        doubles.wecom.shown[0]["text"],
        doubles.dingtalk.shown[0]["text"],
        doubles.feishu.shown[0]["text"],
    ]
    assert ["【演练】" in text for text in texts] == [True] * len(texts)
