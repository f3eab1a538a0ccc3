"""Reads the records of AEDs for the index, over a few connections of its own.

One prepared statement and no transaction around it: a seventh of the processor time that a
snapshot through SQLAlchemy takes, and what a question waits for where nobody asked before.
"""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

import psycopg
from psycopg_pool import AsyncConnectionPool

from geo.aeds import Aed, Cabinet
from geo.position import Position
from geo.usability import Access, Status

#: Many short questions share few connections.
_MOST_CONNECTIONS = 4
#: Longer than this nobody waits to learn that the database is away.
_WAIT_S = 3.0

# The transaction is the number of the record: another one, another record.
_NAMES = tuple(field.name for field in fields(Aed) if field.name != "position")
_SELECT = (
    "select coalesce(xid, 0), ST_X(position::geometry), ST_Y(position::geometry), "  # noqa: S608 - our own names
    + ", ".join(_NAMES)
    + " from aed left join aed_change on aed_id = id where id = any(%s)"
)


class Records:
    """A way to the records; opens and closes with the process, or with a test."""

    def __init__(self, database_url: str, options: str = "") -> None:
        self._pool = AsyncConnectionPool(
            database_url,
            min_size=0,
            max_size=_MOST_CONNECTIONS,
            timeout=_WAIT_S,
            reconnect_timeout=_WAIT_S,
            open=False,
            kwargs={"autocommit": True, "options": options, "connect_timeout": 3},
        )

    async def open(self) -> None:
        """Get ready; connects on first use."""
        await self._pool.open()

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.close()

    async def read(self, ids: Sequence[UUID]) -> list[tuple[Aed, int]]:
        """Read these devices, each with the transaction that changed it last.

        Raises psycopg.OperationalError when the database is away.
        """
        try:
            rows = await self._rows(ids)
        except psycopg.OperationalError:
            await self._pool.check()  # it may have been restarted: drop what is dead
            rows = await self._rows(ids)
        return [(_aed(row), row[0]) for row in rows]

    async def _rows(self, ids: Sequence[UUID]) -> list[tuple[Any, ...]]:
        async with self._pool.connection() as conn:
            cursor = conn.cursor(binary=True)
            await cursor.execute(_SELECT, (list(ids),), prepare=True)
            return await cursor.fetchall()


def _aed(row: tuple[Any, ...]) -> Aed:
    values = dict(zip(_NAMES, row[3:], strict=True))
    values["access"] = Access(values["access"])
    values["cabinet"] = Cabinet(values["cabinet"])
    values["status"] = Status(values["status"])
    return Aed(position=Position(row[1], row[2]), **values)
