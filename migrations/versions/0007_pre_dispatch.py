"""Policies, allocation records, deliveries, care, and the parts of an incident's life.

Revision: 0007_pre_dispatch
After: 0006_pre_registry
"""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geography
from sqlalchemy.dialects import postgresql

revision = "0007_pre_dispatch"
down_revision = "0006_pre_registry"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what the pre-dispatch work needs."""
    op.create_table(
        "aed_listed",
        sa.Column("aed_id", sa.Uuid(), nullable=False),
        sa.Column("said", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["aed_id"], ["aed.id"], name=op.f("fk_aed_listed_aed_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("aed_id", name=op.f("pk_aed_listed")),
    )
    _incident_life()
    _channels()
    _policies()
    _care()
    _waves()


def downgrade() -> None:
    """Take it away again."""
    _no_waves()
    _no_care()
    _no_policies()
    _no_channels()
    _no_incident_life()
    op.drop_table("aed_listed")


def _waves() -> None:
    """Let somebody meet the ambulance, and keep which alarm level was asked for."""
    op.drop_constraint(op.f("ck_alert_role"), "alert", type_="check")
    op.create_check_constraint(
        op.f("ck_alert_role"), "alert", "role in ('direct','via_aed','guide')"
    )
    op.add_column("wave", sa.Column("level", sa.SmallInteger(), nullable=True))


def _no_waves() -> None:
    op.drop_column("wave", "level")
    op.execute("UPDATE alert SET role = 'direct' WHERE role = 'guide'")
    op.drop_constraint(op.f("ck_alert_role"), "alert", type_="check")
    op.create_check_constraint(op.f("ck_alert_role"), "alert", "role in ('direct','via_aed')")


def _incident_life() -> None:
    """Add disasters, what sources said, attachments, and merged calls."""
    op.create_table(
        "disaster",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("exercise", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("command", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["opened_by"], ["person.id"], name=op.f("fk_disaster_opened_by_person")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name=op.f("fk_disaster_org_id_org")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disaster")),
    )
    op.create_index(op.f("ix_disaster_org_id"), "disaster", ["org_id"])
    op.add_column("incident", sa.Column("patients", sa.SmallInteger(), nullable=True))
    op.add_column("incident", sa.Column("disaster_id", sa.Uuid(), nullable=True))
    op.add_column("incident", sa.Column("merged_into", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_incident_disaster_id_disaster"), "incident", "disaster", ["disaster_id"], ["id"]
    )
    op.create_foreign_key(
        op.f("fk_incident_merged_into_incident"), "incident", "incident", ["merged_into"], ["id"]
    )
    op.create_index(op.f("ix_incident_disaster_id"), "incident", ["disaster_id"])
    op.create_index(op.f("ix_incident_merged_into"), "incident", ["merged_into"])
    op.create_check_constraint(op.f("ck_incident_patients"), "incident", "patients >= 0")
    op.create_check_constraint(op.f("ck_incident_merged_into"), "incident", "merged_into <> id")
    op.create_table(
        "incident_value",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("told_by_id", sa.Uuid(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("chosen_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "source in ('caller','operator','responder','ambulance','device')",
            name=op.f("ck_incident_value_source"),
        ),
        *(
            sa.ForeignKeyConstraint(
                [name], [f"{table}.id"], name=op.f(f"fk_incident_value_{name}_{table}")
            )
            for name, table in (
                ("incident_id", "incident"),
                ("told_by_id", "incident"),
                ("actor_id", "person"),
                ("chosen_by", "person"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_value")),
    )
    op.create_index(op.f("ix_incident_value_incident_id"), "incident_value", ["incident_id"])
    op.create_index(
        "ux_incident_value_one_chosen",
        "incident_value",
        ["incident_id", "field"],
        unique=True,
        postgresql_where=sa.text("chosen_at is not null"),
    )
    op.create_table(
        "attachment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("original_type", sa.Text(), nullable=False),
        sa.Column("original", sa.LargeBinary(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_attachment_incident_id_incident")
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["person.id"], name=op.f("fk_attachment_actor_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    op.create_index(op.f("ix_attachment_incident_id"), "attachment", ["incident_id"])


def _no_incident_life() -> None:
    op.drop_table("attachment")
    op.drop_table("incident_value")
    for name in ("merged_into", "disaster_id", "patients"):
        op.drop_column("incident", name)
    op.drop_table("disaster")


def _policies() -> None:
    """Add policies with their reports, and people's quiet hours."""
    op.create_table(
        "simulation_report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=True),
        sa.Column("digests", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("incidents", sa.Integer(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id"], ["org.id"], name=op.f("fk_simulation_report_org_id_org")
        ),
        sa.ForeignKeyConstraint(
            ["made_by"], ["person.id"], name=op.f("fk_simulation_report_made_by_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_simulation_report")),
    )
    op.create_index(op.f("ix_simulation_report_org_id"), "simulation_report", ["org_id"])
    op.create_index(
        "ix_simulation_report_digests", "simulation_report", ["digests"], postgresql_using="gin"
    )
    op.create_table(
        "policy_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("kinds", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column(
            "severities", postgresql.ARRAY(sa.SmallInteger()), server_default="{}", nullable=False
        ),
        sa.Column("area", Geography("MULTIPOLYGON", 4326, spatial_index=False), nullable=True),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("effective_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_by", sa.Uuid(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status in ('draft','published','retired')", name=op.f("ck_policy_version_status")
        ),
        sa.CheckConstraint(
            "status = 'draft' or (report_id is not null and effective_from is not null)",
            name=op.f("ck_policy_version_published"),
        ),
        sa.CheckConstraint(
            "effective_until > effective_from", name=op.f("ck_policy_version_effective")
        ),
        *(
            sa.ForeignKeyConstraint(
                [name], [f"{table}.id"], name=op.f(f"fk_policy_version_{name}_{table}")
            )
            for name, table in (
                ("org_id", "org"),
                ("report_id", "simulation_report"),
                ("created_by", "person"),
                ("published_by", "person"),
                ("retired_by", "person"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_version")),
        sa.UniqueConstraint(
            "org_id", "name", "version", name=op.f("uq_policy_version_org_id_name_version")
        ),
    )
    op.add_column("responder", sa.Column("quiet_from", sa.Time(), nullable=True))
    op.add_column("responder", sa.Column("quiet_until", sa.Time(), nullable=True))
    op.create_check_constraint(
        op.f("ck_responder_quiet"), "responder", "(quiet_from is null) = (quiet_until is null)"
    )
    _simulation_jobs()


def _simulation_jobs() -> None:
    op.create_table(
        "simulation_job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("request", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), server_default="queued", nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("report_id", sa.Uuid(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status in ('queued','running','done','failed')",
            name=op.f("ck_simulation_job_status"),
        ),
        sa.CheckConstraint(
            "(status = 'done') = (report_id is not null)", name=op.f("ck_simulation_job_report")
        ),
        *(
            sa.ForeignKeyConstraint(
                [name], [f"{table}.id"], name=op.f(f"fk_simulation_job_{name}_{table}")
            )
            for name, table in (
                ("org_id", "org"),
                ("policy_id", "policy_version"),
                ("report_id", "simulation_report"),
                ("created_by", "person"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_simulation_job")),
    )
    op.create_index(op.f("ix_simulation_job_org_id"), "simulation_job", ["org_id"])
    op.create_index(
        "ix_simulation_job_open", "simulation_job", ["created_at"],
        postgresql_where=sa.text("status in ('queued','running')"),
    )  # fmt: skip


def _no_policies() -> None:
    op.drop_table("simulation_job")
    op.drop_column("responder", "quiet_until")
    op.drop_column("responder", "quiet_from")
    op.drop_table("policy_version")
    op.drop_table("simulation_report")


_DELIVERY_TIMES = ("due_at", "connected_due_at", "expires_at", "changed_at")
_DELIVERY_WORDS = ("unless", "provider_id", "why")


def _channels() -> None:
    """Add the channels, people's devices and accounts on them, and the rungs of a ladder."""
    moment = sa.DateTime(timezone=True)
    for name in _DELIVERY_TIMES:
        op.add_column("delivery", sa.Column(name, moment, nullable=True))
    for name in _DELIVERY_WORDS:
        op.add_column("delivery", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("delivery", sa.Column("token", sa.Integer(), server_default="0", nullable=False))
    op.create_index(
        "ix_delivery_due", "delivery", ["due_at"],
        postgresql_where=sa.text("status = 'queued' and due_at is not null"),
    )  # fmt: skip
    op.create_index(
        "ix_delivery_sent", "delivery", ["channel", "sent_at"],
        postgresql_where=sa.text("due_at is not null"),
    )  # fmt: skip
    op.create_table(
        "channel",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_on", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_test", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("flagged_at", moment, nullable=True),
        sa.Column("sent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("delivered", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("checked_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_channel")),
    )
    _accounts_of_people(moment)


def _accounts_of_people(moment: sa.DateTime) -> None:
    op.create_table(
        "push_subscription",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("p256dh", sa.Text(), nullable=False),
        sa.Column("auth", sa.Text(), nullable=False),
        sa.Column("created_at", moment, server_default=sa.text("now()"), nullable=False),
        sa.Column("gone_at", moment, nullable=True),
        sa.Column("probe_due_at", moment, nullable=False),
        sa.Column("probed_at", moment, nullable=True),
        sa.Column("probe_answered_at", moment, nullable=True),
        sa.Column("probe_hash", sa.LargeBinary(), nullable=True),
        sa.Column("flagged_at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_push_subscription_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_subscription")),
        sa.UniqueConstraint("endpoint", name=op.f("uq_push_subscription_endpoint")),
    )
    op.create_index(op.f("ix_push_subscription_person_id"), "push_subscription", ["person_id"])
    op.create_index("ix_push_subscription_probe_due_at", "push_subscription", ["probe_due_at"])
    op.create_table(
        "contact",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "channel in ('wecom','dingtalk','feishu')", name=op.f("ck_contact_channel")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_contact_person_id_person")
        ),
        sa.PrimaryKeyConstraint("person_id", "channel", name=op.f("pk_contact")),
    )
    op.create_table(
        "alert_code",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("created_at", moment, server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alert.id"], name=op.f("fk_alert_code_alert_id_alert")
        ),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_alert_code")),
    )
    op.create_index(op.f("ix_alert_code_alert_id"), "alert_code", ["alert_id"])
    op.create_index("ix_alert_code_expires_at", "alert_code", ["expires_at"])


def _no_channels() -> None:
    for table in ("alert_code", "contact", "push_subscription", "channel"):
        op.drop_table(table)
    op.drop_index("ix_delivery_sent", "delivery")
    op.drop_index("ix_delivery_due", "delivery")
    for name in ("token", *_DELIVERY_WORDS, *_DELIVERY_TIMES):
        op.drop_column("delivery", name)


_ROLES = "'operator','responder','planner','keeper','admin','auditor'"


def _care() -> None:
    """Add tasks, surveys and the role of those who care for volunteers."""
    op.drop_constraint(op.f("ck_membership_role"), "membership", type_="check")
    op.create_check_constraint(
        op.f("ck_membership_role"), "membership", f"role in ({_ROLES},'carer')"
    )
    op.create_table(
        "task",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("exercise", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_by", sa.Uuid(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("overdue_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["org_id"], ["org.id"], name=op.f("fk_task_org_id_org")),
        sa.ForeignKeyConstraint(["taken_by"], ["person.id"], name=op.f("fk_task_taken_by_person")),
        sa.ForeignKeyConstraint(["done_by"], ["person.id"], name=op.f("fk_task_done_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    op.create_index(op.f("ix_task_subject_id"), "task", ["subject_id"])
    op.create_index(
        "ix_task_open", "task", ["org_id", "due_at"],
        postgresql_where=sa.text("done_at is null"),
    )  # fmt: skip
    op.create_table(
        "survey",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("responder_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.SmallInteger(), nullable=False),
        sa.Column("exercise", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pushed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("impact", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "impact in ('none','low','moderate','severe')", name=op.f("ck_survey_impact")
        ),
        sa.CheckConstraint("round in (1, 2)", name=op.f("ck_survey_round")),
        sa.ForeignKeyConstraint(
            ["responder_id"], ["responder.id"], name=op.f("fk_survey_responder_id_responder")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_survey_incident_id_incident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey")),
        sa.UniqueConstraint(
            "responder_id", "incident_id", "round",
            name=op.f("uq_survey_responder_id_incident_id_round"),
        ),
    )  # fmt: skip
    op.create_index(op.f("ix_survey_responder_id"), "survey", ["responder_id"])
    op.create_index(
        "ix_survey_unpushed", "survey", ["asked_at"],
        postgresql_where=sa.text("pushed_at is null"),
    )  # fmt: skip
    moment = sa.DateTime(timezone=True)
    op.add_column("responder", sa.Column("rest_until", moment, nullable=True))
    op.add_column(
        "responder",
        sa.Column("quiet_except", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
    )
    op.add_column("certificate", sa.Column("reminded", sa.SmallInteger(), nullable=True))
    op.create_index("ix_certificate_expires_on", "certificate", ["expires_on"])
    op.add_column("incident", sa.Column("practice_of", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_incident_practice_of_responder"),
        "incident", "responder", ["practice_of"], ["id"],
    )  # fmt: skip
    op.create_index(
        "ux_incident_one_practice", "incident", ["practice_of"], unique=True,
        postgresql_where=sa.text("practice_of is not null and closed_at is null"),
    )  # fmt: skip


def _no_care() -> None:
    op.drop_column("incident", "practice_of")
    op.drop_index("ix_certificate_expires_on", "certificate")
    op.drop_column("certificate", "reminded")
    op.drop_column("responder", "quiet_except")
    op.drop_column("responder", "rest_until")
    op.drop_table("survey")
    op.drop_table("task")
    op.execute("DELETE FROM membership WHERE role = 'carer'")
    op.drop_constraint(op.f("ck_membership_role"), "membership", type_="check")
    op.create_check_constraint(op.f("ck_membership_role"), "membership", f"role in ({_ROLES})")
