"""Who is calling: session cookies, API tokens, passwords, one-time links, and where from.

Passwords are argon2id, hashed in threads, two at a time, with no database connection held. A name
that nobody has costs as much time as a wrong password.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import HTTPConnection

from dispatch import accounts, db, orgs
from dispatch.settings import Settings

#: OWASP's minimum for argon2id: 19 MiB, two passes, one lane; 30 ms here.
_hasher = PasswordHash((Argon2Hasher(memory_cost=19_456, time_cost=2, parallelism=1),))
#: Nobody's password, so that an unknown name takes as long as a wrong password.
_NOBODYS_HASH = _hasher.hash(accounts.new_secret())
#: More at once would only make each slower and take the processor from the alerts.
_hashing = asyncio.Semaphore(2)

PASSWORD_LEAST = 8
PASSWORD_MOST = 256

TRIES_WINDOW = timedelta(minutes=15)
#: Wrong passwords for one name from one address, and from one address for any name.
TRIES_PER_NAME = 10
TRIES_PER_ADDRESS = 100

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class AuthError(Exception):
    """A refusal at the door; `code` names it in web/problems.py."""

    code = "not_signed_in"
    retry_after_s: int | None = None


class NotSignedIn(AuthError):
    """No valid session or token came with the request."""


class BadCredentials(AuthError):
    """The name or the password is wrong; which of them is not said."""

    code = "bad_credentials"


class LinkOver(AuthError):
    """The one-time link was used, is too old, or never was."""

    code = "link_over"


class ForeignOrigin(AuthError):
    """A browser sent the request from a page that is not ours."""

    code = "foreign_origin"


class TooManyTries(AuthError):
    """Too many wrong passwords from there."""

    code = "too_many"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__()
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling. Without scopes everything that the roles allow."""

    person: accounts.Person
    org: orgs.Org
    grants: tuple[accounts.Grant, ...]
    scopes: frozenset[str] = frozenset()

    @property
    def id(self) -> UUID:
        """Give the person's id."""
        return self.person.id

    @property
    def roles(self) -> list[str]:
        """List the roles, in whichever organisation, in the order of their names."""
        return sorted({grant.role.value for grant in self.grants})


async def caller_from_cookie(
    conn: AsyncConnection, cookie: str | None, *, now: datetime
) -> Caller | None:
    """Say who a session cookie belongs to; None when it is missing, over or revoked."""
    if not cookie:
        return None
    return _caller(await accounts.find_by_session(conn, cookie, now=now))


async def caller_from_token(
    conn: AsyncConnection, token: str | None, *, now: datetime
) -> Caller | None:
    """Say who an API token belongs to; None when it is missing, over or revoked."""
    if not token:
        return None
    return _caller(await accounts.find_by_token(conn, token, now=now))


async def callers_from_cookies(
    conn: AsyncConnection, cookies: Sequence[str], *, now: datetime
) -> list[Caller | None]:
    """Say who each of many session cookies belongs to, as `caller_from_cookie` does."""
    return [_caller(one) for one in await accounts.find_by_sessions(conn, cookies, now=now)]


async def callers_from_tokens(
    conn: AsyncConnection, tokens: Sequence[str], *, now: datetime
) -> list[Caller | None]:
    """Say who each of many API tokens belongs to, as `caller_from_token` does."""
    return [_caller(one) for one in await accounts.find_by_tokens(conn, tokens, now=now)]


def _caller(identity: accounts.Identity | None) -> Caller | None:
    if identity is None:
        return None
    return Caller(identity.person, identity.org, identity.grants, identity.scopes)


# ---- what a request carries


def is_https(settings: Settings) -> bool:
    """Tell whether people reach us over TLS."""
    return settings.base_url.startswith("https://")


def cookie_name(settings: Settings) -> str:
    """Name the session cookie; the browser guards the `__Host-` one, which TLS makes possible."""
    return "__Host-golden" if is_https(settings) else "golden_session"


def cookie_of(request: HTTPConnection, settings: Settings) -> str | None:
    """Return the session secret that the request carries as a cookie."""
    return request.cookies.get(cookie_name(settings))


