"""What a phone is told beside alarms: that it was lost, that something ends, how its owner is."""

from __future__ import annotations

from datetime import time, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from gateways import all_of_them
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    errors,
    gateway_receipts,
    push_devices,
    reminders,
    responders,
    runner,
    store,
    tables,
    tasks,
)
from tests import factories as f
from tests.post import Post, scene_of, subscribe


async def test_CHN_14_a_dead_device_is_told_within_a_day(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await scene_of(post, people=3)
    well, silent, gone = scene.responders
    tokens = {person: await subscribe(post, doubles, person) for person in scene.responders}
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


async def _ending(post: Post, *, people: int = 1) -> f.Scene:
    """Make people whose certificates end soon, and let housekeeping find that at night."""
    scene = await scene_of(post, people=people)
    post.clock.at(-6.5 * 3600)  # three in the morning in Monaco
    async with post.transaction() as conn:
        soon = post.clock().date() + timedelta(days=20)
        await conn.execute(sa.update(tables.certificate).values(expires_on=soon))
        told = await reminders.remind(conn, now=post.clock())
    assert {(one.responder_id, one.stage) for one in told} == {(p, 30) for p in scene.responders}
    return scene


async def test_CARE_11_that_a_certificate_ends_is_pushed_once_by_day_and_quietly(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await _ending(post)
    await subscribe(post, doubles, scene.responders[0])
    await runner.probe_devices(post.means)
    assert doubles.push.shown == []
    post.clock.at(0)  # half past nine
    await runner.probe_devices(post.means)
    await runner.probe_devices(post.means)
    [shown] = doubles.push.shown
    assert shown.content["purpose"] == "reminder"
    assert shown.content["notification"]["silent"]
    assert (doubles.aliyun.messages, doubles.wecom.shown) == ([], [])


async def test_CARE_11_who_has_no_push_is_told_by_wecom_else_by_sms(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await _ending(post, people=3)
    by_wecom, _, asleep = scene.responders
    token = await subscribe(post, doubles, by_wecom)
    doubles.push.gone.add(token)
    async with post.transaction() as conn:
        await push_devices.set_contacts(conn, by_wecom, {"wecom": "zhang"})
        await responders.set_quiet(conn, asleep, (time(8), time(12)), kinds=())
    await runner.probe_devices(post.means)
    assert (doubles.aliyun.messages, doubles.wecom.shown) == ([], [])
    post.clock.at(0)
    await runner.probe_devices(post.means)
    await runner.probe_devices(post.means)
    [said] = doubles.wecom.shown
    assert said["to"] == "zhang"
    assert "证书" in said["text"]
    [sms] = doubles.aliyun.messages
    assert "急救证书" in sms["text"]
    assert doubles.aliyun.calls == doubles.dingtalk.shown == doubles.feishu.shown == []
    post.clock.at(3 * 3600)  # half past twelve: the third is awake
    await runner.probe_devices(post.means)
    assert len(doubles.aliyun.messages) == 2
    post.clock.at(86_400)
    await runner.probe_devices(post.means)
    assert (len(doubles.wecom.shown), len(doubles.aliyun.messages)) == (1, 2)


async def test_CARE_2_a_question_is_pushed_once_and_says_nothing_of_the_mission(
    post: Post, doubles: all_of_them.Doubles
) -> None:
    scene = await scene_of(post)
    await subscribe(post, doubles, scene.responders[0])
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
