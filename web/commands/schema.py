"""The schema of a database against the migrations of this clone."""

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

_FOLDER = Path(__file__).resolve().parents[2] / "migrations"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a database stands: the revision it has, the newest we know, and how many are missing.

    `missing` is None where the database has a revision that this code does not know.
    """

    revision: str | None
    head: str | None
    missing: int | None


def upgrade(url: str) -> None:
    """Bring the schema up to the newest revision; does nothing where it is there already."""
    command.upgrade(_config(url), "head")


def standing(url: str) -> Standing:
    """Compare the database's revision with the migrations of this clone."""
    script = ScriptDirectory.from_config(_config(url))
    engine = sqlalchemy.create_engine(driver_url(url), poolclass=sqlalchemy.NullPool)
    with engine.connect() as conn:
        revision = MigrationContext.configure(conn).get_current_revision()
    known = [step.revision for step in script.walk_revisions()]  # newest first
    if revision is None:
        missing: int | None = len(known)
    else:
        missing = known.index(revision) if revision in known else None
    return Standing(revision, script.get_current_head(), missing)


def driver_url(url: str) -> str:
    """Name the driver in an address, as SQLAlchemy wants it."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["url"] = driver_url(url)
    return config
