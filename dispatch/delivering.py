"""How a message leaves: taken from the outbox, sent outside any transaction, and its end recorded.

Each channel has so many hands; a gateway that hangs holds only its own.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import redis.asyncio
import structlog

from dispatch import channels, db, outbox, refusals
from dispatch.channels import Message, Undelivered
from dispatch.deliveries import Status, Why
from dispatch.ladder import Channel
from dispatch.outbox import Due, Outcome
from realtime import connected, deadline

_log = structlog.get_logger(__name__)

#: Messages of one channel on their way at once.
HANDS = 16
#: A channel takes longer than this only when its own deadline failed.
SEND_WITHIN_S = 5.0
RECORD_WITHIN_S = 3.0
#: What ends within this of the first is recorded with it.
TOGETHER_S = 0.05
#: Group robots are allowed few messages a minute: those of one incident go as one.
MERGED = frozenset({Channel.DINGTALK, Channel.FEISHU})


@dataclass(frozen=True, slots=True)
class Means:
    """What delivering needs: the database, the gateways that are on, Redis, and a clock."""

    database: db.Database
    gateways: Mapping[Channel, channels.Gateway]
    live: redis.asyncio.Redis
    base_url: str
    clock: Callable[[], datetime]
    #: What the gateways say, for whoever watches over them.
    answers: refusals.Refusals = field(default_factory=refusals.Refusals)


async def take(means: Means, open_to: Sequence[Channel]) -> tuple[list[Due], datetime | None]:
    """Take what is due on some channels, and say when to look again.

    Whoever's phone is connected gets the time to confirm by itself; of those nothing is returned.
    """
    now = means.clock()
    async with means.database.snapshot() as conn:
        next_due = await outbox.next_due(conn, open_to, now=now)
    if next_due is None or next_due > now:
        return [], next_due
    async with means.database.transaction() as conn:
        dues = await outbox.take(conn, open_to, most=HANDS, now=now)
        next_due = await outbox.next_due(conn, open_to, now=now)
    waiting = [due for due in dues if _may_wait(due, now)]
    if not waiting:
        return dues, next_due
    people = await connected.find(means.live, [str(due.responder_id) for due in waiting], now=now)
    put_off = [due for due in waiting if str(due.responder_id) in people]
    async with means.database.transaction() as conn:
        await outbox.put_off(conn, put_off)
    later = {due.id for due in put_off}
    times = [due.connected_due_at for due in put_off if due.connected_due_at is not None]
    soonest = min([*times, *([] if next_due is None else [next_due])], default=None)
    return [due for due in dues if due.id not in later], soonest


def _may_wait(due: Due, now: datetime) -> bool:
    at = due.connected_due_at
    return due.needless is None and at is not None and now < at < due.expires_at


async def carry(means: Means, dues: Sequence[Due]) -> None:
    """Send what was taken and record each end as it comes."""
    pending = {asyncio.create_task(_send(means, group)) for group in _groups(dues)}
    try:
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            if pending:
                more, pending = await asyncio.wait(pending, timeout=TOGETHER_S)
                done |= more
            await _record(means, [outcome for task in done for outcome in task.result()])
    finally:
        for task in pending:
            task.cancel()


def _groups(dues: Sequence[Due]) -> list[list[Due]]:
    groups: dict[object, list[Due]] = defaultdict(list)
    for due in dues:
        is_merged = due.channel in MERGED and due.needless is None
        key = (due.channel, due.incident_id, due.purpose) if is_merged else due.id
        groups[key].append(due)
    return list(groups.values())


async def _record(means: Means, outcomes: Sequence[Outcome]) -> None:
    by_incident: dict[UUID, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_incident[outcome.due.incident_id].append(outcome)
    for incident_id, ended in by_incident.items():
        await deadline.within(RECORD_WITHIN_S, _write(means, incident_id, ended))


async def _write(means: Means, incident_id: UUID, outcomes: Sequence[Outcome]) -> None:
    async with means.database.transaction() as conn:
        await outbox.record(conn, incident_id, outcomes, now=means.clock())


async def _send(means: Means, dues: Sequence[Due]) -> list[Outcome]:
    """Send one message, which may be for several people, and say what came of it for each."""
    first, now = dues[0], means.clock()
    if first.needless is not None:
        return [Outcome(due, Status.SILENCED, why=due.needless) for due in dues]
    if first.expires_at <= now:
        return [Outcome(due, Status.EXPIRED, why=Why.TOO_LATE.value) for due in dues]
    gateway = means.gateways[first.channel]
    if first.exercise and not gateway.is_test:
        return [Outcome(due, Status.SILENCED, why=Why.EXERCISE.value) for due in dues]
    try:
        sent = await _hand_over(gateway, _message(means, dues, now))
    except Undelivered as problem:
        _log.warning("not_delivered", channel=first.channel.value, why=problem.why)
        means.answers.note(first.channel, problem.why, now=means.clock())
        return [_failed(due, problem, means.clock()) for due in dues]
    means.answers.note(first.channel, None, now=means.clock())
    return [
        Outcome(due, Status.SENT, provider_id=sent.provider_id or None, gone=sent.gone)
        for due in dues
    ]


async def _hand_over(gateway: channels.Gateway, message: Message) -> channels.Sent:
    try:
        async with asyncio.timeout(SEND_WITHIN_S):
            return await gateway.send(message)
    except TimeoutError:
        raise Undelivered("timeout") from None


def _failed(due: Due, problem: Undelivered, now: datetime) -> Outcome:
    at = None if problem.is_final else outbox.retry_at(due, problem.retry_after_s, now=now)
    status = Status.FAILED if at is None else Status.QUEUED
    return Outcome(due, status, why=problem.why, retry_at=at, gone=problem.gone)


def _message(means: Means, dues: Sequence[Due], now: datetime) -> Message:
    due = dues[0]
    link = f"{means.base_url}/a/{due.code}" if due.code else f"{means.base_url}/go"
    return Message(
        key=due.id,
        purpose=due.purpose,
        alert_id=due.alert_id,
        kind=due.kind,
        exercise=due.exercise,
        language=due.language,
        org=due.org,
        ttl_s=int((due.expires_at - now).total_seconds()),
        # How far a person is from somewhere is nothing for a group to read.
        distance_m=None if due.channel in MERGED else due.distance_m,
        link=link,
        code=due.code,
        phone=due.phone,
        accounts=tuple(one.account for one in dues if one.account),
        devices=tuple(
            channels.Device(one.id, one.endpoint, one.p256dh, one.auth) for one in due.devices
        ),
    )
