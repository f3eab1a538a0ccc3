"""The live log.

Revision: 0002_pre_realtime
After: 0001_pre_extensions
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002_pre_realtime"
down_revision = "0001_pre_extensions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema up by one step."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "event",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("topic", "epoch", "seq", name=op.f("pk_event")),
    )
    op.create_index(op.f("ix_event_at"), "event", ["at"], unique=False)
    op.create_table(
        "topic_clock",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_topic_clock")),
    )
    # The epoch that every topic of this database is born with (realtime.log.BIRTH).
    op.execute(
        "INSERT INTO topic_clock (topic, epoch, seq) "
        "VALUES ('*', replace(CAST(gen_random_uuid() AS text), '-', ''), 0)"
    )


def downgrade() -> None:
    """Take the step back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("topic_clock")
    op.drop_index(op.f("ix_event_at"), table_name="event")
    op.drop_table("event")
