"""The ladder climbed with real gateways on this machine and clocks passed in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redis.asyncio
import sqlalchemy as sa
from gateways import all_of_them
from gateways.double import Reply
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    alerts,
    board,
    channel_health,
    channels,
    db,
    deliveries,
    delivering,
    errors,
    gateway_receipts,
    incidents,
    outbox,
    push_devices,
    runner,
    store,
    tables,
    tasks,
)
from dispatch.ladder import Channel
from realtime import connected
from tests import factories as f

PHONES = ("138 1234 5678", "+86 139-1234-5678", "+377 93 00 00 00")


@pytest.fixture
def doubles() -> Iterator[all_of_them.Doubles]:
    """Give all gateways, running."""
    with all_of_them.running() as running:
        yield running


class Clock:
    """The time, as the test says."""

    def __init__(self, now: datetime) -> None:
        self.start = self.now = now

    def __call__(self) -> datetime:
        return self.now

    def at(self, seconds: float) -> None:
        self.now = self.start + timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Post:
    """A runner's means and the clock, with what a test does most."""

    means: delivering.Means
    clock: Clock

    async def run(self, seconds: float) -> list[str]:
        """Deliver what is due at a second; say by which channels."""
        self.clock.at(seconds)
        gone: list[str] = []
        while dues := (await delivering.take(self.means, tuple(self.means.gateways)))[0]:
            gone += [due.channel.value for due in dues if due.needless is None]
            await delivering.carry(self.means, dues)
        return sorted(gone)

    def transaction(self) -> Any:
        return self.means.database.transaction()

    async def channels(self, alert_id: UUID) -> dict[str, tuple[str, str | None]]:
        """Say how far each channel of an alert has come, as the operator's board shows it."""
        async with self.transaction() as conn:
            alert = await store.get_alert(conn, alert_id)
        return {way.channel: (way.status, way.why) for way in alert.channels}


@pytest.fixture
async def post(
    *, database: str, redis: redis.asyncio.Redis, redis_url: str, tmp_path: Path, now: datetime,
    doubles: all_of_them.Doubles,
) -> AsyncIterator[Post]:  # fmt: skip
    """Give a runner's means on a fresh database, every channel on."""
    clock = Clock(now)
    settings = all_of_them.read(doubles, database, redis_url, tmp_path)
    engine = db.make_engine(database)
    async with channels.gateways(settings, clock) as gateways:
        means = delivering.Means(
            db.Database(engine, None), gateways, redis, settings.base_url, clock
        )
        await runner.watch_channels(means, {c: g.is_test for c, g in gateways.items()})
        yield Post(means, clock)
    await engine.dispose()


async def _scene(post: Post, *, people: int = 1, exercise: bool = False) -> f.Scene:
    """Make an incident with people who have phones, and are no invention."""
    async with post.transaction() as conn:
        scene = await f.make_scene(conn, people=people, now=post.clock())
        if exercise:
            await conn.execute(sa.update(tables.incident).values(exercise=True))
        for number, person in enumerate(scene.responders):
            await conn.execute(
                sa.update(tables.person)
                .where(tables.person.c.id == person)
                .values(phone=PHONES[number % len(PHONES)], is_invented=False)
            )
    return scene


async def _subscribe(post: Post, doubles: all_of_them.Doubles, person: UUID) -> str:
    device = doubles.push.subscribe()
    async with post.transaction() as conn:
        await push_devices.add(
            conn, person, endpoint=device["endpoint"], now=post.clock(), **device["keys"]
        )
    token: str = device["endpoint"].rpartition("/")[2]
    return token


async def _send(post: Post, scene: f.Scene) -> list[store.Alert]:
    async with post.transaction() as conn:
        sent = await f.send(conn, scene, named=scene.responders, now=post.clock())
    return list(sent.alerts)


