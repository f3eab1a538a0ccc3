"""Lists that people upload: the file until it is taken over, and how its columns are meant."""

from __future__ import annotations

import sqlalchemy as sa

from dispatch.tables import column

_KINDS = "kind in ('aeds','responders','stock')"

import_file = sa.Table(
    "import_file",
    column.metadata,
    column.identity(),
    column.ref("org_id", "org", index=True),
    column.word("kind"),
    column.word("name"),
    # Kept until the list is taken over or a day has passed; it may hold phone numbers.
    sa.Column("content", sa.LargeBinary),
    column.json("options"),
    column.json("report", nullable=True),
    column.ref("by_id", "person", nullable=True),
    column.now("created_at"),
    column.at("applied_at", nullable=True),
    sa.CheckConstraint(_KINDS, name="kind"),
    sa.Index("ix_import_file_created_at", "created_at"),
)

import_profile = sa.Table(
    "import_profile",
    column.metadata,
    column.identity(),
    column.ref("org_id", "org"),
    column.word("kind"),
    column.word("name"),
    column.json("mapping"),
    column.ref("by_id", "person", nullable=True),
    column.now("created_at"),
    sa.UniqueConstraint("org_id", "kind", "name"),
    sa.CheckConstraint(_KINDS, name="kind"),
)
