"""One change per `Idempotency-Key`: a repeat gets the first answer, byte for byte, for 72 h.

A router whose routes create is made with `route_class=idempotency.Route`, each such route says
`dependencies=[idempotency.REQUIRED]`. It opens the transaction, takes a lock on (subject, key),
replays what is stored or runs the handler and stores its answer, and commits; so the change and its
answer are stored together or not at all, and the reply leaves after the commit. Lock and look go
with the handler's first statement, the answer with the commit: no round trip is theirs alone.

The subject is the person who calls. Where a route says `FOR_ANYBODY`, somebody who is not signed in
is known by a hash of the address and the key: as the key is random, no address can be read from it,
and no other client behind the same address is given the answer unless it knows the key.

Stored are successes and conflicts (409). Anything else changed nothing and may be tried again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from fastapi import Depends, Header
from fastapi.routing import APIRoute
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from dispatch import db, errors, tables
from web import auth, dependencies, plain_call, problems
from web.plain_depends import at_once
from web.recent_callers import RecentCallers

KEPT_FOR = timedelta(hours=72)
KEY_MOST = 200
#: A plan that is outdated when it should be sent is made again, so that it is tried this often.
TRIES = 3

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class KeyRequired(errors.Malformed):
    """A POST that creates or alerts needs an Idempotency-Key."""

    code = "key_required"


def key_of(
    request: Request,
    _documented: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="A fresh random text per intent, needed here. The same key and body give "
            "the same answer for 72 h (then with `Idempotent-Replayed: true`); the same key with "
            "another body gives 422 `key_reused`.",
            max_length=KEY_MOST,
        ),
    ] = None,
) -> str:
    """Return the request's key. Raises KeyRequired."""
    key = request.headers.get("idempotency-key", "").strip()
    if not key or len(key) > KEY_MOST or not key.isprintable():
        raise KeyRequired
    return key


REQUIRED = Depends(at_once(key_of))


def open_key_of(key: Annotated[str, REQUIRED]) -> str:
    """Return the key of a request that needs no session."""
    return key


FOR_ANYBODY = Depends(at_once(open_key_of))


class Route(APIRoute):
    """A route that, where it says so, makes its change at most once per subject and key."""

    def get_route_handler(self) -> Handler:
        """Wrap the handler that FastAPI builds."""
        handler = super().get_route_handler()
        is_open = FOR_ANYBODY in self.dependencies
        if REQUIRED not in self.dependencies and not is_open:
            return handler
        plain = plain_call.of(self, done=(REQUIRED.dependency, FOR_ANYBODY.dependency))

        async def once(request: Request) -> Response:
            recent: RecentCallers = request.app.state.callers
            caller = await recent.identify(request)
            if not is_open:
                caller = await dependencies.require_caller(caller)
            key = key_of(request)
            subject_id = _nobody(request, key) if caller is None else caller.id
            claim = Claim(subject_id, key, request.url.path, await _digest(request))
            return await _once(request, claim, handle)

        async def handle(request: Request) -> Response:
            values = None if plain is None else plain.values(request)
            answer = handler(request) if values is None else self.endpoint(**values)
            return await answer

        return once


def _nobody(request: Request, key: str) -> UUID:
    """Name somebody who is not signed in."""
    said = f"{auth.subject_of(request)}\0{key}"
    return UUID(bytes=hashlib.sha256(said.encode()).digest()[:16])


