"""The one metadata of geo, and short spellings of the columns that recur."""

from geoalchemy2 import Geography
from sqlalchemy import Column, DateTime, MetaData, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def point() -> Geography:
    """Return the type of a point on the Earth in WGS-84, without an index of its own."""
    return Geography("POINT", srid=4326, spatial_index=False)


def at(name: str = "at", *, nullable: bool = False) -> Column[object]:
    """Return a time with its zone."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def word(name: str, *, nullable: bool = True) -> Column[object]:
    """Return a text."""
    return Column(name, Text, nullable=nullable)
