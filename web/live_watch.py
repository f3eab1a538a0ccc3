"""The look after open sockets, every few seconds: may they still hear, and do they hear at all.

One query asks for every session and token of this process at once; who has changed is looked at
closely.
A topic that stands still here while its clock has moved on is loaded again, whatever the tailer
does.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import HTTPConnection

from dispatch import accounts
from dispatch.settings import Settings
from realtime import log
from realtime.protocol import Close, Hello, Mark
from web import auth, dependencies, rights

if TYPE_CHECKING:  # the two know each other; only the types go both ways
    from web.live import Live
    from web.live_session import Session

_logger = logging.getLogger(__name__)

#: Between two looks. A revoked session is closed within this time.
LOOK_EVERY_S = 5.0

#: In which so many parts of the sockets get their turn: thousands at once would hold up alarms.
TURNS = 20

#: Each socket's topics are checked one by one at least this often, for rights that follow from
#: something else than roles.
CHECK_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Credential:
    """What a client showed: an API token or a session cookie, or nothing."""

    secret: str
    is_token: bool

    @property
    def hash(self) -> bytes:
        """Return what the database knows it by."""
        return accounts.secret_hash(self.secret)

    async def find_caller(self, conn: AsyncConnection) -> auth.Caller | None:
        """Say who it belongs to now; None when it is over."""
        find = auth.caller_from_token if self.is_token else auth.caller_from_cookie
        return await find(conn, self.secret, now=dependencies.clock())


def credential_of(request: HTTPConnection, hello: Hello, settings: Settings) -> Credential:
    """Take the token of the hello or of the handshake's header, else the cookie."""
    token = hello.token or auth.bearer_of(request)
    if token:
        return Credential(token, is_token=True)
    return Credential(auth.cookie_of(request, settings) or "", is_token=False)


async def audible(conn: AsyncConnection, caller: auth.Caller, topics: Sequence[str]) -> set[str]:
    """Return those of the topics that the caller may hear."""
    return {
        topic
        for topic in topics
        if is_canonical(topic) and await rights.may_listen(conn, caller, topic)
    }


def is_canonical(topic: str) -> bool:
    """Say whether an id in a topic is written as the log writes it; else it would never move."""
    kind, _, name = topic.partition(":")
    if kind == "org":
        return True
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


# Primary keys of session and api_token; one row for each secret that still stands, with a short
# word that changes whenever the person's roles or organisation do.
_STANDING = text("""
    WITH who AS (
        SELECT token_hash, person_id, '' AS scopes FROM session
        WHERE token_hash = ANY(CAST(:hashes AS bytea[]))
          AND revoked_at IS NULL AND expires_at > :now
        UNION ALL
        SELECT token_hash, person_id, array_to_string(scopes, ' ') FROM api_token
        WHERE token_hash = ANY(CAST(:hashes AS bytea[]))
          AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now)
    )
    SELECT who.token_hash,
           md5(concat(who.scopes, person.org_id, string_agg(
               concat(membership.org_id, membership.role), ' '
               ORDER BY membership.org_id, membership.role)))
    FROM who
    JOIN person ON person.id = who.person_id AND person.disabled_at IS NULL
    LEFT JOIN membership ON membership.person_id = person.id
    GROUP BY who.token_hash, who.scopes, person.org_id
""")


class Watch:
    """One process's look after its sockets."""

    def __init__(self, line: Live) -> None:
        self._line = line
        # For the metrics.
        self.repairs = 0
        self.failures = 0
        self._behind: dict[str, Mark] = {}

    async def run(self) -> None:
        """Look every few seconds until cancelled; without a database nothing is closed."""
        for turn in itertools.cycle(range(TURNS)):
            await asyncio.sleep(LOOK_EVERY_S / TURNS)
            try:
                await self._line.look(partial(self._look_at_part, turn=turn))
            except (SQLAlchemyError, OSError) as error:  # TimeoutError is an OSError
                self.failures += 1
                _logger.warning("live watch failed: %s", type(error).__name__)

    async def look(self, conn: AsyncConnection) -> None:
        """Close what may no longer hear, and mend what has stopped hearing."""
        await self._check_sessions(conn, self._line.sessions)
        await self._check_topics(conn)

    async def _look_at_part(self, conn: AsyncConnection, *, turn: int) -> None:
        """Look at every so manieth socket, and once a round at the topics."""
        await self._check_sessions(conn, self._line.in_turn[turn])
        if turn == 0:
            await self._check_topics(conn)

    async def _check_sessions(self, conn: AsyncConnection, sessions: Collection[Session]) -> None:
        shown = [
            (session, session.credential)
            for session in sessions
            if session.credential is not None and session.connection.closing is None
        ]
        if not shown:
            return
        hashes = list({credential.hash for _, credential in shown})
        rows = await conn.execute(_STANDING, {"hashes": hashes, "now": dependencies.clock()})
        standing = {bytes(hashed): word for hashed, word in rows}
        for session, credential in shown:
            word = standing.get(credential.hash)
            if word is None:
                session.connection.close(Close.SIGN_IN_AGAIN)
            elif _is_due(session, word):
                await _check(conn, session, credential)

    async def _check_topics(self, conn: AsyncConnection) -> None:
        hub = self._line.hub
        asked = hub.cursors()
        clocks = await log.away_from(conn, asked)
        behind = {topic: asked[topic] for topic in clocks}
        for topic, mark in behind.items():
            if self._behind.get(topic) == mark:
                self.repairs += 1
                _logger.error("live topic stood still and is loaded again")
                hub.turn(topic, clocks[topic])
        self._behind = behind


def _is_due(session: Session, word: str) -> bool:
    """Say whether to look closely: the rights have changed, or it is time.

    A phone hears its own person only, of which nothing but the roles decides.
    """
    time = asyncio.get_running_loop().time()
    is_first = session.standing is None
    is_time = time >= session.check_at and not session.hears_itself_only
    is_due = not is_first and (session.standing != word or is_time)
    if is_due or is_first:
        # Spread out, so that sockets opened in one second are not all checked in one.
        session.check_at = time + CHECK_EVERY_S * random.uniform(0.5, 1.0)  # noqa: S311  # spread
    session.standing = word
    return is_due


async def _check(conn: AsyncConnection, session: Session, credential: Credential) -> None:
    caller = await credential.find_caller(conn)
    if caller is None:
        session.connection.close(Close.SIGN_IN_AGAIN)
        return
    asked = list(session.connection.streams)
    session.renew(caller, set(asked) - await audible(conn, caller, asked))
