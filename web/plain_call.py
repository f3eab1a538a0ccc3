"""Calls a route's function without FastAPI's solver where a request is plain.

FastAPI works out for each request anew how each dependency is made, which takes longer than all
statements of a small change. Plain is a request without a query, whose path and JSON body are
right, to a function whose dependencies want nothing but the request. Whatever else comes goes the
usual way, so that there is one place for refusals.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import params
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from geo import datum
from web import auth, dependencies

Give = Callable[[Request], Any]


def _caller(request: Request) -> auth.Caller:
    caller: auth.Caller | None = request.state.caller
    if caller is None:
        raise auth.NotSignedIn
    return caller


#: What these give once the caller is known, the transaction is open and there is no query.
_KNOWN: Mapping[Callable[..., Any], Give] = {
    dependencies.in_transaction: lambda request: request.state.transaction,
    dependencies.require_caller: _caller,
    dependencies.identify: lambda request: request.state.caller,
    dependencies.crs_of: lambda _: datum.Crs.WGS84,
}


@dataclass(frozen=True, slots=True)
class PlainCall:
    """How a route's function is called, once the request's state has what it wants.

    That is `caller`, `transaction`, and the JSON value of the body as `said`.
    """

    needs: Dependant
    gives: Mapping[str, Give]

    def values(self, request: Request) -> dict[str, Any] | None:
        """Give the function's arguments; None where the request is not plain."""
        said, paths = getattr(request.state, "said", None), request.scope["path_params"]
        if request.scope["query_string"] or (
            self.needs.body_params and (said is None or not _is_json(request))
        ):
            return None
        sent = [(field, paths.get(field.alias)) for field in self.needs.path_params]
        sent += [(field, said) for field in self.needs.body_params]
        values: dict[str, Any] = {}
        for field, value in sent:
            values[field.name], errors = field.validate(value)
            if errors:
                return None
        return values | {name: give(request) for name, give in self.gives.items()}


def of(route: APIRoute, *, done: Collection[Callable[..., Any]]) -> PlainCall | None:
    """Look whether a route can be called like that; `done` is what it depends on besides."""
    needs = route.dependant
    gives = {str(need.name): _give(need) for need in needs.dependencies if need.call not in done}
    found = {name: give for name, give in gives.items() if give is not None}
    others = (
        needs.query_params, needs.header_params, needs.cookie_params, needs.body_params[1:],
        needs.request_param_name, needs.response_param_name, needs.background_tasks_param_name,
        needs.http_connection_param_name, needs.security_scopes_param_name,
        any(not _is_whole(field.field_info) for field in needs.body_params),
    )  # fmt: skip
    is_plain = len(found) == len(gives) and not any(others)
    answers = typing.get_type_hints(route.endpoint).get("return")
    return PlainCall(needs, found) if is_plain and answers is Response else None


def _give(need: Dependant) -> Give | None:
    asked = inspect.unwrap(need.call) if need.call is not None else None
    if asked is None or asked in _KNOWN:
        return None if asked is None else _KNOWN[asked]
    # What at_once has wrapped never waits.
    wants = list(inspect.signature(asked).parameters)
    return asked if asked is not need.call and wants == [need.request_param_name] else None


def _is_whole(field: object) -> bool:
    return isinstance(field, params.Body) and not isinstance(field, params.Form) and not field.embed


def _is_json(request: Request) -> bool:
    sent = request.headers.get("content-type", "")
    return sent.partition(";")[0].strip().lower() == "application/json"
