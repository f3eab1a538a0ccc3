"""PostGIS, trigrams and exclusion over ranges.

Revision: 0001_pre_extensions
After: None
"""

from alembic import op

revision = "0001_pre_extensions"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema up by one step."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")


def downgrade() -> None:
    """Take the step back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    # Extensions stay: other things may use them, and dropping PostGIS drops every position.
