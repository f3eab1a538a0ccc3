"""Certificates: handed in by volunteers or their office, reviewed, revoked."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response

from dispatch import certificates, errors, store
from web import fields, idempotency
from web.api.responders import CertificateShape, NewCertificate, ResponderShape, check, shown
from web.dependencies import Caller, Now, Tx, View
from web.rights import Action

router = APIRouter(tags=["people"], route_class=idempotency.Route)


class Verdict(fields.Body):
    """What somebody who looked at the certificate decided."""

    status: Annotated[certificates.Review, fields.Lax]


class CertificatesShape(fields.Shape):
    """My certificates, the longest valid first."""

    items: list[CertificateShape]
    next_cursor: None


@router.post(
    "/responders/{responder_id}/certificates",
    status_code=201,
    response_model=ResponderShape,
    dependencies=[idempotency.REQUIRED],
    summary="Add a certificate",
)
async def add(
    responder_id: UUID, body: NewCertificate, conn: Tx, caller: Caller, now: Now
) -> Response:
    """Enter a certificate that the office has seen; it counts at once."""
    await check(conn, caller, Action.RESPONDER_CHANGE, responder_id)
    await certificates.add(conn, responder_id, [body.proof()])
    return fields.send(await shown(conn, responder_id, now), status=201)


@router.post(
    "/responders/{responder_id}/certificates/{certificate_id}/review",
    response_model=ResponderShape,
    dependencies=[idempotency.REQUIRED],
    summary="Accept or revoke a certificate",
)
async def review(
    responder_id: UUID,
    certificate_id: UUID,
    body: Verdict,
    *,
    conn: Tx,
    caller: Caller,
    now: Now,
) -> Response:
    """Decide on a certificate; a revoked one never counts again unless it is verified anew."""
    await check(conn, caller, Action.RESPONDER_CHANGE, responder_id)
    await certificates.review(
        conn, responder_id, certificate_id, body.status, by=caller.id, now=now
    )
    return fields.send(await shown(conn, responder_id, now))


@router.get("/me/certificates", response_model=CertificatesShape, summary="My certificates")
async def mine(conn: View, caller: Caller) -> Response:
    """List my certificates with what became of them."""
    return fields.send(await _mine(conn, caller.id))


@router.post(
    "/me/certificates",
    status_code=201,
    response_model=CertificatesShape,
    dependencies=[idempotency.REQUIRED],
    summary="Hand in a certificate",
)
async def hand_in(body: NewCertificate, conn: Tx, caller: Caller) -> Response:
    """Hand in my certificate; it counts when my office has looked at it."""
    if await store.find_responder(conn, caller.id) is None:
        raise errors.NotFound
    await certificates.add(conn, caller.id, [body.proof(status="pending")])
    return fields.send(await _mine(conn, caller.id), status=201)


async def _mine(conn: View, person_id: UUID) -> dict[str, Any]:
    held = await store.list_certificates(conn, [person_id])
    return {"items": [certificates.show(one) for one in held], "next_cursor": None}
