"""Who is reading: as everywhere, or, for map programs that know no more, a token sent as Basic."""

from __future__ import annotations

import base64
import binascii

from fastapi import Request

from web import auth, dependencies

#: What a browser or a map program is told to ask for.
CHALLENGE = 'Basic realm="Golden Minutes: API token as password", Bearer'


async def caller_of(request: Request) -> auth.Caller | None:
    """Say who is calling, if anybody; the password of HTTP Basic is an API token, never a password.

    So a map program that keeps it can do no more than the token's scopes allow.
    """
    token = _token(request)
    if token is None:
        return await dependencies.identify(request)
    now = dependencies.now_of(request)
    async with dependencies.database_of(request).snapshot() as conn:
        caller = await auth.caller_from_token(conn, token, now=now)
    request.state.caller = caller
    return caller


def _token(request: Request) -> str | None:
    kind, _, sent = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        pair = base64.b64decode(sent.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return pair.partition(":")[2]
