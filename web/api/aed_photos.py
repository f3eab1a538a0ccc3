"""Photos of an AED: of its surroundings and its cabinet; everybody sees them."""

from __future__ import annotations

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from starlette.requests import Request

from dispatch import devices, errors
from geo import aed_photos
from geo.aed_photos import PhotoKind
from web import aed_access, aed_record, fields, idempotency, unpacking
from web.aed_access import found
from web.dependencies import Caller, Now, Tx, View
from web.rights import Action

router = APIRouter(prefix="/aeds/{aed_id}/photos", tags=["aeds"], route_class=unpacking.Route)

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_PICTURE = {
    "requestBody": {
        "required": True,
        "content": dict.fromkeys(("image/jpeg", "image/png", "image/webp"), _BINARY),
    }
}


@router.post(
    "",
    status_code=201,
    response_model=aed_record.PhotoShape,
    dependencies=[idempotency.REQUIRED],
    openapi_extra=_PICTURE,
    summary="Add a photo",
)
async def add(
    aed_id: UUID,
    request: Request,
    *,
    conn: Tx,
    caller: Caller,
    now: Now,
    kind: Annotated[PhotoKind, Query(description="what it shows")] = PhotoKind.SURROUNDINGS,
) -> Response:
    """Keep a JPEG, PNG or WebP picture of at most 8 MB, eight of a device.

    It is made 1,600 points wide or high, and the place and time that a camera writes into it go.
    Whoever fetches the device may, until a day after taking it; others need to keep it.
    """
    await aed_access.owner_or_fetcher(conn, caller, Action.AED_CHANGE, aed_id, now=now)
    content = await request.body()
    try:
        picture = await asyncio.to_thread(aed_photos.encode, content)
        with found():
            photo = await aed_photos.add(conn, aed_id, kind, picture, actor_id=caller.id, now=now)
    except aed_photos.NotAPicture as error:
        raise errors.Malformed(f"{error}; send another one") from None
    except aed_photos.TooManyPhotos:
        raise errors.Conflict("it has eight photos; delete one first") from None
    await devices.tell(conn, aed_id, now=now)
    return fields.created(devices.photo_out(photo), f"/aeds/{aed_id}/photos")


@router.get(
    "/{photo_id}",
    response_class=Response,
    responses={200: {"content": {aed_photos.MEDIA_TYPE: _BINARY}}},
    summary="A photo",
)
async def show(aed_id: UUID, photo_id: UUID, *, conn: View) -> Response:
    """Give the JPEG. Public; it never changes, so a browser may keep it."""
    with found():
        content = await aed_photos.content(conn, aed_id, photo_id)
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(content, media_type=aed_photos.MEDIA_TYPE, headers=kept)


@router.delete("/{photo_id}", status_code=204, summary="Throw a photo away")
async def remove(aed_id: UUID, photo_id: UUID, *, conn: Tx, caller: Caller, now: Now) -> Response:
    """Throw a photo of a device away; browsers that have it may keep it."""
    await aed_access.owner(conn, caller, Action.AED_CHANGE, aed_id)
    with found():
        await aed_photos.remove(conn, aed_id, photo_id)
    await devices.tell(conn, aed_id, now=now)
    return Response(status_code=204)
