"""Attachments of incidents: pictures are shown without the place and time of the camera."""

from __future__ import annotations

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from starlette.requests import Request

from dispatch import attachments, errors
from dispatch.attachments import Content
from geo import aed_photos
from web import fields, idempotency, unpacking
from web.api import incidents
from web.dependencies import Caller, Now, Tx, View
from web.rights import Action

router = APIRouter(
    prefix="/incidents/{incident_id}/attachments", tags=["incidents"],
    route_class=unpacking.Route,
)  # fmt: skip

_PDF = "application/pdf"
_PICTURES = ("image/jpeg", "image/png", "image/webp")
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY = {"requestBody": {"required": True, "content": dict.fromkeys((*_PICTURES, _PDF), _BINARY)}}


class AttachmentShape(fields.Shape):
    """An attachment without its bytes."""

    id: str
    incident: str
    name: str | None
    media_type: str
    actor: str | None
    at: str


class AttachmentList(fields.Shape):
    """All attachments of an incident, the oldest first."""

    items: list[AttachmentShape]


async def _shown(media_type: str, content: bytes) -> Content:
    """Give what others may see: a picture of points alone, a paper as it is."""
    if media_type == _PDF and content.startswith(b"%PDF-"):
        return Content(_PDF, content)
    if media_type not in _PICTURES:
        raise errors.Malformed("send a JPEG, PNG or WebP picture, or a PDF")
    try:
        picture = await asyncio.to_thread(aed_photos.encode, content)
    except aed_photos.NotAPicture as error:
        raise errors.Malformed(f"{error}; send another one") from None
    return Content(aed_photos.MEDIA_TYPE, picture.content)


@router.get("", response_model=AttachmentList, summary="Attachments")
async def list_(incident_id: UUID, *, conn: View, caller: Caller) -> Response:
    """List the attachments of an incident."""
    await incidents.check(conn, caller, Action.INCIDENT_SEE, incident_id)
    found = await attachments.list_attachments(conn, incident_id)
    return fields.send({"items": [attachments.out(item) for item in found]})


@router.post(
    "",
    status_code=201,
    response_model=AttachmentShape,
    dependencies=[idempotency.REQUIRED],
    openapi_extra=_BODY,
    summary="Attach a picture or paper",
)
async def add(
    incident_id: UUID,
    request: Request,
    *,
    conn: Tx,
    caller: Caller,
    now: Now,
    name: Annotated[str | None, Query(max_length=200, description="its file name")] = None,
) -> Response:
    """Keep a JPEG, PNG or WebP picture, or a PDF, of at most 8 MB; fifty of an incident."""
    await incidents.check(conn, caller, Action.INCIDENT_RUN, incident_id)
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    content = await request.body()
    attachment = await attachments.add(
        conn, incident_id, name=name, shown=await _shown(media_type, content),
        original=Content(media_type, content), by=caller.id, now=now,
    )  # fmt: skip
    return fields.created(attachments.out(attachment), f"/incidents/{incident_id}/attachments")


@router.get(
    "/{attachment_id}",
    response_class=Response,
    responses={200: {"content": dict.fromkeys((aed_photos.MEDIA_TYPE, _PDF), _BINARY)}},
    summary="An attachment",
)
async def show(
    incident_id: UUID,
    attachment_id: UUID,
    *,
    conn: View,
    caller: Caller,
    original: Annotated[bool, Query(description="as it was sent, operators only")] = False,
) -> Response:
    """Give the bytes; the original carries what the camera wrote into it."""
    action = Action.INCIDENT_RUN if original else Action.INCIDENT_SEE
    await incidents.check(conn, caller, action, incident_id)
    found = await attachments.content(conn, incident_id, attachment_id, original=original)
    return Response(
        found.content,
        media_type=found.media_type,
        headers={"Cache-Control": "private, no-store", "Content-Disposition": "attachment"},
    )
