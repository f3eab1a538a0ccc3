"""What growth beyond one machine needs.

Revision: 0010_pre_proof
After: 0009_pre_live
"""

from alembic import op

revision = "0010_pre_proof"
down_revision = "0009_pre_live"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let the live log forget a day at a time."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    _partition_events()


def downgrade() -> None:
    """Take it away again."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    _join_events()


# The day on which a row is written chooses one of five partitions in turns: today, the three days
# that are kept, and one that may be emptied.
_DAY = "CAST(floor(extract(epoch FROM now()) / 86400) AS bigint) % 5"


def _partition_events() -> None:
    op.execute("ALTER TABLE event RENAME TO event_before")
    op.execute("ALTER INDEX pk_event RENAME TO pk_event_before")
    op.execute("ALTER INDEX ix_event_at RENAME TO ix_event_before_at")
    op.execute(f"""
        CREATE TABLE event (
            topic text NOT NULL,
            epoch text NOT NULL,
            seq bigint NOT NULL,
            kind text NOT NULL,
            at timestamptz NOT NULL,
            body jsonb NOT NULL,
            slot smallint NOT NULL DEFAULT ({_DAY}),
            CONSTRAINT pk_event PRIMARY KEY (topic, epoch, seq, slot)
        ) PARTITION BY LIST (slot)
    """)
    op.execute("CREATE INDEX ix_event_at ON event (at)")
    for slot in range(5):
        op.execute(f"CREATE TABLE event_{slot} PARTITION OF event FOR VALUES IN ({slot})")
    op.execute(
        "INSERT INTO event (topic, epoch, seq, kind, at, body) "
        "SELECT topic, epoch, seq, kind, at, body FROM event_before"
    )
    op.execute("DROP TABLE event_before")


def _join_events() -> None:
    op.execute("ALTER TABLE event RENAME TO event_by_day")
    op.execute("ALTER INDEX pk_event RENAME TO pk_event_by_day")
    op.execute("ALTER INDEX ix_event_at RENAME TO ix_event_by_day_at")
    op.execute("""
        CREATE TABLE event (
            topic text NOT NULL,
            epoch text NOT NULL,
            seq bigint NOT NULL,
            kind text NOT NULL,
            at timestamptz NOT NULL,
            body jsonb NOT NULL,
            CONSTRAINT pk_event PRIMARY KEY (topic, epoch, seq)
        )
    """)
    op.execute("CREATE INDEX ix_event_at ON event (at)")
    op.execute("INSERT INTO event SELECT topic, epoch, seq, kind, at, body FROM event_by_day")
    op.execute("DROP TABLE event_by_day")
