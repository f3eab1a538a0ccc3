"""What `golden up` asks before each start, with little code loaded: is there anything to do?

The commands that would do it look again, thoroughly; this only spares a start their seconds.
"""

from typing import LiteralString

import psycopg

from web.commands import installation
from web.commands.installation import Installation

_VERSIONS = installation.ROOT / "migrations" / "versions"


def newest_revision() -> str:
    """Give the newest migration's name; migrations are numbered files."""
    return max(path.stem for path in _VERSIONS.glob("[0-9]*.py"))


def schema_is_up(url: str) -> bool:
    """Tell whether the database has the newest revision."""
    try:
        return _exists(url, "SELECT FROM alembic_version WHERE version_num = %s", newest_revision())
    except psycopg.errors.UndefinedTable:
        return False


def demo_is_there(place: Installation, city: str) -> bool:
    """Tell whether the demo's people, its city and both of the city's networks are here."""
    settings = place.settings
    folders = (settings.walking_dir / city, settings.valhalla_dir / "tiles")
    return (
        all(folder.exists() for folder in folders)
        and _exists(settings.database_url, "SELECT FROM dataset WHERE name = %s", city)
        and _exists(settings.database_url, "SELECT FROM person WHERE username = %s", "operator")
    )


def _exists(url: str, query: LiteralString, value: str) -> bool:
    with psycopg.connect(url, connect_timeout=5) as conn:
        return conn.execute(query, [value]).fetchone() is not None
