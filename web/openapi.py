"""The OpenAPI text: what FastAPI derives from the routes, and what holds for all of them."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from web import problems

_SECURITY = {
    "session": {"type": "apiKey", "in": "cookie", "name": "golden_session"},
    "token": {"type": "http", "scheme": "bearer"},
}


def install(app: FastAPI) -> None:
    """Let the app describe itself; the text is made on first use."""
    app.openapi = lambda: _describe(app)  # type: ignore[method-assign]  # FastAPI's own way


def _describe(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        text = get_openapi(
            title=app.title,
            version=app.version,
            description=f"{app.description}\n**Codes of refusals**\n\n{problems.codes_text()}\n",
            routes=app.routes,
        )
        parts = text.setdefault("components", {})
        shape = problems.ProblemShape.model_json_schema(ref_template="#/components/schemas/{model}")
        parts.setdefault("schemas", {}).update(shape.pop("$defs", {}), ProblemShape=shape)
        parts["securitySchemes"] = _SECURITY
        text["security"] = [{"session": []}, {"token": []}, {}]
        app.openapi_schema = text
    return app.openapi_schema
