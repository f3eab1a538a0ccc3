"""Ids that sort by the time they were made."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Make a UUIDv7: unique everywhere, and in the order of its making."""
    return uuid7()
