"""What a quicker alarm and plan need.

Revision: 0008_pre_alarm
After: 0007_pre_dispatch
"""

import sqlalchemy as sa
from alembic import op

revision = "0008_pre_alarm"
down_revision = "0007_pre_dispatch"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what a quicker alarm and plan need."""
    # A plan reads until when thousands may be asked, and looks for people whom nobody can place.
    op.create_index(
        "ix_certificate_verified", "certificate", ["responder_id", "expires_on"],
        postgresql_where=sa.text("status = 'verified'"),
    )  # fmt: skip
    op.create_index(
        "ix_responder_available", "responder", ["org_id"],
        postgresql_where=sa.text("duty = 'available'"),
    )  # fmt: skip
    # Few have an AED at hand; a plan weighs them from farther away.
    op.create_index(
        "ix_responder_carries_aed", "responder", ["id"],
        postgresql_where=sa.text("skills @> array['carries_aed']"),
    )  # fmt: skip
    # Who was asked before an incident was opened again may be asked again.
    op.add_column("incident", sa.Column("reopened_at", sa.DateTime(timezone=True)))
    op.drop_constraint("uq_alert_incident_id_responder_id", "alert")
    op.add_column("certificate", sa.Column("unpushed_since", sa.DateTime(timezone=True)))
    op.create_index(
        "ix_certificate_unpushed", "certificate", ["unpushed_since"],
        postgresql_where=sa.text("unpushed_since is not null"),
    )  # fmt: skip


def downgrade() -> None:
    """Take it away again."""
    op.drop_index("ix_responder_carries_aed", "responder")
    op.drop_index("ix_responder_available", "responder")
    op.drop_index("ix_certificate_verified", "certificate")
    op.drop_index("ix_certificate_unpushed", "certificate")
    op.drop_column("certificate", "unpushed_since")
    # Fails where somebody was asked again after that: such an alarm does not fit any more.
    op.create_unique_constraint(
        "uq_alert_incident_id_responder_id", "alert", ["incident_id", "responder_id"]
    )
    op.drop_column("incident", "reopened_at")
