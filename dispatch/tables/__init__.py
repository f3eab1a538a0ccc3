"""The tables that dispatch owns, as SQLAlchemy Core: `tables.incident`, `tables.alert`, …"""

from __future__ import annotations

from dispatch.tables.column import metadata
from dispatch.tables.incidents import (
    alert,
    allocation,
    assignment,
    delivery,
    incident,
    incident_number,
    line,
    timer,
    wave,
)
from dispatch.tables.people import (
    api_token,
    certificate,
    idempotency,
    last_position,
    membership,
    org,
    person,
    place,
    responder,
    session,
    sign_in_attempt,
    sign_in_link,
    team,
    team_member,
)
from dispatch.tables.stock import (
    balance,
    depot,
    item,
    lot,
    movement,
    reservation,
)

__all__ = [
    "alert",
    "allocation",
    "api_token",
    "assignment",
    "balance",
    "certificate",
    "delivery",
    "depot",
    "idempotency",
    "incident",
    "incident_number",
    "item",
    "last_position",
    "line",
    "lot",
    "membership",
    "metadata",
    "movement",
    "org",
    "person",
    "place",
    "reservation",
    "responder",
    "session",
    "sign_in_attempt",
    "sign_in_link",
    "team",
    "team_member",
    "timer",
    "wave",
]
