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

from dispatch import accounts, orgs
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


async def find_callers(
    conn: AsyncConnection, shown: Sequence[Credential]
) -> list[auth.Caller | None]:
    """Say who each of many credentials belongs to now; None for those that are over."""
    now = dependencies.clock()
    tokens = list({one.secret for one in shown if one.is_token})
    cookies = list({one.secret for one in shown if not one.is_token})
    found: dict[tuple[str, bool], auth.Caller | None] = {}
    if tokens:
        callers = await auth.callers_from_tokens(conn, tokens, now=now)
        found |= {(secret, True): who for secret, who in zip(tokens, callers, strict=True)}
    if cookies:
        callers = await auth.callers_from_cookies(conn, cookies, now=now)
        found |= {(secret, False): who for secret, who in zip(cookies, callers, strict=True)}
    return [found[one.secret, one.is_token] for one in shown]


def credential_of(request: HTTPConnection, hello: Hello, settings: Settings) -> Credential:
    """Take the token of the hello or of the handshake's header, else the cookie."""
    token = hello.token or auth.bearer_of(request)
    if token:
        return Credential(token, is_token=True)
    return Credential(auth.cookie_of(request, settings) or "", is_token=False)


async def audible(
    conn: AsyncConnection,
    caller: auth.Caller,
    topics: Sequence[str],
    *,
    owners: dict[str, orgs.Owner | None] | None = None,
) -> set[str]:
    """Return those of the topics that the caller may hear; `owners` keeps what has been read."""
    known = {} if owners is None else owners
    found = set()
    for topic in topics:
        if rights.is_own(caller, topic):
            found.add(topic)
            continue
        if topic not in known:
            is_good = is_canonical(topic)
            known[topic] = await rights.owner_of_topic(conn, topic) if is_good else None
        if rights.may_hear(caller, topic, known[topic]):
            found.add(topic)
    return found


async def audible_all(
    conn: AsyncConnection, wanted: Sequence[tuple[auth.Caller, Sequence[str]]]
) -> list[set[str]]:
    """Return for each of many callers those of their topics that they may hear."""
    owners: dict[str, orgs.Owner | None] = {}
    return [
        await audible(conn, caller=caller, topics=topics, owners=owners)
        for caller, topics in wanted
    ]


def is_canonical(topic: str) -> bool:
    """Say whether an id in a topic is written as the log writes it; else it would never move."""
    kind, _, name = topic.partition(":")
    if kind == "org":
        return True
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


#: The word for rights that have not been seen yet, as long as the others.
_UNKNOWN = bytes(16)

# Primary keys of session and api_token. Of each secret there is a short word that changes whenever
# the person's roles or organisation do; those come back whose word is another one than was known,
# with none if the secret no longer stands. One text goes over: a process may hold ten thousand.
_CHANGED = text("""
    WITH shown AS (
        SELECT substring(CAST(:shown AS bytea) FROM place FOR 32) AS token_hash,
               substring(CAST(:shown AS bytea) FROM place + 32 FOR 16) AS word
        FROM generate_series(1, length(CAST(:shown AS bytea)), 48) AS place
    ), who AS (
        SELECT token_hash, person_id, '' AS scopes FROM session
        WHERE token_hash IN (SELECT token_hash FROM shown)
          AND revoked_at IS NULL AND expires_at > :now
        UNION ALL
        SELECT token_hash, person_id, array_to_string(scopes, ' ') FROM api_token
        WHERE token_hash IN (SELECT token_hash FROM shown)
          AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now)
    ), standing AS (
        SELECT who.token_hash,
               decode(md5(concat(who.scopes, person.org_id, string_agg(
                   concat(membership.org_id, membership.role), ' '
                   ORDER BY membership.org_id, membership.role))), 'hex') AS word
        FROM who
        JOIN person ON person.id = who.person_id AND person.disabled_at IS NULL
        LEFT JOIN membership ON membership.person_id = person.id
        GROUP BY who.token_hash, who.scopes, person.org_id
    )
    SELECT shown.token_hash, standing.word
    FROM shown LEFT JOIN standing USING (token_hash)
    WHERE standing.word IS DISTINCT FROM shown.word
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
        known = {session.secret_hash + (session.standing or _UNKNOWN) for session, _ in shown}
        values = {"shown": b"".join(known), "now": dependencies.clock()}
        rows = await conn.execute(_CHANGED, values)
        changed = {bytes(hashed): word and bytes(word) for hashed, word in rows}
        due, time = [], asyncio.get_running_loop().time()
        for session, credential in shown:
            word = changed.get(session.secret_hash, session.standing)
            if word is None:
                session.connection.close(Close.SIGN_IN_AGAIN)
            elif _is_due(session, word, time):
                due.append((session, credential))
        if due:
            await _check(conn, due)

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


def _is_due(session: Session, word: bytes, time: float) -> bool:
    """Say whether to look closely: the rights have changed, or it is time.

    A phone hears its own person only, of which nothing but the roles decides.
    """
    if session.standing == word and time < session.check_at:
        return False
    is_first = session.standing is None
    is_due = not is_first and (session.standing != word or not session.hears_itself_only)
    # Spread out, so that sockets opened in one second are not all checked in one.
    session.check_at = time + CHECK_EVERY_S * random.uniform(0.5, 1.0)  # noqa: S311  # spread
    session.standing = word
    return is_due


async def _check(conn: AsyncConnection, due: Sequence[tuple[Session, Credential]]) -> None:
    """Look closely at some: who they are by now, and whether each of their topics is still theirs.

    Consoles hear the same few topics, so whose a topic is, is asked once.
    """
    callers = await find_callers(conn, [credential for _, credential in due])
    owners: dict[str, orgs.Owner | None] = {}
    for (session, _), caller in zip(due, callers, strict=True):
        if caller is None:
            session.connection.close(Close.SIGN_IN_AGAIN)
            continue
        asked = list(session.connection.streams)
        heard = await audible(conn, caller=caller, topics=asked, owners=owners)
        session.renew(caller, set(asked) - heard)
