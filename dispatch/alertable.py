"""Can this person be alerted now, and if not: all that keeps them from it, and what mends it.

Judged by the very code that a plan uses (`eligibility.describe`), so that what the phone says is
what the next plan does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    eligibility,
    errors,
    events,
    histories,
    matching,
    policies,
    restraint,
    states,
    store,
    tables,
)
from geo.position import Position

#: What mends it: a word for the phone, which knows the button or the page. None: only time does.
FIXES: Mapping[matching.Reason, str | None] = {
    matching.Reason.OFF_DUTY: "duty",
    matching.Reason.RESTING: "duty",
    matching.Reason.SUSPENDED: "call",
    matching.Reason.BUSY: None,
    matching.Reason.NO_CERTIFICATE: "certificate",
    matching.Reason.CERTIFICATE_EXPIRED: "certificate",
    matching.Reason.UNDER_AGE: None,
    matching.Reason.QUIET_HOURS: "quiet",
    matching.Reason.ALERT_BUDGET_USED: None,
    matching.Reason.NO_POSITION: "position",
    matching.Reason.POSITION_STALE: "position",
    matching.Reason.POSITION_VAGUE: "position",
}
#: A certificate that ends within so many days is mentioned.
ENDS_SOON_DAYS = 90


_NO_ONE = UUID(int=0)


@dataclass(frozen=True, slots=True)
class _Worst:
    """The incident that nobody wants to miss, for the people of an organisation."""

    org_path: str
    position: Position
    id: UUID = _NO_ONE
    kind: states.Kind = states.Kind.CARDIAC_ARREST
    severity: int = 1


@dataclass(frozen=True, slots=True)
class Standing:
    """What keeps a person from being asked, and what will or may."""

    against: tuple[restraint.Against, ...]
    soon: tuple[events.Body, ...]
    position: Position | None


async def judge(
    conn: AsyncConnection,
    responder: store.Responder,
    policy: matching.Policy,
    *,
    live: Mapping[UUID, store.Fix],
    now: datetime,
) -> Standing:
    """Judge one person as the next plan would. Raises NotFound for who was disabled."""
    facts = (await conn.execute(_FACTS, {"id": responder.id, "now": now})).one()
    last = (await store.last_fixes(conn, [responder.id])).get(responder.id)
    worst = _Worst(facts.path, Position(0.0, 0.0) if last is None else last.position)
    policy = await policies.effective(conn, worst, base=policy, now=now)
    people = await eligibility.describe(conn, worst, policy, [responder.id], live=live, now=now)
    if not people:
        raise errors.NotFound
    person = people[0]
    against = [*person.against, *_quiet(person, policy, facts.quiet_until)]
    against += await _budget(conn, responder.id, policy, now=now)
    return Standing(tuple(against), _soon(facts), person.position)


def _quiet(
    person: eligibility.Person, policy: matching.Policy, until: time | None
) -> list[restraint.Against]:
    kinds = {*person.quiet_except, *policy.breakthrough}
    if not person.is_quiet or until is None or kinds == set(states.Kind):
        return []
    woken_by = sorted(kind.value for kind in kinds)
    return [
        (matching.Reason.QUIET_HOURS, {"until": until.isoformat("minutes"), "except": woken_by})
    ]


# The primary keys, ix_certificate_responder_id and ix_push_subscription_person_id.
_FACTS = sa.text("""
select org.path, responder.quiet_until,
       (select max(expires_on) from certificate
        where responder_id = responder.id and status = 'verified') as valid_until,
       cast(cast(:now as timestamptz) at time zone org.timezone as date) as today,
       coalesce(person.phone, '') <> '' as has_phone,
       push.works as has_push, push.known as has_known
from responder
cross join lateral (
    select count(*) > 0 as known,
           coalesce(bool_or(gone_at is null and flagged_at is null), false) as works
    from push_subscription where person_id = responder.id) as push
join org on org.id = responder.org_id
join person on person.id = responder.id
where responder.id = :id
""")


async def _budget(
    conn: AsyncConnection, responder_id: UUID, policy: matching.Policy, *, now: datetime
) -> Sequence[restraint.Against]:
    known = await histories.read(conn, [responder_id], exercise=False, now=now)
    asked = known.get(responder_id, histories.History()).last_day
    over = restraint.over_budget(policy, asked)
    if over is None:
        return ()
    alert, incident = tables.alert.c, tables.incident.c
    # As soon as this alert is a day old, one more fits into the budget.
    oldest = await conn.scalar(
        sa.select(alert.notified_at)
        .join_from(tables.alert, tables.incident, incident.id == alert.incident_id)
        .where(alert.responder_id == responder_id, sa.not_(incident.exercise))
        .order_by(alert.notified_at.desc())
        .offset(max(policy.alert_budget_day - 1, 0))
        .limit(1)
    )
    until = {} if oldest is None else {"until": (oldest + histories.BUDGET_FOR).isoformat()}
    return [(over[0], {**over[1], **until})]


def _soon(facts: sa.Row[tuple[object, ...]]) -> tuple[events.Body, ...]:
    """Name what does not keep the person from being asked yet."""
    found: list[events.Body] = []
    days = None if facts.valid_until is None else (facts.valid_until - facts.today).days
    if days is not None and 0 <= days <= ENDS_SOON_DAYS:
        args = {"expires_on": facts.valid_until.isoformat(), "days": days}
        found.append({"code": "certificate_ends", "args": args, "fix": "certificate"})
    if not facts.has_push:
        code = "push_unreachable" if facts.has_known else "no_push"
        found.append({"code": code, "args": {}, "fix": "notifications"})
    if not facts.has_phone:
        found.append({"code": "no_phone", "args": {}, "fix": "phone"})
    return tuple(found)


def out(standing: Standing) -> events.Body:
    """Show it to the person."""
    return {
        "ok": not standing.against,
        "reasons": [
            {"code": reason.value, "args": dict(args), "fix": FIXES.get(reason)}
            for reason, args in standing.against
        ],
        "soon": list(standing.soon),
    }


async def quiet_of(conn: AsyncConnection, responder_id: UUID) -> events.Body | None:
    """Show a person's quiet hours; None without any."""
    mine = tables.responder.c
    row = (
        await conn.execute(
            sa.select(mine.quiet_from, mine.quiet_until, mine.quiet_except).where(
                mine.id == responder_id
            )
        )
    ).one_or_none()
    if row is None or row.quiet_from is None:
        return None
    return {
        "from": row.quiet_from.isoformat("minutes"),
        "until": row.quiet_until.isoformat("minutes"),
        "except": list(row.quiet_except),
    }
