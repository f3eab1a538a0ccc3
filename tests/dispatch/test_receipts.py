"""Messages between runners and gateways: sent once, confirmed in any order, gateways that fail."""

from __future__ import annotations

import asyncio
from uuid import UUID

import sqlalchemy as sa
from gateways import all_of_them

from dispatch import (
    board,
    channel_health,
    deliveries,
    delivering,
    events,
    gateway_receipts,
    outbox,
    push_devices,
    store,
    tables,
    tasks,
)
from dispatch.ladder import Channel
from tests.post import Post, scene_of, send, subscribe


async def test_CHN_9_two_runners_send_a_message_once(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await scene_of(post, people=6)
    await send(post, scene)
    everything = tuple(post.means.gateways)
    taken = await asyncio.gather(*(delivering.take(post.means, everything) for _ in range(4)))
    ids = [due.id for dues, _ in taken for due in dues]
    assert len(ids) == len(set(ids)) == 6
    await asyncio.gather(*(delivering.carry(post.means, dues) for dues, _ in taken))
    assert len(doubles.aliyun.messages) == 6


async def test_CHN_9_a_runner_that_dies_with_a_message_leaves_it_to_another(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await scene_of(post)
    token = await subscribe(post, doubles, scene.responders[0])
    [alert] = await send(post, scene)
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
    scene = await scene_of(post)
    [alert] = await send(post, scene)
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
    scene = await scene_of(post)
    [alert] = await send(post, scene)
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
    scene = await scene_of(post, people=5)
    async with post.transaction() as conn:
        await conn.execute(
            sa.insert(tables.membership).values(
                person_id=scene.operator, org_id=scene.org_id, role="operator"
            )
        )
    asked = await send(post, scene)
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
    # A second one that falls silent is not hidden by the first.
    post.clock.at(80)
    async with post.transaction() as conn:
        assert [one.name for one in await channel_health.check(conn, now=post.clock())] == ["voice"]
        open_tasks = (await conn.execute(sa.select(tables.task.c.body))).scalars()
        assert [task["channel"] for task in open_tasks] == ["sms", "voice"]
    key = UUID(hex=doubles.aliyun.messages[0]["out_id"])
    async with post.transaction() as conn:
        await gateway_receipts.arrived(conn, key, failure=None, now=post.clock())
        changed = await channel_health.check(conn, now=post.clock())
        shown = await board.org_board(conn, scene.org_code)
    assert [(one.name, one.flagged_at) for one in changed] == [("sms", None)]
    assert [one["channel"] for one in shown["channels"]] == ["voice"]
    assert {(await post.channels(alert.id))["sms"][0] for alert in asked} == {"sent", "delivered"}


async def test_CHN_11_an_idle_console_shows_when_each_channel_was_last_proved(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    await send(post, await scene_of(post))
    await post.run(0)
    key = UUID(hex=doubles.aliyun.messages[0]["out_id"])
    async with post.transaction() as conn:
        await gateway_receipts.arrived(conn, key, failure=None, now=post.clock())
        shown = await channel_health.proofs(conn, now=post.clock())
    proofs = {one["channel"]: one["proved_at"] for one in shown}
    assert list(proofs) == ["web_push", "sms", "voice", "wecom", "dingtalk", "feishu"]
    assert (proofs["sms"], proofs["voice"]) == (events.time(post.clock()), None)
    assert all(one["is_test"] and one["silent_since"] is None for one in shown)


async def test_CHN_12_a_gateway_that_hangs_holds_only_its_own_channel(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await scene_of(post)
    async with post.transaction() as conn:
        await push_devices.set_contacts(conn, scene.responders[0], {"wecom": "zhang"})
    [alert] = await send(post, scene)
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
    scene = await scene_of(post, people=3)
    async with post.transaction() as conn:
        for number, person in enumerate(scene.responders):
            await push_devices.set_contacts(conn, person, {"dingtalk": f"user{number}"})
    asked = await send(post, scene)
    await post.run(5)
    [message] = doubles.dingtalk.shown
    assert sorted(message["to"]) == ["user0", "user1", "user2"]
    assert "/a/" not in message["text"]  # a group may not answer for one of its members
    assert "米" not in message["text"]
    assert f"机构{scene.org_code}" in message["text"]
    assert {(await post.channels(alert.id))["dingtalk"][0] for alert in asked} == {"sent"}