def bearer_of(request: HTTPConnection) -> str | None:
    """Return the token of an `Authorization: Bearer` header."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if kind.lower() == "bearer" else None


def is_own_origin(request: HTTPConnection, settings: Settings) -> bool:
    """Tell whether a browser's `Origin` is this site or a listed one; used for sockets as well.

    No `Origin` at all means that no browser's script sent it. `null` is a foreign one.
    """
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site", "none") in {"none", "same-origin"}
    if origin in {*settings.allowed_origins, settings.base_url}:
        return True
    parts = urlsplit(origin)
    return parts.scheme in {"http", "https"} and parts.netloc == request.headers.get("host")


def check_origin(request: HTTPConnection, settings: Settings) -> None:
    """Refuse a change that another site's page sends with our cookie. Raises ForeignOrigin."""
    if request.scope["method"] in SAFE_METHODS or bearer_of(request) is not None:
        return
    if not is_own_origin(request, settings):
        raise ForeignOrigin


def address_of(request: HTTPConnection) -> str:
    """Return the address of the peer; forwarded headers count only where uvicorn trusts them."""
    return "" if request.client is None else request.client.host


def subject_of(request: HTTPConnection) -> str:
    """Return what one client without a session is counted by: its address, of IPv6 the network.

    Who has an IPv6 address has the 2^64 of its network, so those count as one.
    """
    address = address_of(request)
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4 or parsed.ipv4_mapped is not None:
        return address
    return str(ipaddress.ip_network((parsed.packed, 64), strict=False))


# ---- signing in


async def sign_in(
    database: db.Database,
    username: str,
    password: str,
    *,
    address: str,
    lasts: timedelta,
    now: datetime,
) -> tuple[str, Caller]:
    """Begin a session by name and password; return its secret and who it is.

    The try is counted before the password is looked at, so parallel guesses count too. Raises
    BadCredentials, TooManyTries.
    """
    subjects = {f"{address}|{username}": TRIES_PER_NAME, address: TRIES_PER_ADDRESS}
    async with database.transaction() as conn:
        waits = [await _count(conn, subject, most, now=now) for subject, most in subjects.items()]
        found = None if any(waits) else await accounts.find_password(conn, username)
    if any(waits):
        raise TooManyTries(max(waits))
    is_right = await verify_password(password, _NOBODYS_HASH if found is None else found[1])
    if found is None or not is_right:
        raise BadCredentials
    async with database.transaction() as conn:
        for subject in subjects:
            await accounts.forgive_try(conn, subject)
        return await _begin(conn, found[0], lasts=lasts, now=now)


async def sign_in_by_link(
    database: db.Database, link: str, *, address: str, lasts: timedelta, now: datetime
) -> tuple[str, Caller]:
    """Begin a session by a one-time link. Raises LinkOver, TooManyTries."""
    async with database.transaction() as conn:
        wait = await _count(conn, address, TRIES_PER_ADDRESS, now=now)
        person_id = None if wait else await accounts.use_link(conn, link, now=now)
        if person_id is not None:
            await accounts.forgive_try(conn, address)
            return await _begin(conn, person_id, lasts=lasts, now=now)
    if wait:
        raise TooManyTries(wait)
    raise LinkOver


async def _count(conn: AsyncConnection, subject: str, most: int, *, now: datetime) -> int:
    """Count a try; return 0, or the seconds to wait when there were too many."""
    tries, ends_at = await accounts.count_try(conn, subject, window=TRIES_WINDOW, now=now)
    return 0 if tries <= most else max(1, round((ends_at - now).total_seconds()))


async def _begin(
    conn: AsyncConnection, person_id: UUID, *, lasts: timedelta, now: datetime
) -> tuple[str, Caller]:
    caller = _caller(await accounts.find_identity(conn, person_id))
    if caller is None:  # disabled between the two looks
        raise BadCredentials
    return await accounts.open_session(conn, person_id, lasts=lasts, now=now), caller


async def verify_password(password: str, password_hash: str) -> bool:
    """Compare a password with a hash, in a thread."""
    async with _hashing:
        return await asyncio.to_thread(_verify, password, password_hash)


def _verify(password: str, password_hash: str) -> bool:
    try:
        return _hasher.verify(password, password_hash)
    except UnknownHashError:
        return False


def hash_password(password: str) -> str:
    """Hash a new password; blocks for some tens of milliseconds."""
    return _hasher.hash(password)


def weakness(password: str, username: str) -> str | None:
    """Say what is wrong with a new password; None when nothing is."""
    if len(password) < PASSWORD_LEAST:
        return f"it has fewer than {PASSWORD_LEAST} characters"
    if len(password) > PASSWORD_MOST:
        return f"it has more than {PASSWORD_MOST} characters"
    if password.casefold() == username.casefold():
        return "it is the name"
    if len(set(password)) < 4:
        return "it repeats too few characters"
    return None
