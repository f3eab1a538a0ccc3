"""The AED registry: read by everybody, changed by the organisation that owns the device."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import cabinet_codes, devices, errors, orgs
from geo import aed_history, aed_list, aed_photos, aeds
from geo.aeds import Aed, Box
from geo.position import Position
from geo.trust import Trust
from geo.usability import Status
from web import aed_access, aed_record, auth, fields, idempotency, rights
from web.aed_access import found
from web.dependencies import Caller, Crs, MaybeCaller, Now, Tx, View
from web.rights import Action

router = APIRouter(prefix="/aeds", tags=["aeds"], route_class=idempotency.Route)


def _box(text: str | None) -> Box:
    """Read west,south,east,north. Raises Malformed, BadPosition."""
    if text is None:
        return aeds.WORLD
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise errors.Malformed("bbox must be west,south,east,north in degrees") from None
    low, high = Position(west, south), Position(east, north)
    if low.lat > high.lat:
        raise errors.Malformed("bbox must be west,south,east,north in degrees")
    return low.lon, low.lat, high.lon, high.lat


@router.get(
    "",
    response_model=aed_record.PublicAedsShape | aed_record.AedsShape,
    summary="AEDs in a box, or those of your organisations",
)
async def list_aeds(
    *,
    conn: View,
    caller: MaybeCaller,
    now: Now,
    crs: Crs,
    page: fields.Paging,
    bbox: Annotated[
        str | None,
        Query(description="west,south,east,north; west > east crosses the antimeridian"),
    ] = None,
    at: Annotated[fields.At | None, Query(description="usable at this time; default now")] = None,
    as_of: Annotated[
        fields.At | None, Query(description="your own registry as it was then; signed in only")
    ] = None,
    own: Annotated[
        bool, Query(description="only those of your organisations, with all that is known of them")
    ] = False,
    q: Annotated[fields.Word, Query(description="words of name, address or place")] = "",
    status: Annotated[
        Status | None, Query(description="default: all but withdrawn; those are for their owners")
    ] = None,
    trust: Trust | None = None,
    due: Annotated[
        bool, Query(description="whose check is due within a week or overdue; needs own=true")
    ] = False,
) -> Response:
    """List devices with the facts that everybody may know; withdrawn ones are left out. Public."""
    if not own and (due or status is Status.WITHDRAWN):
        raise errors.Malformed("due and status=withdrawn need own=true")
    if as_of is not None and (q or status or trust or due):
        raise errors.Malformed("as_of takes no q, status, trust or due")
    owners = await aed_access.own_orgs(conn, caller) if own or as_of is not None else None
    after, most = fields.key_of(page, UUID), page.limit + 1
    when = at or as_of or now
    org_ids = None if owners is None else [org.id for org in owners]
    if as_of is None:
        wanted = aed_list.Wanted(_box(bbox), org_ids, q, status, trust, is_due=due)
        listed = await aed_list.page(conn, wanted, after=after, limit=most, at=when)
    else:
        listed = await aed_history.as_of(conn, as_of, org_ids=org_ids, box=_box(bbox), after=after)
    shown = _shown(listed[:most], owners if own else None, when)
    return fields.send(fields.paged(shown, page, [aed.id for aed in listed]), crs)


def _shown(listed: list[Aed], owners: list[orgs.Org] | None, at: datetime) -> list[dict[str, Any]]:
    if owners is None:
        return [devices.public_out(aed, at) for aed in listed]
    codes = {org.id: org.code for org in owners}
    return [devices.own_out(aed, codes[aed.org_id], at) for aed in listed]


@router.post(
    "",
    status_code=201,
    response_model=aed_record.AedShape,
    dependencies=[idempotency.REQUIRED],
    summary="Enter an AED",
)
async def add(body: aed_record.NewAed, *, conn: Tx, caller: Caller, crs: Crs, now: Now) -> Response:
    """Enter a device for an organisation. Its hours are meant in the time zone of the place."""
    org = await rights.org_for(conn, caller, Action.AED_CHANGE, body.org)
    aed = await aeds.add(conn, org.id, body.columns(crs), now=now)
    await devices.tell(conn, aed.id, now=now)
    return fields.created(devices.own_out(aed, org.code, now), "/aeds", crs)


@router.get(
    "/{aed_id}",
    response_model=aed_record.PublicDetailShape | aed_record.DetailShape,
    summary="One AED",
)
async def show(
    aed_id: UUID,
    *,
    conn: View,
    caller: MaybeCaller,
    crs: Crs,
    now: Now,
    as_of: Annotated[
        fields.At | None,
        Query(description="the record as it was then; for its organisation only"),
    ] = None,
) -> Response:
    """Show a device: to everybody what is public, to its own organisation all but the secrets."""
    code = await aed_access.seen_by(conn, caller, aed_id)
    aed = await _as_of(conn, aed_id, as_of, caller=caller, code=code)
    at = as_of or now
    photos = [devices.photo_out(photo) for photo in await aed_photos.list_of(conn, aed_id)]
    if code is None:
        if aed.status is Status.WITHDRAWN:
            raise errors.NotFound
        return fields.send({**devices.public_out(aed, at), "photos": photos}, crs)
    has_code = await cabinet_codes.is_known(conn, aed_id)
    own = {**devices.own_out(aed, code, at), "photos": photos, "has_code": has_code}
    return fields.send(own, crs)


async def _as_of(
    conn: AsyncConnection,
    aed_id: UUID,
    at: datetime | None,
    *,
    caller: auth.Caller | None,
    code: str | None,
) -> Aed:
    """Give a device as it is, or to its organisation as it was. Raises NotFound, NotSignedIn."""
    if at is None:
        with found():
            return await aeds.get(conn, aed_id)
    if caller is None:
        raise auth.NotSignedIn
    then = [] if code is None else await aed_history.as_of(conn, at, aed_id=aed_id)
    if not then:
        raise errors.NotFound
    return then[0]


@router.patch("/{aed_id}", response_model=aed_record.AedShape, summary="Change an AED")
async def change(
    aed_id: UUID,
    body: aed_record.AedFacts,
    *,
    conn: Tx,
    caller: Caller,
    version: fields.Version,
    crs: Crs,
    now: Now,
) -> Response:
    """Change what is said; the former record is kept. Stale versions get the present state."""
    code = await aed_access.owner(conn, caller, Action.AED_CHANGE, aed_id)
    try:
        aed = await aeds.change(
            conn, aed_id, body.columns(crs), version=version, actor_id=caller.id, now=now
        )
    except aeds.StaleAed as stale:
        raise errors.StaleVersion(state=devices.own_out(stale.present, code, now)) from None
    if aed.version != version:
        await devices.tell(conn, aed_id, now=now)
    return fields.send(devices.own_out(aed, code, now), crs)


@router.delete("/{aed_id}", response_model=aed_record.AedShape, summary="Withdraw an AED")
async def withdraw(aed_id: UUID, *, conn: Tx, caller: Caller, crs: Crs, now: Now) -> Response:
    """Take a device out of the registry for good; its history stays. Repeating changes nothing."""
    code = await aed_access.owner(conn, caller, Action.AED_CHANGE, aed_id)
    was_there = (await aeds.get(conn, aed_id)).status is not Status.WITHDRAWN
    aed = await aeds.withdraw(conn, aed_id, actor_id=caller.id, now=now)
    if was_there:
        await devices.tell(conn, aed_id, now=now)
    return fields.send(devices.own_out(aed, code, now), crs)
