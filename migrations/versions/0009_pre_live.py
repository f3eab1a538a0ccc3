"""What live alarms and their edges need.

Revision: 0009_pre_live
After: 0008_pre_alarm
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009_pre_live"
down_revision = "0008_pre_alarm"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what live alarms and their edges need."""
    # How somebody is, is asked after each mission: an incident that was opened again has several.
    op.add_column("survey", sa.Column("assignment_id", sa.Uuid()))
    op.create_foreign_key(
        "fk_survey_assignment_id_assignment", "survey", "assignment", ["assignment_id"], ["id"]
    )
    op.drop_constraint("uq_survey_responder_id_incident_id_round", "survey")
    op.create_unique_constraint(
        "uq_survey_assignment_id_round", "survey", ["assignment_id", "round"]
    )
    # Which processes are alive, so that the others can tell when none is.
    op.create_table(
        "process_beat",
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("database_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False, server_default="{}"),
        sa.PrimaryKeyConstraint("process", name="pk_process_beat"),
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("process_beat")
    # Fails where somebody was asked after two missions of one incident: it does not fit any more.
    op.create_unique_constraint(
        "uq_survey_responder_id_incident_id_round", "survey",
        ["responder_id", "incident_id", "round"],
    )  # fmt: skip
    op.drop_column("survey", "assignment_id")
