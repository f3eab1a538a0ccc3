"""The tables that dispatch owns, as SQLAlchemy Core: `tables.incident`, `tables.alert`, …"""

from __future__ import annotations

from dispatch.tables.care import survey, task
from dispatch.tables.channels import alert_code, channel, contact, push_subscription
from dispatch.tables.column import metadata
from dispatch.tables.imports import import_file, import_profile
from dispatch.tables.incident_life import attachment, disaster, incident_value
from dispatch.tables.incidents import (
    alert,
    allocation,
    assignment,
    code_release,
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
    report_attempt,
    responder,
    session,
    sign_in_attempt,
    sign_in_link,
    team,
    team_member,
    tracker,
)
from dispatch.tables.policies import policy_version, simulation_job, simulation_report
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
    "alert_code",
    "allocation",
    "api_token",
    "assignment",
    "attachment",
    "balance",
    "certificate",
    "channel",
    "code_release",
    "contact",
    "delivery",
    "depot",
    "disaster",
    "idempotency",
    "import_file",
    "import_profile",
    "incident",
    "incident_number",
    "incident_value",
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
    "policy_version",
    "push_subscription",
    "report_attempt",
    "reservation",
    "responder",
    "session",
    "sign_in_attempt",
    "sign_in_link",
    "simulation_job",
    "simulation_report",
    "survey",
    "task",
    "team",
    "team_member",
    "timer",
    "tracker",
    "wave",
]
