"""People of several organisations who call the app, for tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import httpx
import sqlalchemy as sa
from fastapi import FastAPI

from dispatch import db, orgs, tables

PASSWORD = "correct horse"
numbers = count(1)


def client_of(app: FastAPI, token: str | None = None) -> httpx.AsyncClient:
    """Make a client of the app; what nobody foresaw arrives as a 500 and not as an exception."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url="http://testserver",
        headers=headers,
    )


@dataclass(frozen=True, slots=True)
class Member:
    """A person of an organisation, with a client that carries their token."""

    id: UUID
    username: str
    org: orgs.Org
    http: httpx.AsyncClient


Enrol = Callable[..., Awaitable[Member]]


def key() -> dict[str, str]:
    """Make a fresh Idempotency-Key."""
    return {"Idempotency-Key": f"key-{next(numbers)}"}


def call(**changes: Any) -> dict[str, Any]:
    """Describe a call at the harbour, whose 120 knows."""
    place = {"type": "Point", "coordinates": [7.4246, 43.7347]}
    return {"kind": "cardiac_arrest", "position": place, "ambulance": "notified", **changes}


async def opened(member: Member, **changes: Any) -> dict[str, Any]:
    """Open an incident and give it."""
    answer = await member.http.post("/api/v1/incidents", json=call(**changes), headers=key())
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def alerted(member: Member, incident: dict[str, Any], **body: Any) -> dict[str, Any]:
    """Send a wave for an incident and give the answer."""
    answer = await member.http.post(
        f"/api/v1/incidents/{incident['id']}/alert", json=body, headers=key()
    )
    assert answer.status_code == 201, answer.text
    sent: dict[str, Any] = answer.json()
    return sent


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """Give the status and the stable code of a refusal."""
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def soon(seconds: float) -> datetime:
    """Give a time so many seconds from now."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def phone_of(store: db.Database, enrol: Enrol, responder: UUID) -> Member:
    """Give a member whose token is that of a responder whom a factory made."""
    member = await enrol("responder", "red")
    async with store.transaction() as conn:
        await conn.execute(
            sa.update(tables.api_token)
            .where(tables.api_token.c.person_id == member.id)
            .values(person_id=responder)
        )
    return Member(responder, member.username, member.org, member.http)
