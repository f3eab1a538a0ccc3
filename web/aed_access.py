"""Whose an AED is, and what is said of one that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, fetchers, orgs
from geo import aed_photos, aed_reports, aed_uses, aeds
from web import auth, rights
from web.rights import Action


async def owner(conn: AsyncConnection, caller: auth.Caller, action: Action, aed_id: UUID) -> str:
    """Let the caller pass and give the code of the owning organisation.

    Raises NotFound, NotAllowed.
    """
    thing = await rights.check(conn, caller, action, orgs.Noun.AED, aed_id)
    return _code(thing)


async def owner_or_fetcher(
    conn: AsyncConnection, caller: auth.Caller, action: Action, aed_id: UUID, *, now: datetime
) -> None:
    """Let pass whoever keeps the device, and whoever fetches it or took it within a day.

    Raises NotFound, NotAllowed.
    """
    themselves = rights.Thing(person_id=caller.id)
    is_own = rights.may(caller, Action.OWN_CHANGE, themselves)
    if is_own and await fetchers.has_fetched(conn, aed_id, caller.id, now=now):
        return
    await owner(conn, caller, action, aed_id)


async def seen_by(conn: AsyncConnection, caller: auth.Caller | None, aed_id: UUID) -> str | None:
    """Give the code of the organisation if the caller may see what is not public, else None."""
    if caller is None:
        return None
    found = await orgs.find_owner(conn, orgs.Noun.AED, aed_id)
    thing = rights.Thing(None if found is None else found.path)
    return _code(thing) if rights.may(caller, Action.AED_SEE, thing) else None


def _code(thing: rights.Thing) -> str:
    return (thing.path or "").rstrip("/").rpartition("/")[2]


async def own_orgs(conn: AsyncConnection, caller: auth.Caller | None) -> list[orgs.Org]:
    """List the organisations whose devices the caller may see. Raises NotSignedIn, NotAllowed."""
    if caller is None:
        raise auth.NotSignedIn
    paths = rights.reach(caller, Action.AED_SEE)
    return await orgs.list_orgs(conn, paths, limit=10_000)


@contextmanager
def found() -> Iterator[None]:
    """Let what the registry does not have be NotFound."""
    try:
        yield
    except (
        aeds.AedMissing,
        aed_photos.PhotoMissing,
        aed_reports.ReportMissing,
        aed_uses.UseMissing,
    ):
        raise errors.NotFound from None
