"""The whole record of an AED, what people do and say about it; uploaded lists; trackers.

Revision: 0006_pre_registry
After: 0005_pre_stock_ledger
"""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geography
from sqlalchemy.dialects import postgresql

revision = "0006_pre_registry"
down_revision = "0005_pre_stock_ledger"
branch_labels = None
depends_on = None

_CHECKS = (
    ("source_crs", "aed", "source_crs in ('wgs84', 'gcj02', 'bd09')"),
    (
        "position_method",
        "aed",
        "position_method in ('survey', 'gps', 'map', 'geocode', 'import', 'carrier')",
    ),
    ("acquired", "aed", "acquired in ('purchase', 'donation', 'lease')"),
    ("check_every_days", "aed", "check_every_days > 0"),
    ("closure", "aed", "closed_until > closed_from"),
    ("verdict", "aed_report", "verdict in ('open', 'accepted', 'rejected')"),
    ("settled", "aed_report", "(verdict = 'open') = (settled_at is null)"),
)
_KINDS = "kind in ('missing', 'locked', 'moved', 'broken', 'closed', 'other')"
_FORMER_KINDS = "kind in ('missing', 'locked', 'moved', 'broken', 'other')"

_NOTE_CHANGE = """
CREATE FUNCTION note_aed_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO aed_change (aed_id, xid)
  SELECT id, pg_current_xact_id()::text::bigint FROM changed ORDER BY id
  ON CONFLICT (aed_id) DO UPDATE SET xid = excluded.xid WHERE aed_change.xid <> excluded.xid;
  RETURN NULL;
END $$
"""
_CHANGE_TRIGGERS = (("insert", "NEW"), ("update", "NEW"), ("delete", "OLD"))


