"""The live socket described for machines: AsyncAPI, made from the frames' shapes and the codes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from fastapi import APIRouter
from pydantic.json_schema import models_json_schema

from dispatch import events
from realtime.protocol import Close
from web import fields
from web.live_frames import DOWN, UP

router = APIRouter(tags=["live"])

CLOSES: Mapping[Close, str] = {
    Close.RESTARTING: "The process stops; reconnect.",
    Close.TRY_LATER: "The database does not answer, or we failed; reconnect later.",
    Close.SIGN_IN_AGAIN: "No valid session or token. Final.",
    Close.NOT_ALLOWED: "None of the topics may be heard. Final.",
    Close.TOO_SLOW: "No hello in time, or the client does not read; reconnect and resume.",
    Close.TOO_BIG: "The message was too long; reconnect.",
    Close.TOO_MANY: "Too many messages, or sockets of one person; reconnect later.",
}

_TEXT = """\
Text frames of JSON. Sign in by the session cookie, an `Authorization: Bearer` header or the
hello's `token`; never by the address. Topics: `org:CODE`, `incident:ID`, `person:ID`, `team:ID`.
Numbers are gap-free per topic and epoch. Wait before a reconnect: 1, 2, 4, 8, 15 s, each shortened
by chance down to half. An alert whose ack does not come is sent again with its number after 3, 6,
12, 24, … s, marked `redelivered`, until the ack or the alert's end. Where no WebSocket gets
through, `POST /api/v1/live/poll` waits for the same frames (openapi.json).
"""


@router.get("/api/v1/asyncapi.json", summary="This socket, described for machines")
async def show() -> dict[str, Any]:
    """Give the AsyncAPI document of /api/v1/live."""
    return document()


@cache
def document() -> dict[str, Any]:
    """Put the AsyncAPI 3.0 document together."""
    frames = (*UP, *DOWN)
    _, schemas = models_json_schema(
        [(frame, "validation") for frame in frames], ref_template="#/components/schemas/{model}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Golden Minutes, live", "version": "1", "description": _description()},
        "defaultContentType": "application/json",
        "channels": {
            "live": {
                "address": "/api/v1/live",
                "messages": {_name(frame): {"$ref": _message(frame)} for frame in frames},
            }
        },
        "operations": {
            "receive": _operation("receive", UP),
            "send": _operation("send", DOWN),
        },
        "components": {
            "messages": {_name(frame): _described(frame) for frame in frames},
            "schemas": schemas["$defs"],
        },
    }


def _description() -> str:
    closes = "\n".join(f"* {code.value}: {meaning}" for code, meaning in CLOSES.items())
    kinds = "\n".join(
        f"* `{kind}` ({_topics(kind)}): {meaning}" for kind, meaning in events.MEANINGS.items()
    )
    return f"{_TEXT}\n**Close codes**\n\n{closes}\n\n**Kinds of events**\n\n{kinds}\n"


def _topics(kind: str) -> str:
    return ", ".join(f"`{noun}:`" for noun in sorted(events.HEARD_BY[kind]))


def _name(frame: type[fields.Shape]) -> str:
    return frame.__name__.removesuffix("Frame").lower()


def _message(frame: type[fields.Shape]) -> str:
    return f"#/components/messages/{_name(frame)}"


def _described(frame: type[fields.Shape]) -> dict[str, Any]:
    return {
        "summary": (frame.__doc__ or "").strip().split("\n", maxsplit=1)[0],
        "payload": {"$ref": f"#/components/schemas/{frame.__name__}"},
    }


def _operation(action: str, frames: tuple[type[fields.Shape], ...]) -> dict[str, Any]:
    """Describe a direction; the document speaks for the server."""
    return {
        "action": action,
        "channel": {"$ref": "#/channels/live"},
        "messages": [{"$ref": f"#/channels/live/messages/{_name(frame)}"} for frame in frames],
    }
