"""From what went wrong to an answer: status, meaning, what to do, in the caller's language.

Exceptions carry a `code`; the table in problem_words.py gives the rest. Answers are RFC 9457
documents without a word of our insides; what nobody foresaw is logged under the id that the
answer shows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

import orjson
import psycopg
import redis.exceptions
import sqlalchemy.exc
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from dispatch import errors
from geo import position
from web import auth, field_words, headers, language, problem_words, rights
from web.imports.mapping import BadMapping
from web.imports.unreadable import Unreadable

_logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2


_BY_HTTP_STATUS = {
    400: "malformed",
    401: "not_signed_in",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_big",
    422: "malformed",
    429: "too_many",
    503: "unavailable",
}


def answer(
    request: Request,
    code: str,
    *,
    detail: str = "",
    state: Mapping[str, Any] | None = None,
    fields: Sequence[Mapping[str, str]] = (),
    extra: Mapping[str, str] | None = None,
    instance: str | None = None,
) -> Response:
    """Write the problem document of a code in the caller's language."""
    entry = problem_words.TABLE.get(code, problem_words.TABLE["internal"])
    entry = problem_words.KINDER.get((code, str((state or {}).get("reason"))), entry)
    spoken = language.of(request)
    title, what_to_do = entry.zh if spoken == "zh" else entry.en
    body: dict[str, object] = {
        "type": f"/problems/{code}",
        "title": title,
        "status": entry.status,
        "code": code,
        "detail": detail or title,
        "what_to_do": what_to_do,
    }
    optional = {"instance": instance, "state": state, "errors": list(fields)}
    body.update({name: value for name, value in optional.items() if value})
    sent = {"Content-Language": spoken, "Cache-Control": "no-store", **(extra or {})}
    if entry.status in {429, 503}:
        sent.setdefault("Retry-After", str(RETRY_AFTER_S))
    if entry.status == 401:
        sent.setdefault("WWW-Authenticate", "Bearer")
    return Response(
        orjson.dumps(body, default=str), entry.status, headers=sent, media_type=MEDIA_TYPE
    )


def of_dispatch(request: Request, error: errors.DispatchError) -> Response:
    """Answer what an action refused; a conflict shows the present state."""
    detail = error.detail if language.of(request) == "en" else ""
    return answer(request, error.code, detail=detail, state=error.state)


def _of_auth(request: Request, error: auth.AuthError) -> Response:
    wait = error.retry_after_s
    return answer(request, error.code, extra={"Retry-After": str(wait)} if wait else None)


def _of_rights(request: Request, error: rights.NotAllowed) -> Response:
    return answer(request, error.code)


def _of_list(request: Request, error: Unreadable | BadMapping) -> Response:
    """Say in the caller's language what is wrong with a list that was sent in."""
    said = error if isinstance(error, Unreadable) else error.said
    return answer(request, "bad_list", detail=said.zh if language.of(request) == "zh" else said.en)


def _of_position(request: Request, error: position.BadPosition) -> Response:
    return _of_fields(request, "bad_position", [field_words.of_position(error)])


def _of_validation(request: Request, error: RequestValidationError) -> Response:
    faults = [field_words.read(fault) for fault in error.errors()]
    return _of_fields(request, field_words.code(faults), faults)


def _of_fields(request: Request, code: str, faults: Sequence[field_words.Fault]) -> Response:
    spoken = language.of(request)
    fields = [{"field": fault.field, "message": fault.message(spoken)} for fault in faults]
    return answer(request, code, fields=fields)


def _of_http(request: Request, error: HTTPException) -> Response:
    code = _BY_HTTP_STATUS.get(error.status_code, "internal")
    allow = (error.headers or {}).get("Allow")
    return answer(request, code, extra={"Allow": allow} if allow else None)


def _of_bad_value(request: Request, _error: Exception) -> Response:
    """A value that passed our models and that PostgreSQL or UTF-8 cannot hold."""
    return answer(request, "malformed")


def _of_broken_rule(request: Request, error: sqlalchemy.exc.IntegrityError) -> Response:
    diagnosis = getattr(error.orig, "diag", None)
    _logger.warning("constraint refused: %s", getattr(diagnosis, "constraint_name", None))
    return answer(request, "conflict")


def _of_outage(request: Request, error: Exception) -> Response:
    _logger.warning("unavailable: %s", type(getattr(error, "orig", None) or error).__name__)
    return answer(request, "unavailable")


def _of_surprise(request: Request, error: Exception) -> Response:
    number = uuid4()
    _logger.error("unforeseen error %s", number, exc_info=error)
    # Starlette answers this one outside of our middleware.
    guards = headers.ALWAYS
    return answer(request, "internal", instance=f"urn:uuid:{number}", extra=guards)


#: Most particular first is not needed: Starlette looks along each exception's own ancestors.
_HANDLERS: Mapping[type[Exception], Any] = {
    errors.DispatchError: of_dispatch,
    auth.AuthError: _of_auth,
    rights.NotAllowed: _of_rights,
    position.BadPosition: _of_position,
    Unreadable: _of_list,
    BadMapping: _of_list,
    RequestValidationError: _of_validation,
    HTTPException: _of_http,
    sqlalchemy.exc.DataError: _of_bad_value,
    UnicodeEncodeError: _of_bad_value,
    sqlalchemy.exc.IntegrityError: _of_broken_rule,
    sqlalchemy.exc.OperationalError: _of_outage,
    sqlalchemy.exc.InterfaceError: _of_outage,
    sqlalchemy.exc.TimeoutError: _of_outage,
    psycopg.OperationalError: _of_outage,
    redis.exceptions.RedisError: _of_outage,
    TimeoutError: _of_outage,
    ClientDisconnect: _of_bad_value,  # nobody is there to read it
    Exception: _of_surprise,
}


def install(app: FastAPI) -> None:
    """Let every exception of the app end in a problem document."""
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, _awaited(handler))


def _awaited(handler: Callable[[Request, Any], Response]) -> Any:
    """Starlette runs plain functions in threads; ours are quick and read the request's state."""

    async def handle(request: Request, error: Exception) -> Response:
        return handler(request, error)

    return handle


class FieldShape(BaseModel):
    """One field and what is wrong with it."""

    field: str
    message: str


class ProblemShape(BaseModel):
    """A refusal (RFC 9457): `code` never changes, the words are in the caller's language."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    what_to_do: str
    instance: str | None = None
    state: dict[str, Any] | None = None
    errors: list[FieldShape] | None = None


#: What any route may answer besides its own; for the OpenAPI text.
RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A refusal, as a problem document.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemShape"}}},
    }
}


def codes_text() -> str:
    """List every code with its status and meaning, for the OpenAPI text."""
    rows = problem_words.TABLE.items()
    return "\n".join(f"* `{code}` ({a.status}): {a.en[0]} {a.en[1]}" for code, a in rows)