def upgrade() -> None:
    """Bring the schema up by one step."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_index(
        "ix_address_place",
        "address",
        ["dataset_id"],
        unique=False,
        postgresql_where=sa.text("kind = 'place'"),
    )
    op.create_table(
        "aed_change",
        sa.Column("aed_id", sa.Uuid(), nullable=False),
        sa.Column("xid", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("aed_id", name=op.f("pk_aed_change")),
    )
    op.create_index("ix_aed_change_xid", "aed_change", ["xid"], unique=False)
    op.execute(_NOTE_CHANGE)
    for event, rows in _CHANGE_TRIGGERS:
        op.execute(
            f"CREATE TRIGGER aed_change_{event} AFTER {event} ON aed "
            f"REFERENCING {rows} TABLE AS changed "
            "FOR EACH STATEMENT EXECUTE FUNCTION note_aed_change()"
        )
    op.create_table(
        "aed_code",
        sa.Column("aed_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["aed_id"], ["aed.id"], name=op.f("fk_aed_code_aed_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("aed_id", name=op.f("pk_aed_code")),
    )
    op.create_table(
        "aed_custodian",
        sa.Column("aed_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rank in (1, 2)", name=op.f("ck_aed_custodian_rank")),
        sa.ForeignKeyConstraint(
            ["aed_id"], ["aed.id"], name=op.f("fk_aed_custodian_aed_id"), ondelete="CASCADE"
        ),
        sa.UniqueConstraint("aed_id", "rank", name=op.f("uq_aed_custodian_aed_id_rank")),
    )
    op.create_table(
        "aed_photo",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("aed_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("width", sa.SmallInteger(), nullable=False),
        sa.Column("height", sa.SmallInteger(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('surroundings', 'cabinet')", name=op.f("ck_aed_photo_kind")),
        sa.ForeignKeyConstraint(
            ["aed_id"], ["aed.id"], name=op.f("fk_aed_photo_aed_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aed_photo")),
    )
    op.create_index(op.f("ix_aed_photo_aed_id"), "aed_photo", ["aed_id"], unique=False)
    op.create_table(
        "aed_reminder",
        sa.Column("aed_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "stage in ('first', 'second', 'overdue')", name=op.f("ck_aed_reminder_stage")
        ),
        sa.ForeignKeyConstraint(
            ["aed_id"], ["aed.id"], name=op.f("fk_aed_reminder_aed_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("aed_id", "due_at", "stage", name=op.f("pk_aed_reminder")),
    )
    op.create_table(
        "aed_use",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("aed_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("assignment_id", sa.Uuid(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pads_used", sa.Boolean(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["aed_id"], ["aed.id"], name=op.f("fk_aed_use_aed_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aed_use")),
    )
    op.create_index(op.f("ix_aed_use_aed_id"), "aed_use", ["aed_id"], unique=False)
    op.create_index(
        "uq_aed_use_open",
        "aed_use",
        ["aed_id"],
        unique=True,
        postgresql_where=sa.text("returned_at is null"),
    )
    op.create_table(
        "report_attempt",
        sa.Column("subject_hash", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("window_ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject_hash", name=op.f("pk_report_attempt")),
    )
    op.create_index(
        "ix_report_attempt_window_ends_at", "report_attempt", ["window_ends_at"], unique=False
    )
    # Whoever sends a report without signing in is a subject too, named by a hash.
    op.drop_constraint(op.f("fk_idempotency_person_id_person"), "idempotency", type_="foreignkey")
    op.alter_column("idempotency", "person_id", new_column_name="subject_id")
    op.create_table(
        "import_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind in ('aeds','responders','stock')", name=op.f("ck_import_file_kind")
        ),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("fk_import_file_by_id_person")),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name=op.f("fk_import_file_org_id_org")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_file")),
    )
    op.create_index("ix_import_file_created_at", "import_file", ["created_at"], unique=False)
    op.create_index(op.f("ix_import_file_org_id"), "import_file", ["org_id"], unique=False)
    op.create_table(
        "import_profile",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mapping", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "kind in ('aeds','responders','stock')", name=op.f("ck_import_profile_kind")
        ),
        sa.ForeignKeyConstraint(
            ["by_id"], ["person.id"], name=op.f("fk_import_profile_by_id_person")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name=op.f("fk_import_profile_org_id_org")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_profile")),
        sa.UniqueConstraint(
            "org_id", "kind", "name", name=op.f("uq_import_profile_org_id_kind_name")
        ),
    )
    op.create_table(
        "tracker",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("responder_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('traccar','owntracks')", name=op.f("ck_tracker_kind")),
        sa.ForeignKeyConstraint(
            ["responder_id"], ["responder.id"], name=op.f("fk_tracker_responder_id_responder")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracker")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_tracker_secret_hash")),
    )
    op.create_index(op.f("ix_tracker_responder_id"), "tracker", ["responder_id"], unique=False)
    op.create_table(
        "code_release",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("aed_id", sa.Uuid(), nullable=False),
        sa.Column("assignment_id", sa.Uuid(), nullable=False),
        sa.Column("responder_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["assignment.id"],
            name=op.f("fk_code_release_assignment_id_assignment"),
        ),
        sa.ForeignKeyConstraint(
            ["responder_id"], ["responder.id"], name=op.f("fk_code_release_responder_id_responder")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_release")),
    )
    op.create_index(op.f("ix_code_release_aed_id"), "code_release", ["aed_id"], unique=False)
    op.create_index(
        op.f("ix_code_release_assignment_id"), "code_release", ["assignment_id"], unique=False
    )
    op.add_column("aed", sa.Column("phone", sa.Text(), nullable=True))
    op.add_column("aed", sa.Column("source_crs", sa.Text(), server_default="wgs84", nullable=False))
    op.add_column("aed", sa.Column("raw_lon", sa.Float(), nullable=True))
    op.add_column("aed", sa.Column("raw_lat", sa.Float(), nullable=True))
    op.add_column("aed", sa.Column("accuracy_m", sa.Float(), nullable=True))
    op.add_column("aed", sa.Column("position_method", sa.Text(), nullable=True))
    op.add_column("aed", sa.Column("closed_from", sa.DateTime(timezone=True), nullable=True))
    op.add_column("aed", sa.Column("closed_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("aed", sa.Column("closed_note", sa.Text(), nullable=True))
    op.add_column("aed", sa.Column("brand", sa.Text(), nullable=True))
    op.add_column("aed", sa.Column("model", sa.Text(), nullable=True))
    op.add_column("aed", sa.Column("serial", sa.Text(), nullable=True))
    op.add_column("aed", sa.Column("pads_expire_on", sa.Date(), nullable=True))
    op.add_column("aed", sa.Column("child_pads_expire_on", sa.Date(), nullable=True))
    op.add_column("aed", sa.Column("has_child_pads", sa.Boolean(), nullable=True))
    op.add_column("aed", sa.Column("battery_expires_on", sa.Date(), nullable=True))
    op.add_column("aed", sa.Column("installed_on", sa.Date(), nullable=True))
    op.add_column("aed", sa.Column("acquired", sa.Text(), nullable=True))
    op.add_column("aed", sa.Column("donor", sa.Text(), nullable=True))
    op.add_column("aed", sa.Column("carrier", sa.Text(), nullable=True))
    op.add_column("aed", sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("aed", sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("aed", sa.Column("check_every_days", sa.SmallInteger(), nullable=True))
    op.create_index("ix_aed_updated_at", "aed", ["updated_at"], unique=False)
    op.add_column("aed_check", sa.Column("child_pads_expire_on", sa.Date(), nullable=True))
    op.add_column("aed_check", sa.Column("away_m", sa.Float(), nullable=True))
    op.add_column(
        "aed_report",
        sa.Column("position", Geography("POINT", srid=4326, spatial_index=False), nullable=True),
    )
    op.add_column(
        "aed_report", sa.Column("verdict", sa.Text(), server_default="open", nullable=False)
    )
    op.add_column("aed_report", sa.Column("settled_by", sa.Uuid(), nullable=True))
    op.add_column("aed_report", sa.Column("settled_note", sa.Text(), nullable=True))
    op.create_index(
        "ix_aed_report_open",
        "aed_report",
        ["at"],
        unique=False,
        postgresql_where=sa.text("verdict = 'open'"),
    )
    op.add_column("certificate", sa.Column("reviewed_by", sa.Uuid(), nullable=True))
    op.add_column(
        "certificate", sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_foreign_key(
        op.f("fk_certificate_reviewed_by_person"), "certificate", "person", ["reviewed_by"], ["id"]
    )
    op.add_column("responder", sa.Column("code", sa.Text(), nullable=True))
    op.add_column("responder", sa.Column("note", sa.Text(), nullable=True))
    op.add_column("responder", sa.Column("suspended_reason", sa.Text(), nullable=True))
    op.create_unique_constraint(op.f("uq_responder_org_id_code"), "responder", ["org_id", "code"])
    # A report that was settled before there were verdicts was followed by a look: accepted.
    op.execute("UPDATE aed_report SET verdict = 'accepted' WHERE settled_at IS NOT NULL")
    for name, table, condition in _CHECKS:
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
    op.drop_constraint(op.f("ck_aed_report_kind"), "aed_report", type_="check")
    op.create_check_constraint(op.f("ck_aed_report_kind"), "aed_report", _KINDS)


def downgrade() -> None:
    """Take the step back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index(
        "ix_address_place", table_name="address", postgresql_where=sa.text("kind = 'place'")
    )
    for event, _rows in _CHANGE_TRIGGERS:
        op.execute(f"DROP TRIGGER aed_change_{event} ON aed")
    op.execute("DROP FUNCTION note_aed_change()")
    op.drop_index("ix_aed_change_xid", table_name="aed_change")
    op.drop_table("aed_change")
    op.execute("UPDATE aed_report SET kind = 'other' WHERE kind = 'closed'")
    op.drop_constraint(op.f("ck_aed_report_kind"), "aed_report", type_="check")
    op.create_check_constraint(op.f("ck_aed_report_kind"), "aed_report", _FORMER_KINDS)
    for name, table, _condition in _CHECKS:
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.drop_constraint(op.f("uq_responder_org_id_code"), "responder", type_="unique")
    op.drop_column("responder", "suspended_reason")
    op.drop_column("responder", "note")
    op.drop_column("responder", "code")
    op.drop_constraint(op.f("fk_certificate_reviewed_by_person"), "certificate", type_="foreignkey")
    op.drop_column("certificate", "reviewed_at")
    op.drop_column("certificate", "reviewed_by")
    op.drop_index(
        "ix_aed_report_open", table_name="aed_report", postgresql_where=sa.text("verdict = 'open'")
    )
    op.drop_column("aed_report", "settled_note")
    op.drop_column("aed_report", "settled_by")
    op.drop_column("aed_report", "verdict")
    op.drop_column("aed_report", "position")
    op.drop_column("aed_check", "away_m")
    op.drop_column("aed_check", "child_pads_expire_on")
    op.drop_index("ix_aed_updated_at", table_name="aed")
    op.drop_column("aed", "check_every_days")
    op.drop_column("aed", "taken_at")
    op.drop_column("aed", "moved_at")
    op.drop_column("aed", "carrier")
    op.drop_column("aed", "donor")
    op.drop_column("aed", "acquired")
    op.drop_column("aed", "installed_on")
    op.drop_column("aed", "battery_expires_on")
    op.drop_column("aed", "has_child_pads")
    op.drop_column("aed", "child_pads_expire_on")
    op.drop_column("aed", "pads_expire_on")
    op.drop_column("aed", "serial")
    op.drop_column("aed", "model")
    op.drop_column("aed", "brand")
    op.drop_column("aed", "closed_note")
    op.drop_column("aed", "closed_until")
    op.drop_column("aed", "closed_from")
    op.drop_column("aed", "position_method")
    op.drop_column("aed", "accuracy_m")
    op.drop_column("aed", "raw_lat")
    op.drop_column("aed", "raw_lon")
    op.drop_column("aed", "source_crs")
    op.drop_column("aed", "phone")
    op.drop_index(op.f("ix_code_release_assignment_id"), table_name="code_release")
    op.drop_index(op.f("ix_code_release_aed_id"), table_name="code_release")
    op.drop_table("code_release")
    op.drop_index(op.f("ix_tracker_responder_id"), table_name="tracker")
    op.drop_table("tracker")
    op.alter_column("idempotency", "subject_id", new_column_name="person_id")
    op.execute("DELETE FROM idempotency WHERE person_id NOT IN (SELECT id FROM person)")
    op.create_foreign_key(
        op.f("fk_idempotency_person_id_person"), "idempotency", "person", ["person_id"], ["id"]
    )
    op.drop_table("import_profile")
    op.drop_index(op.f("ix_import_file_org_id"), table_name="import_file")
    op.drop_index("ix_import_file_created_at", table_name="import_file")
    op.drop_table("import_file")
    op.drop_index("ix_report_attempt_window_ends_at", table_name="report_attempt")
    op.drop_table("report_attempt")
    op.drop_index(
        "uq_aed_use_open", table_name="aed_use", postgresql_where=sa.text("returned_at is null")
    )
    op.drop_index(op.f("ix_aed_use_aed_id"), table_name="aed_use")
    op.drop_table("aed_use")
    op.drop_index(op.f("ix_aed_photo_aed_id"), table_name="aed_photo")
    op.drop_table("aed_photo")
    op.drop_table("aed_reminder")
    op.drop_table("aed_custodian")
    op.drop_table("aed_code")