class ShownOnce(Response):
    """An answer with a secret: a repeat gets `kept`, the same without it, so nothing stores it."""

    def __init__(self, body: bytes, kept: bytes, *, status: int, location: str) -> None:
        super().__init__(
            body, status, headers={"Location": location}, media_type="application/json"
        )
        self.kept = kept


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose key it is and what it was sent with."""

    subject_id: UUID
    key: str
    route: str
    body_hash: bytes


async def _digest(request: Request) -> bytes:
    """Hash what was asked for: the body's values, not their spelling, and the query but ?lang.

    Leaves the values in the request's state.
    """
    body = await request.body()
    asked = body or b"{}"
    with suppress(orjson.JSONDecodeError):
        said = orjson.loads(asked)
        asked = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
        request.state.said = said if body else None
    query = sorted(item for item in request.query_params.multi_items() if item[0] != "lang")
    return hashlib.sha256(asked + b"\0" + orjson.dumps(query)).digest()


async def _once(request: Request, claim: Claim, handler: Handler) -> Response:
    database, now = dependencies.database_of(request), dependencies.now_of(request)
    try:
        return await _change(request, claim, handler)
    except errors.Conflict as conflict:
        response = problems.of_dispatch(request, conflict)
    try:
        async with database.transaction() as conn:
            # An equal request may have been here while ours was rolled back: then its answer holds.
            _replay(claim, await db.together(conn, *_finding(claim, now)))
            await _store(conn, claim, response, now=now)
            return response
    except _Stored as stored:
        return stored.response


async def _change(request: Request, claim: Claim, handler: Handler) -> Response:
    """Run the handler, and anew when what it decided from has changed while it decided."""
    for _ in range(TRIES - 1):
        with suppress(errors.PlanOutdated):
            return await _try(request, claim, handler)
    return await _try(request, claim, handler)


async def _try(request: Request, claim: Claim, handler: Handler) -> Response:
    now = dependencies.now_of(request)
    try:
        async with dependencies.database_of(request).transaction() as conn:
            db.put_ahead(conn, *_finding(claim, now), check=partial(_replay, claim))
            request.state.transaction = conn
            try:
                response = await handler(request)
            finally:
                await db.together(conn)  # a stored answer holds, whatever this try has met
            await _store(conn, claim, response, now=now)
            return response
    except _Stored as stored:
        return stored.response


class _Stored(Exception):
    """The request was answered before; ends a transaction that is not needed."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


# Two keys that share a number only wait for each other once in 2^64; the row decides.
_LOCK = sa.text("""
select pg_advisory_xact_lock(hashtextextended(cast(:subject_id as text) || :key, 0))
""")


_row = tables.idempotency.c
_STORED = sa.select(tables.idempotency).where(
    _row.subject_id == sa.bindparam("subject"),
    _row.key == sa.bindparam("of_key"),
    _row.created_at > sa.bindparam("since"),
)


def _finding(claim: Claim, now: datetime) -> tuple[db.Query, db.Query]:
    """Wait for an equal request that is under way, then look for its answer."""
    lock = {"subject_id": str(claim.subject_id), "key": claim.key}
    asked = {"subject": claim.subject_id, "of_key": claim.key, "since": now - KEPT_FOR}
    return (_LOCK, lock), (_STORED, asked)


def _replay(claim: Claim, found: list[db.Rows]) -> None:
    """Raise the stored answer, if there is one, or KeyReused when it is to something else."""
    _, rows = found
    if not rows:
        return
    [row] = rows
    if (row["route"], row["body_hash"]) != (claim.route, claim.body_hash):
        raise errors.KeyReused
    headers = {**row["headers"], "Idempotent-Replayed": "true"}
    raise _Stored(Response(row["body"], row["status"], headers=headers))


# A row that is older than 72 h is as good as none, and is replaced.
_insert = pg.insert(tables.idempotency)
_STORE = _insert.on_conflict_do_update(
    index_elements=["subject_id", "key"],
    set_={
        name: _insert.excluded[name]
        for name in ("route", "body_hash", "status", "headers", "body", "created_at")
    },
)

_KEPT_HEADERS = ("content-type", "content-language", "location", "etag")


async def _store(conn: AsyncConnection, claim: Claim, response: Response, *, now: datetime) -> None:
    headers = {name: value for name in _KEPT_HEADERS if (value := response.headers.get(name))}
    kept: Mapping[str, object] = {
        "subject_id": claim.subject_id,
        "key": claim.key,
        "route": claim.route,
        "body_hash": claim.body_hash,
        "status": response.status_code,
        "headers": db.json(headers),
        "body": bytes(response.kept if isinstance(response, ShownOnce) else response.body),
        "created_at": now,
    }
    db.put_last(conn, (_STORE, kept))
