"""Incidents, waves, alerts, assignments, and the timers and deliveries that move them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from dispatch.tables import column

incident = sa.Table(
    "incident",
    column.metadata,
    column.identity(),
    column.ref("org_id", "org", index=True),
    column.word("number"),
    column.word("kind"),
    sa.Column("severity", sa.SmallInteger, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="received"),
    column.word("disposition", nullable=True),
    column.flag("exercise"),
    # Only the phones' movement in an exercise is faster; the plausibility gate divides by it.
    sa.Column("drill_speed", sa.Numeric(6, 2), nullable=False, server_default="1"),
    column.position(),
    column.word("address", nullable=True),
    column.word("floor", nullable=True),
    column.word("entrance", nullable=True),
    column.word("note", nullable=True),
    column.word("caller_phone", nullable=True),
    sa.Column("ambulance", sa.Text, nullable=False, server_default="unknown"),
    column.at("ambulance_eta_at", nullable=True),
    column.at("ambulance_changed_at", nullable=True),
    # How many need help; nobody knows until somebody says so.
    sa.Column("patients", sa.SmallInteger),
    column.ref("disaster_id", "disaster", nullable=True, index=True),
    # The incident that this call turned out to be about too.
    column.ref("merged_into", "incident", nullable=True, index=True),
    # A practice alert: an exercise that only this responder sees.
    column.ref("practice_of", "responder", nullable=True),
    column.ref("opened_by", "person", nullable=True),
    column.at("created_at"),
    column.at("first_alert_at", nullable=True),
    column.at("first_accept_at", nullable=True),
    column.at("first_on_scene_at", nullable=True),
    column.at("with_patient_at", nullable=True),
    column.at("handed_over_at", nullable=True),
    column.at("closed_at", nullable=True),
    # Set when an operator stood everyone down: no wave goes by itself until somebody alerts again.
    column.at("stood_down_at", nullable=True),
    # The last time that it was opened again: whoever was asked before may be asked again.
    column.at("reopened_at", nullable=True),
    column.count("version", 1),
    sa.UniqueConstraint("org_id", "number"),
    sa.CheckConstraint("severity between 1 and 4", name="severity"),
    sa.CheckConstraint("patients >= 0", name="patients"),
    sa.CheckConstraint("merged_into <> id", name="merged_into"),
    sa.CheckConstraint("(status = 'closed') = (closed_at is not null)", name="closed"),
    sa.Index("ix_incident_open", "org_id", postgresql_where=sa.text("closed_at is null")),
    sa.Index("ix_incident_position", "position", postgresql_using="gist"),
    sa.Index(
        "ux_incident_one_practice",
        "practice_of",
        unique=True,
        postgresql_where=sa.text("practice_of is not null and closed_at is null"),
    ),
)

#: Human numbers: one row per organisation and year, bumped in the transaction that uses it.
incident_number = sa.Table(
    "incident_number",
    column.metadata,
    column.ref("org_id", "org"),
    sa.Column("year", sa.SmallInteger, nullable=False),
    sa.Column("last", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("org_id", "year"),
)

line = sa.Table(
    "line",
    column.metadata,
    column.identity(),
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), nullable=False),
    column.ref("incident_id", "incident"),
    column.at("at"),
    column.at("device_at", nullable=True),
    column.ref("actor_id", "person", nullable=True),
    column.word("channel"),
    column.word("kind"),
    column.json("args"),
    column.word("text", nullable=True),
    column.at("struck_at", nullable=True),
    column.ref("struck_by", "person", nullable=True),
    sa.Index("ix_line_incident_id", "incident_id", "seq"),
)

wave = sa.Table(
    "wave",
    column.metadata,
    column.identity(),
    column.ref("incident_id", "incident"),
    sa.Column("number", sa.SmallInteger, nullable=False),
    column.at("sent_at"),
    column.word("policy"),
    column.ref("by_id", "person", nullable=True),
    # Which alarm level an operator asked for, by run card.
    sa.Column("level", sa.SmallInteger),
    sa.UniqueConstraint("incident_id", "number"),
)

allocation = sa.Table(
    "allocation",
    column.metadata,
    column.identity(),
    column.ref("incident_id", "incident", index=True),
    column.ref("wave_id", "wave", nullable=True),
    column.at("made_at"),
    column.word("policy"),
    column.json("inputs"),
    column.json("chosen"),
    column.json("excluded"),
    sa.Column("milliseconds", sa.Numeric(10, 3), nullable=False),
)

alert = sa.Table(
    "alert",
    column.metadata,
    column.identity(),
    column.ref("incident_id", "incident", index=True),
    column.ref("wave_id", "wave"),
    column.ref("responder_id", "responder", index=True),
    column.ref("team_id", "team", nullable=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("aed_id", sa.Uuid),
    sa.Column("status", sa.Text, nullable=False, server_default="notified"),
    # Until when the AED is usable, as known when it was chosen.
    column.at("aed_usable_until", nullable=True),
    # All null where a person named by hand or a team member has no known position.
    sa.Column("travel_s", sa.Numeric(8, 1)),
    sa.Column("direct_s", sa.Numeric(8, 1)),
    sa.Column("distance_m", sa.Numeric(8, 1)),
    column.word("eta_source", nullable=True),
    # Where the responder was thought to be when asked; not kept after the incident closes.
    column.position("from_position", nullable=True),
    column.at("position_at", nullable=True),
    column.at("notified_at"),
    column.at("expires_at"),
    column.at("delivered_at", nullable=True),
    column.at("shown_at", nullable=True),
    column.at("seen_at", nullable=True),
    column.at("answered_at", nullable=True),
    column.word("decline_reason", nullable=True),
    # When this person was told to stop, whether it had answered or was on its way; and why.
    column.at("stood_down_at", nullable=True),
    column.word("stand_down_reason", nullable=True),
    # When the responder confirmed having read the stand-down.
    column.at("stand_down_seen_at", nullable=True),
    column.count("revision", 1),
    sa.CheckConstraint("role in ('direct','via_aed','guide')", name="role"),
    sa.CheckConstraint("(role = 'via_aed') = (aed_id is not null)", name="aed"),
    sa.Index(
        "ux_alert_one_live_per_responder",
        "responder_id",
        unique=True,
        postgresql_where=sa.text("status in ('pending','notified','delivered','seen')"),
    ),
)

assignment = sa.Table(
    "assignment",
    column.metadata,
    column.identity(),
    sa.Column("alert_id", sa.Uuid, sa.ForeignKey("alert.id"), nullable=False, unique=True),
    column.ref("incident_id", "incident", index=True),
    column.ref("responder_id", "responder"),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("aed_id", sa.Uuid),
    sa.Column("status", sa.Text, nullable=False, server_default="accepted"),
    column.at("accepted_at"),
    column.at("en_route_at", nullable=True),
    column.at("aed_collected_at", nullable=True),
    column.at("on_scene_at", nullable=True),
    column.at("with_patient_at", nullable=True),
    column.at("handed_over_at", nullable=True),
    column.at("cleared_at", nullable=True),
    # The end of any kind: cleared, unable or stood down.
    column.at("ended_at", nullable=True),
    sa.Column("device_at", pg.JSONB, nullable=False, server_default="{}"),
    column.word("unable_reason", nullable=True),
    column.at("eta_at", nullable=True),
    column.count("version", 1),
    sa.Index(
        "ux_assignment_one_live_per_responder",
        "responder_id",
        unique=True,
        postgresql_where=sa.text("ended_at is null"),
    ),
)


timer = sa.Table(
    "timer",
    column.metadata,
    column.identity(),
    column.ref("incident_id", "incident", nullable=True),
    sa.Column("subject_id", sa.Uuid),
    column.word("kind"),
    column.at("due_at"),
    sa.Column("lane", sa.Text, nullable=False, server_default="dispatch"),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("body", pg.JSONB, nullable=False, server_default="{}"),
    sa.Index("ix_timer_due", "lane", "due_at"),
    sa.Index(
        "ux_timer_subject",
        "incident_id",
        "kind",
        "subject_id",
        unique=True,
        postgresql_nulls_not_distinct=True,
    ),
)

delivery = sa.Table(
    "delivery",
    column.metadata,
    column.identity(),
    column.ref("alert_id", "alert", index=True),
    column.ref("responder_id", "responder"),
    column.word("channel"),
    column.word("purpose"),
    sa.Column("status", sa.Text, nullable=False, server_default="queued"),
    column.now("created_at"),
    column.at("sent_at", nullable=True),
    column.at("delivered_at", nullable=True),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
    column.at("leased_until", nullable=True),
    # When it is tried; later while the person's phone is connected; null for the live channel.
    column.at("due_at", nullable=True),
    column.at("connected_due_at", nullable=True),
    column.at("expires_at", nullable=True),
    # What makes it needless before it is due, besides an answer.
    column.word("unless", nullable=True),
    # Grows with each claim: a result of an older one is not taken.
    column.count("token", 0),
    column.word("provider_id", nullable=True),
    # Why it failed, was not sent, or is tried again.
    column.word("why", nullable=True),
    column.at("changed_at", nullable=True),
    sa.UniqueConstraint("alert_id", "channel", "purpose"),
    sa.Index(
        "ix_delivery_due",
        "due_at",
        postgresql_where=sa.text("status = 'queued' and due_at is not null"),
    ),
    sa.Index(
        "ix_delivery_sent",
        "channel",
        "sent_at",
        postgresql_where=sa.text("due_at is not null"),
    ),
)

#: Each time the code of an AED's lock was shown, and for which mission.
code_release = sa.Table(
    "code_release",
    column.metadata,
    column.identity(),
    sa.Column("aed_id", sa.Uuid, nullable=False, index=True),
    column.ref("assignment_id", "assignment", index=True),
    column.ref("responder_id", "responder"),
    column.at("at"),
)
