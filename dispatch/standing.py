"""Who people are and what they may do: how often this process has changed it.

What is remembered of a caller for a moment holds only while the number stays; so what a process has
ended itself is over at once in it, and elsewhere within that moment.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db


class _Changes:
    """The number of commits that changed anybody's standing."""

    def __init__(self) -> None:
        self.number = 0

    def count(self) -> None:
        """Count one more."""
        self.number += 1


_changes = _Changes()


def number() -> int:
    """Say how often it has changed."""
    return _changes.number


def changed(conn: AsyncConnection) -> None:
    """Count one more when this transaction is committed."""
    db.after_commit(conn, _changes.count)
