"""Organisations, people, what they may do, responders and teams."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from dispatch.tables import column

org = sa.Table(
    "org",
    column.metadata,
    column.identity(),
    sa.Column("code", sa.Text, nullable=False, unique=True),
    column.word("name_zh"),
    column.word("name_en"),
    sa.Column("level", sa.SmallInteger, nullable=False),
    column.ref("parent_id", "org", nullable=True, index=True),
    # Codes from the root down, each closed by a slash: "cn/hb/wh/"; a subtree is a prefix.
    sa.Column("path", sa.Text, nullable=False, unique=True),
    column.word("phone", nullable=True),
    column.word("timezone"),
    column.flag("is_demo"),
    column.count("version", 1),
    column.now("created_at"),
    sa.CheckConstraint("level between 1 and 5", name="level"),
)

person = sa.Table(
    "person",
    column.metadata,
    column.identity(),
    column.ref("org_id", "org", index=True),
    sa.Column("username", sa.Text, unique=True),
    column.word("name"),
    column.word("name_en", nullable=True),
    column.word("phone", nullable=True),
    sa.Column("language", sa.Text, nullable=False, server_default="zh"),
    column.word("password_hash", nullable=True),
    column.at("disabled_at", nullable=True),
    column.flag("is_invented"),
    column.count("version", 1),
    column.now("created_at"),
)

membership = sa.Table(
    "membership",
    column.metadata,
    column.ref("person_id", "person"),
    column.ref("org_id", "org", index=True),
    column.word("role"),
    sa.PrimaryKeyConstraint("person_id", "org_id", "role"),
    sa.CheckConstraint(
        "role in ('operator','responder','planner','keeper','admin','auditor','carer')",
        name="role",
    ),
)

session = sa.Table(
    "session",
    column.metadata,
    sa.Column("token_hash", sa.LargeBinary, primary_key=True),
    column.ref("person_id", "person", index=True),
    column.now("created_at"),
    column.at("expires_at"),
    column.at("revoked_at", nullable=True),
)

api_token = sa.Table(
    "api_token",
    column.metadata,
    sa.Column("token_hash", sa.LargeBinary, primary_key=True),
    column.ref("person_id", "person", index=True),
    column.word("name"),
    sa.Column("scopes", pg.ARRAY(sa.Text), nullable=False, server_default="{}"),
    column.now("created_at"),
    column.at("expires_at", nullable=True),
    column.at("revoked_at", nullable=True),
)

sign_in_link = sa.Table(
    "sign_in_link",
    column.metadata,
    sa.Column("token_hash", sa.LargeBinary, primary_key=True),
    column.ref("person_id", "person", index=True),
    column.now("created_at"),
    column.at("expires_at"),
    column.at("used_at", nullable=True),
)

#: Sign-ins tried and not yet successful, by the hash of "address" and of "address and name", so
#: that no address is kept. Rows whose window is over count as nothing and are swept.
sign_in_attempt = sa.Table(
    "sign_in_attempt",
    column.metadata,
    sa.Column("subject_hash", sa.LargeBinary, primary_key=True),
    sa.Column("tries", sa.Integer, nullable=False),
    column.at("window_ends_at"),
    sa.Index("ix_sign_in_attempt_window_ends_at", "window_ends_at"),
)

#: Reports that people who are not signed in sent of late, by the hash of their address.
report_attempt = sa.Table(
    "report_attempt",
    column.metadata,
    sa.Column("subject_hash", sa.LargeBinary, primary_key=True),
    sa.Column("tries", sa.Integer, nullable=False),
    column.at("window_ends_at"),
    sa.Index("ix_report_attempt_window_ends_at", "window_ends_at"),
)

#: `subject_id` is the person who sent the key; without one, a hash of the address and the key.
idempotency = sa.Table(
    "idempotency",
    column.metadata,
    sa.Column("subject_id", sa.Uuid, nullable=False),
    column.word("key"),
    column.word("route"),
    sa.Column("body_hash", sa.LargeBinary, nullable=False),
    sa.Column("status", sa.SmallInteger, nullable=False),
    column.json("headers"),
    sa.Column("body", sa.LargeBinary, nullable=False),
    column.now("created_at"),
    sa.PrimaryKeyConstraint("subject_id", "key"),
    sa.Index("ix_idempotency_created_at", "created_at"),
)


responder = sa.Table(
    "responder",
    column.metadata,
    sa.Column("id", sa.Uuid, sa.ForeignKey("person.id"), primary_key=True),
    column.ref("org_id", "org", index=True),
    sa.Column("duty", sa.Text, nullable=False, server_default="off_duty"),
    column.at("duty_until", nullable=True),
    sa.Column("skills", pg.ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("born_on", sa.Date),
    # The number of the volunteer in the organisation's own lists; imports know people by it.
    column.word("code", nullable=True),
    column.word("note", nullable=True),
    column.word("suspended_reason", nullable=True),
    # Local time of the organisation between which the person is left in peace; over midnight too.
    sa.Column("quiet_from", sa.Time),
    sa.Column("quiet_until", sa.Time),
    # Kinds of incident that may wake the person all the same.
    sa.Column("quiet_except", pg.ARRAY(sa.Text), nullable=False, server_default="{}"),
    # A rest after a mission; duty goes on beside it, and going on duty ends it.
    column.at("rest_until", nullable=True),
    column.count("version", 1),
    sa.UniqueConstraint("org_id", "code"),
    sa.CheckConstraint("(quiet_from is null) = (quiet_until is null)", name="quiet"),
    sa.CheckConstraint("duty in ('available','resting','off_duty','suspended')", name="duty"),
    sa.Index("ix_responder_available", "org_id", postgresql_where=sa.text("duty = 'available'")),
    sa.Index(
        "ix_responder_carries_aed",
        "id",
        postgresql_where=sa.text("skills @> array['carries_aed']"),
    ),
)

certificate = sa.Table(
    "certificate",
    column.metadata,
    column.identity(),
    column.ref("responder_id", "responder", index=True),
    column.word("kind"),
    column.word("number", nullable=True),
    column.word("issuer", nullable=True),
    sa.Column("issued_on", sa.Date),
    sa.Column("expires_on", sa.Date, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="verified"),
    column.ref("reviewed_by", "person", nullable=True),
    column.at("reviewed_at", nullable=True),
    # Days before the end at which the holder was told last; -1 when it had ended.
    sa.Column("reminded", sa.SmallInteger),
    # Since when nothing but the app has told of the last reminder; null when more was tried.
    column.at("unpushed_since", nullable=True),
    sa.Index("ix_certificate_expires_on", "expires_on"),
    # Until when somebody may be asked is read of thousands at once, from the index alone.
    sa.Index(
        "ix_certificate_verified",
        "responder_id",
        "expires_on",
        postgresql_where=sa.text("status = 'verified'"),
    ),
    sa.Index(
        "ix_certificate_unpushed",
        "unpushed_since",
        postgresql_where=sa.text("unpushed_since is not null"),
    ),
    sa.CheckConstraint("status in ('pending','verified','revoked')", name="status"),
)

place = sa.Table(
    "place",
    column.metadata,
    column.identity(),
    column.ref("responder_id", "responder", index=True),
    column.word("kind"),
    column.word("label", nullable=True),
    column.position(),
    column.word("hours", nullable=True),
    sa.CheckConstraint("kind in ('home','work','patrol')", name="kind"),
    sa.Index("ix_place_position", "position", postgresql_using="gist"),
)

#: Narrow on purpose: the only row that positions overwrite (stack.md: 41,000 upserts/s batched).
last_position = sa.Table(
    "last_position",
    column.metadata,
    sa.Column("responder_id", sa.Uuid, sa.ForeignKey("responder.id"), primary_key=True),
    column.position(),
    sa.Column("accuracy_m", sa.Numeric(7, 1)),
    column.at("at"),
    column.now("received_at"),
    sa.Index("ix_last_position_position", "position", postgresql_using="gist"),
)

#: An app that sends positions by itself. Its secret lets it do nothing else.
tracker = sa.Table(
    "tracker",
    column.metadata,
    column.identity(),
    column.ref("responder_id", "responder", index=True),
    column.word("kind"),
    sa.Column("secret_hash", sa.LargeBinary, nullable=False, unique=True),
    column.now("created_at"),
    column.at("seen_at", nullable=True),
    column.at("revoked_at", nullable=True),
    sa.CheckConstraint("kind in ('traccar','owntracks')", name="kind"),
)

team = sa.Table(
    "team",
    column.metadata,
    column.identity(),
    column.ref("org_id", "org", index=True),
    column.word("code"),
    column.word("name"),
    column.ref("leader_id", "responder", nullable=True),
    column.count("version", 1),
    sa.UniqueConstraint("org_id", "code"),
)

team_member = sa.Table(
    "team_member",
    column.metadata,
    column.ref("team_id", "team"),
    column.ref("responder_id", "responder", index=True),
    sa.PrimaryKeyConstraint("team_id", "responder_id"),
)
