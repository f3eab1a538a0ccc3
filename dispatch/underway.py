"""Who was asked for an incident already, and what can still be expected of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, histories, matching, states

#: An AED of which nothing more is known: confirmed open, seldom looked at.
_WORKS = 0.85


@dataclass(frozen=True, slots=True)
class Asked:
    """One alert of the incident with its assignment."""

    responder_id: UUID
    role: states.Role
    aed_id: UUID | None
    status: states.Alert
    assignment: states.Assignment | None
    notified_at: datetime
    accepted_at: datetime | None
    eta_at: datetime | None
    travel_s: float | None
    team_id: UUID | None = None
    # Whether the person has an AED at hand.
    carries: bool = False

    @property
    def is_pending(self) -> bool:
        """Say whether an answer is still awaited."""
        return self.status in states.ALERT_LIVE

    @property
    def is_going(self) -> bool:
        """Say whether this person is on the way, or has been of use."""
        gone = {states.Assignment.UNABLE, states.Assignment.STOOD_DOWN}
        return self.assignment is not None and self.assignment not in gone


@dataclass(frozen=True, slots=True)
class Known:
    """How those who were asked answered before, and how surely their AEDs work."""

    histories: Mapping[UUID, histories.History]
    works: Mapping[UUID, float]


# ix_alert_incident_id, and the unique alert of an assignment.
_ASKED = sa.text("""
select alert.responder_id, alert.notified_at, alert.travel_s, alert.status, alert.team_id,
       coalesce(assignment.role, alert.role) as role,
       case when assignment.id is null then alert.aed_id else assignment.aed_id end as aed_id,
       assignment.status as assignment, assignment.accepted_at, assignment.eta_at,
       responder.skills @> array['carries_aed'] as carries
from alert join incident on incident.id = alert.incident_id
join responder on responder.id = alert.responder_id
left join assignment on assignment.alert_id = alert.id
where alert.incident_id = :incident_id
  and (incident.reopened_at is null or alert.notified_at >= incident.reopened_at)
order by alert.responder_id
""")


async def asked(conn: AsyncConnection, incident_id: UUID) -> list[Asked]:
    """Return everyone who was asked for an incident, in the order of their ids.

    Opened again, it begins anew: all that was asked before has ended.
    """
    [rows] = await db.together(conn, (_ASKED, {"incident_id": incident_id}))
    return [
        Asked(
            row["responder_id"],
            states.Role(row["role"]),
            row["aed_id"],
            states.Alert(row["status"]),
            None if row["assignment"] is None else states.Assignment(row["assignment"]),
            row["notified_at"],
            row["accepted_at"],
            row["eta_at"],
            None if row["travel_s"] is None else float(row["travel_s"]),
            row["team_id"],
            row["carries"],
        )
        for row in rows
    ]


def under(
    policy: matching.Policy,
    everyone: Sequence[Asked],
    known: Known,
    scene: matching.Scene,
    *,
    now: datetime,
) -> matching.Under:
    """Say what goes on already; whoever meets the ambulance is not on the way to the patient."""
    going = [item for item in everyone if item.is_going]
    pending = [item for item in everyone if item.is_pending]
    expected = [
        _expected(policy, item, known, scene, now)
        for item in [*going, *pending]
        if item.role in _TO_PATIENT
    ]
    return matching.Under(
        room=policy.alerts_cap - len(everyone),
        is_direct_going=any(item.role is states.Role.DIRECT for item in going),
        aeds_taken=frozenset(i.aed_id for i in [*going, *pending] if i.aed_id is not None),
        live=len(going) + sum(not _is_silent(policy, item, now) for item in pending),
        pending=len(pending),
        going=tuple(item for item in expected if item is not None),
    )


def _is_silent(policy: matching.Policy, item: Asked, now: datetime) -> bool:
    """Say whether somebody has let so much time pass that another is asked instead."""
    return (now - item.notified_at).total_seconds() >= policy.wave_wait_s


def _expected(
    policy: matching.Policy,
    item: Asked,
    known: Known,
    scene: matching.Scene,
    now: datetime,
) -> matching.Going | None:
    """Say when somebody comes and how surely; None where nobody knows the way."""
    at = arrives_s(policy, item, scene, now=now)
    if at is None:
        return None
    accept = 1.0
    if not item.is_going:
        own = histories.accept(policy, known.histories.get(item.responder_id))
        silent_s = (now - item.notified_at).total_seconds()
        accept = histories.accept_after_silence(policy, own, silent_s)
    works = _works(policy, item, known.works)
    return matching.Going(item.role, round(at, 1), accept, works, item.aed_id)


_TO_PATIENT = frozenset({states.Role.DIRECT, states.Role.VIA_AED})
_AT_PATIENT = frozenset(
    {
        states.Assignment.ON_SCENE,
        states.Assignment.WITH_PATIENT,
        states.Assignment.HANDED_OVER,
        states.Assignment.CLEARED,
    }
)


def arrives_s(
    policy: matching.Policy, item: Asked, scene: matching.Scene, *, now: datetime
) -> float | None:
    """Say in how many seconds somebody should be at the patient; None where nobody knows the way.

    Of whoever has not answered it is what to expect after a yes.
    """
    if item.assignment in _AT_PATIENT:
        return 0.0
    if item.eta_at is not None:
        return max(0.0, (item.eta_at - now).total_seconds()) + scene.vertical_s
    if item.travel_s is None:
        return None
    way_s = policy.mobilise_s + item.travel_s + scene.vertical_s
    if item.accepted_at is not None:
        return max(0.0, way_s - (now - item.accepted_at).total_seconds())
    waited_s = (now - item.notified_at).total_seconds()
    return max(0.0, policy.reply_median_s - waited_s) + way_s


def _works(policy: matching.Policy, item: Asked, works: Mapping[UUID, float]) -> float:
    """Say how surely somebody brings an AED that works: the own one, or the one to be fetched."""
    if item.carries:
        return policy.carried_works
    if item.role is not states.Role.VIA_AED or item.aed_id is None:
        return 0.0
    if item.assignment is states.Assignment.AED_COLLECTED or item.assignment in _AT_PATIENT:
        return policy.carried_works
    known = works.get(item.aed_id)
    return _WORKS * policy.aed_people_factor if known is None else known
