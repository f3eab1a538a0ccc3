"""The one metadata of dispatch, and short spellings of the columns that recur."""

from __future__ import annotations

from geoalchemy2 import Geography
from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    MetaData,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def identity() -> Column[object]:
    """Return the primary key, a UUID."""
    return Column("id", Uuid, primary_key=True)


def ref(name: str, target: str, *, nullable: bool = False, index: bool = False) -> Column[object]:
    """Return a foreign key to the id of another table."""
    return Column(name, Uuid, ForeignKey(f"{target}.id"), nullable=nullable, index=index)


def at(name: str, *, nullable: bool = False) -> Column[object]:
    """Return a time with its zone."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def now(name: str) -> Column[object]:
    """Return a time that is now unless given."""
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def word(name: str, *, nullable: bool = False) -> Column[object]:
    """Return a text."""
    return Column(name, Text, nullable=nullable)


def count(name: str, default: int) -> Column[object]:
    """Return an integer with a default."""
    return Column(name, Integer, nullable=False, server_default=str(default))


def flag(name: str) -> Column[object]:
    """Return a boolean that is false unless given."""
    return Column(name, Boolean, nullable=False, server_default=text("false"))


def json(name: str, *, nullable: bool = False) -> Column[object]:
    """Return a JSON document."""
    return Column(name, JSONB, nullable=nullable)


def position(name: str = "position", *, nullable: bool = False) -> Column[object]:
    """Return a point on the Earth in WGS-84, without an index of its own."""
    return Column(name, Geography("POINT", 4326, spatial_index=False), nullable=nullable)
