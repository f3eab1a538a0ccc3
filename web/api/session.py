"""Sign in, say who I am, sign out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from fastapi import APIRouter, Request, Response
from pydantic import model_validator

from dispatch import accounts, board, events
from web import auth, dependencies, fields, shapes
from web.dependencies import Caller, Database, Now, Settings

router = APIRouter(prefix="/session", tags=["session"])


class SignIn(fields.Body):
    """A name with its password, or the secret of a one-time link."""

    username: fields.Name | None = None
    password: str | None = None
    #: Reserved for accounts that ask for a second factor.
    otp: fields.Word | None = None
    link: fields.Name | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        by_name = self.username is not None and self.password is not None
        if by_name == (self.link is not None):
            raise ValueError("send username and password, or link")
        return self


class SessionShape(fields.Shape):
    """Who is signed in."""

    person: shapes.PersonShape
    org: shapes.OrgShape
    roles: list[str]
    server_time: str


def person_out(person: accounts.Person) -> dict[str, Any]:
    """Show a person to themselves."""
    plain = ("name", "name_en", "username", "language", "is_invented")
    return {"id": str(person.id), **{name: getattr(person, name) for name in plain}}


def _session_out(caller: auth.Caller, now: datetime) -> dict[str, Any]:
    return {
        "person": person_out(caller.person),
        "org": board.org_out(caller.org),
        "roles": caller.roles,
        "server_time": events.time(now),
    }


@router.post("", response_model=SessionShape, summary="Sign in")
async def sign_in(
    request: Request, body: SignIn, *, database: Database, settings: Settings, now: Now
) -> Response:
    """Begin a session and set its cookie. Wrong name and wrong password answer alike."""
    auth.check_origin(request, settings)
    lasts = timedelta(hours=settings.session_hours)
    address = auth.address_of(request)
    if body.link is not None:
        secret, caller = await auth.sign_in_by_link(
            database, body.link, address=address, lasts=lasts, now=now
        )
    else:
        secret, caller = await auth.sign_in(
            database, body.username or "", body.password or "",
            address=address, lasts=lasts, now=now,
        )  # fmt: skip
    response = fields.send(_session_out(caller, now))
    response.set_cookie(
        auth.cookie_name(settings), secret, max_age=int(lasts.total_seconds()), path="/",
        secure=auth.is_https(settings), httponly=True, samesite="strict",
    )  # fmt: skip
    return response


@router.get("", response_model=SessionShape, summary="Who am I")
async def show(caller: Caller, now: Now) -> Response:
    """Say who is signed in."""
    return fields.send(_session_out(caller, now))


@router.delete("", status_code=204, summary="Sign out")
async def sign_out(
    request: Request, conn: dependencies.Tx, *, settings: Settings, now: Now
) -> Response:
    """End the session of the cookie at once, on every process; without one nothing happens."""
    secret = auth.cookie_of(request, settings)
    if secret is not None:
        await accounts.close_session(conn, secret, now=now)
    response = Response(status_code=204, headers={"Clear-Site-Data": '"cache", "storage"'})
    response.delete_cookie(
        auth.cookie_name(settings), path="/", secure=auth.is_https(settings), httponly=True,
        samesite="strict",
    )  # fmt: skip
    return response
