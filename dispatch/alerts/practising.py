"""A practice alert: an exercise for one person alone, by the same code and the same ladder.

Nobody else sees or hears of it and no figure counts it. It ends by itself, and at once when a real
alarm wants the person (`yielding`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, matching, planning, states, store, timers, whereabouts
from dispatch.alerts import sending, yielding
from geo import walking
from geo.position import Position

#: Whoever has not come to the end of it by then has seen enough.
ENDS_AFTER = timedelta(minutes=10)
#: The patient who is none lies so far to the north, in degrees: about 250 m.
_AWAY = 0.00225


async def practise(
    conn: AsyncConnection,
    responder: store.Responder,
    *,
    near: Position,
    policy: matching.Policy,
    network: walking.WalkingNetwork,
    live: Mapping[UUID, store.Fix],
    now: datetime,
) -> store.Alert:
    """Alert a person for practice, near where they are.

    Whoever could not be asked in earnest is not asked: NobodyToAlert says why. A practice that
    still goes on is ended first.
    """
    await yielding.give_way(conn, [responder.id], is_real=False, now=now)
    incident_id = store.new_id()
    incident = await store.add_incident(
        conn, id=incident_id, org_id=responder.org_id, number=f"P-{incident_id.hex[-8:]}",
        kind=states.Kind.CARDIAC_ARREST.value, severity=1, exercise=True,
        position=Position(near.lon, min(near.lat + _AWAY, 89.9)),
        ambulance=states.Ambulance.NOTIFIED.value, practice_of=responder.id,
        opened_by=responder.id, created_at=now,
    )  # fmt: skip
    kind = timers.Kind.PRACTICE_END
    await timers.arm(conn, incident.id, kind, due_at=now + ENDS_AFTER)
    plan = await planning.make(
        conn, incident.id, policy=policy, network=network, live=whereabouts.Around(live),
        named=[responder.id], now=now,
    )  # fmt: skip
    sent = await sending.send_wave(conn, plan, by=responder.id, now=now)
    return sent.alerts[0]


def nowhere(responder_id: UUID) -> errors.NobodyToAlert:
    """Say that nobody can practise of whom no place is known."""
    reason = matching.Reason.NO_POSITION.value
    return errors.NobodyToAlert(state={"excluded": {str(responder_id): reason}})
