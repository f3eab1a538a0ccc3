"""What an incident gathers in its life: disasters over it, what was said of it, attachments."""

from __future__ import annotations

import sqlalchemy as sa

from dispatch.tables import column

#: One disaster with many incidents under it; `command` names who leads what.
disaster = sa.Table(
    "disaster",
    column.metadata,
    column.identity(),
    column.ref("org_id", "org", index=True),
    column.word("name"),
    column.word("kind"),
    column.word("note", nullable=True),
    column.flag("exercise"),
    column.json("command"),
    column.ref("opened_by", "person", nullable=True),
    column.at("opened_at"),
    column.at("closed_at", nullable=True),
    column.count("version", 1),
)

#: What each source said of one field; at most one value of a field is chosen. Never deleted.
incident_value = sa.Table(
    "incident_value",
    column.metadata,
    column.identity(),
    column.ref("incident_id", "incident", index=True),
    column.word("field"),
    column.json("value"),
    column.word("source"),
    # The call that said it, where it came by merging a duplicate.
    column.ref("told_by_id", "incident", nullable=True),
    column.ref("actor_id", "person", nullable=True),
    column.at("at"),
    column.at("chosen_at", nullable=True),
    column.ref("chosen_by", "person", nullable=True),
    # The duplicate that said it was taken apart again.
    column.at("withdrawn_at", nullable=True),
    sa.CheckConstraint(
        "source in ('caller','operator','responder','ambulance','device')", name="source"
    ),
    sa.Index(
        "ux_incident_value_one_chosen",
        "incident_id",
        "field",
        unique=True,
        postgresql_where=sa.text("chosen_at is not null"),
    ),
)

#: `content` is what everybody concerned sees, without place and time of the camera; `original`
#: is what was sent.
attachment = sa.Table(
    "attachment",
    column.metadata,
    column.identity(),
    column.ref("incident_id", "incident", index=True),
    column.word("name", nullable=True),
    column.word("media_type"),
    sa.Column("content", sa.LargeBinary, nullable=False),
    column.word("original_type"),
    sa.Column("original", sa.LargeBinary, nullable=False),
    column.ref("actor_id", "person", nullable=True),
    column.at("at"),
)