async def test_CHN_1_each_rung_goes_at_its_second_to_whoever_can_be_reached_by_it(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await _scene(post)
    await _subscribe(post, doubles, scene.responders[0])
    async with post.transaction() as conn:
        await push_devices.set_contacts(conn, scene.responders[0], {"wecom": "zhang"})
    [alert] = await _send(post, scene)
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
    scene = await _scene(post)
    token = await _subscribe(post, doubles, scene.responders[0])
    [alert] = await _send(post, scene)
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
    scene = await _scene(post)
    token = await _subscribe(post, doubles, scene.responders[0])
    doubles.push.gone.add(token)
    [alert] = await _send(post, scene)
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
    scene = await _scene(post)
    await _subscribe(post, doubles, scene.responders[0])
    doubles.push.instead.append(reply)
    [alert] = await _send(post, scene)
    await post.run(0)
    status, told = (await post.channels(alert.id))["web_push"]
    assert (status, told) == ("failed" if again_at is None else "queued", why)
    if again_at is not None:
        assert await post.run(again_at - 0.1) == []
    assert await post.run(again_at or 4) == ([] if again_at is None else ["web_push"])


async def test_CHN_3_one_phone_of_several_is_enough(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await _scene(post)
    dead = await _subscribe(post, doubles, scene.responders[0])
    well = await _subscribe(post, doubles, scene.responders[0])
    doubles.push.gone.add(dead)
    [alert] = await _send(post, scene)
    await post.run(0)
    assert [shown.token for shown in doubles.push.shown] == [well]
    assert (await post.channels(alert.id))["web_push"] == ("sent", None)
    async with post.transaction() as conn:
        standing = await push_devices.standing(conn, scene.responders[0])
    assert standing == {"state": "ok", "devices": 1}


async def test_CHN_3_a_messengers_own_troubles(post: Post, doubles: all_of_them.Doubles) -> None:
    scene = await _scene(post)
    async with post.transaction() as conn:
        await push_devices.set_contacts(conn, scene.responders[0], {"wecom": "zhang"})
    [alert] = await _send(post, scene)
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
    scene = await _scene(post, people=2)
    for person in scene.responders:
        await _subscribe(post, doubles, person)
    await connected.say(redis, [str(person) for person in scene.responders], now=post.clock())
    asked = await _send(post, scene)
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
    scene = await _scene(post)
    [alert] = await _send(post, scene)
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
    scene = await _scene(post)
    await _subscribe(post, doubles, scene.responders[0])
    [alert] = await _send(post, scene)
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
    scene = await _scene(post)
    [alert] = await _send(post, scene)
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
    scene = await _scene(post)
    doubles.aliyun.instead.extend([Reply(503)] * 40)
    [alert] = await _send(post, scene)
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
    scene = await _scene(post, exercise=why == "exercise")
    await _subscribe(post, doubles, scene.responders[0])
    async with post.transaction() as conn:
        await conn.execute(sa.update(tables.channel).values(is_test=False))
        if why == "invented":
            await conn.execute(sa.update(tables.person).values(is_invented=True))
    [alert] = await _send(post, scene)
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
    scene = await _scene(post, exercise=True)
    await _subscribe(post, doubles, scene.responders[0])
    accounts = {"wecom": "zhang", "dingtalk": "zhang", "feishu": "ou_zhang"}
    async with post.transaction() as conn:
        await push_devices.set_contacts(conn, scene.responders[0], accounts)
    await _send(post, scene)
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


async def test_CHN_9_two_runners_send_a_message_once(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await _scene(post, people=6)
    await _send(post, scene)
    everything = tuple(post.means.gateways)
    taken = await asyncio.gather(*(delivering.take(post.means, everything) for _ in range(4)))
    ids = [due.id for dues, _ in taken for due in dues]
    assert len(ids) == len(set(ids)) == 6
    await asyncio.gather(*(delivering.carry(post.means, dues) for dues, _ in taken))
    assert len(doubles.aliyun.messages) == 6


async def test_CHN_9_a_runner_that_dies_with_a_message_leaves_it_to_another(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await _scene(post)
    token = await _subscribe(post, doubles, scene.responders[0])
    [alert] = await _send(post, scene)
    lost, _ = await delivering.take(post.means, tuple(post.means.gateways))
    assert await post.run(7.9) == []
    assert await post.run(8.1) == ["sms", "web_push"]
    # The first one wakes up and sends what it had: the gateway knows the key, the phone the tag.
    await delivering.carry(post.means, lost)
    assert {message["out_id"] for message in doubles.aliyun.messages} == {
        due.id.hex for due in lost if due.channel is Channel.SMS
    }
    tags = {shown.content["notification"]["tag"] for shown in doubles.push.shown}
    assert (tags, {shown.token for shown in doubles.push.shown}) == ({str(alert.id)}, {token})
    async with post.transaction() as conn:
        rows = await conn.execute(
            sa.select(tables.delivery.c.token, tables.delivery.c.status).where(
                tables.delivery.c.channel == "sms"
            )
        )
    assert rows.all() == [(2, "sent")]


async def test_CHN_9_what_an_older_runner_reports_is_not_taken(post: Post) -> None:
    scene = await _scene(post)
    [alert] = await _send(post, scene)
    lost, _ = await delivering.take(post.means, [Channel.SMS])
    post.clock.at(8.5)
    again, _ = await delivering.take(post.means, [Channel.SMS])
    assert again[0].token == lost[0].token + 1
    async with post.transaction() as conn:
        failed = outbox.Outcome(lost[0], deliveries.Status.FAILED, why="timeout")
        await outbox.record(conn, scene.incident.id, [failed], now=post.clock())
    assert (await post.channels(alert.id))["sms"] == ("queued", None)


async def test_CHN_10_receipts_count_in_any_order_and_twice(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await _scene(post)
    [alert] = await _send(post, scene)
    await post.run(0)
    key = UUID(hex=doubles.aliyun.messages[0]["out_id"])

    async def report(failure: str | None) -> tuple[str, str | None]:
        async with post.transaction() as conn:
            assert await gateway_receipts.arrived(conn, key, failure=failure, now=post.clock())
        return (await post.channels(alert.id))["sms"]

    assert await report("MK:0001") == ("failed", "MK:0001")
    assert await report(None) == ("delivered", None)
    assert await report("MK:0001") == ("delivered", None)
    assert await report(None) == ("delivered", None)
    async with post.transaction() as conn:
        assert not await gateway_receipts.arrived(
            conn, store.new_id(), failure=None, now=post.clock()
        )


async def test_CHN_11_a_gateway_that_takes_all_and_delivers_none_is_found_out(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await _scene(post, people=5)
    async with post.transaction() as conn:
        await conn.execute(
            sa.insert(tables.membership).values(
                person_id=scene.operator, org_id=scene.org_id, role="operator"
            )
        )
    asked = await _send(post, scene)
    await post.run(0)
    assert await post.run(15) == ["voice"] * 5  # the next channel goes at its second
    post.clock.at(59)
    async with post.transaction() as conn:
        assert await channel_health.check(conn, now=post.clock()) == []
    post.clock.at(61)
    async with post.transaction() as conn:
        changed = await channel_health.check(conn, now=post.clock())
        shown = await board.org_board(conn, scene.org_code)
        task = await conn.scalar(
            sa.select(tables.task.c.body).where(tables.task.c.kind == tasks.Kind.CHANNEL.value)
        )
    assert [one.name for one in changed] == ["sms"]
    assert task == {"channel": "sms"}
    assert [one["channel"] for one in shown["channels"]] == ["sms"]
    key = UUID(hex=doubles.aliyun.messages[0]["out_id"])
    async with post.transaction() as conn:
        await gateway_receipts.arrived(conn, key, failure=None, now=post.clock())
        changed = await channel_health.check(conn, now=post.clock())
        shown = await board.org_board(conn, scene.org_code)
    assert [(one.name, one.flagged_at) for one in changed] == [("sms", None)]
    assert shown["channels"] == []
    assert {(await post.channels(alert.id))["sms"][0] for alert in asked} == {"sent", "delivered"}


async def test_CHN_12_a_gateway_that_hangs_holds_only_its_own_channel(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await _scene(post)
    async with post.transaction() as conn:
        await push_devices.set_contacts(conn, scene.responders[0], {"wecom": "zhang"})
    [alert] = await _send(post, scene)
    doubles.aliyun.answers.clear()
    dues, _ = await delivering.take(post.means, tuple(post.means.gateways))
    hanging = asyncio.create_task(delivering.carry(post.means, dues))
    assert await post.run(5) == ["wecom"]
    assert (await post.channels(alert.id))["wecom"] == ("sent", None)
    doubles.aliyun.answers.set()
    await hanging
    assert (await post.channels(alert.id))["sms"] == ("sent", None)


async def test_CHN_13_group_robots_get_one_message_for_an_incident(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await _scene(post, people=3)
    async with post.transaction() as conn:
        for number, person in enumerate(scene.responders):
            await push_devices.set_contacts(conn, person, {"dingtalk": f"user{number}"})
    asked = await _send(post, scene)
    await post.run(5)
    [message] = doubles.dingtalk.shown
    assert sorted(message["to"]) == ["user0", "user1", "user2"]
    assert "/a/" not in message["text"]  # a group may not answer for one of its members
    assert "米" not in message["text"]
    assert f"机构{scene.org_code}" in message["text"]
    assert {(await post.channels(alert.id))["dingtalk"][0] for alert in asked} == {"sent"}


async def test_CHN_14_a_dead_device_is_told_within_a_day(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await _scene(post, people=3)
    well, silent, gone = scene.responders
    tokens = {person: await _subscribe(post, doubles, person) for person in scene.responders}
    doubles.push.gone.add(tokens[gone])
    week = 7 * 86_400
    post.clock.at(week)
    await runner.probe_devices(post.means)
    probes = {shown.token: shown for shown in doubles.push.shown}
    assert set(probes) == {tokens[well], tokens[silent]}
    assert probes[tokens[well]].content["notification"]["silent"] is True
    assert probes[tokens[well]].urgency == "low"
    async with post.transaction() as conn:
        code = probes[tokens[well]].content["code"]
        assert await gateway_receipts.pushed(conn, code, now=post.clock())
        with pytest.raises(errors.NotFound):
            await gateway_receipts.pushed(conn, "x" * 22, now=post.clock())
        tasked = await _unreachable(conn)
    assert tasked == [gone]
    post.clock.at(week + 86_400)
    await runner.probe_devices(post.means)
    await runner.probe_devices(post.means)
    async with post.transaction() as conn:
        assert sorted(await _unreachable(conn)) == sorted([gone, silent])
        states_ = [(await push_devices.standing(conn, p))["state"] for p in scene.responders]
    assert states_ == ["ok", "dead", "dead"]


async def _unreachable(conn: AsyncConnection) -> list[UUID]:
    rows = await conn.execute(
        sa.select(tables.task.c.subject_id).where(
            tables.task.c.kind == tasks.Kind.UNREACHABLE.value
        )
    )
    return list(rows.scalars())


async def test_CARE_2_a_question_is_pushed_once_and_says_nothing_of_the_mission(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await _scene(post)
    await _subscribe(post, doubles, scene.responders[0])
    async with post.transaction() as conn:
        survey = tables.survey
        await conn.execute(
            sa.insert(survey).values(
                id=store.new_id(), responder_id=scene.responders[0], round=1,
                incident_id=scene.incident.id, asked_at=post.clock(),
            )
        )  # fmt: skip
    await runner.probe_devices(post.means)
    await runner.probe_devices(post.means)
    [shown] = doubles.push.shown
    assert shown.content["notification"]["title"] in {"您还好吗？", "How are you?"}
    assert shown.content["purpose"] == "survey"
    assert str(scene.incident.id) not in str(shown.content)
