"""The AED registry: read by everybody, changed by the organisation that owns the device."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, model_validator
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, events, orgs
from geo import aeds, datum, usability
from geo.aeds import Aed, Box
from geo.position import Position
from geo.usability import Access, Status
from web import auth, fields, idempotency, rights
from web.dependencies import Caller, Crs, MaybeCaller, Now, Tx, View
from web.rights import Action

router = APIRouter(prefix="/aeds", tags=["aeds"], route_class=idempotency.Route)


def _hours(text: str) -> str:
    """Refuse hours that nobody could evaluate later."""
    if not usability.is_readable(text):
        raise ValueError("must be OpenStreetMap opening_hours such as Mo-Fr 08:00-18:00")
    return text


Hours = Annotated[fields.Word, AfterValidator(_hours)]


_NEVER_EMPTY = {"name", "position", "access", "cabinet", "status"}


class AedFacts(fields.Body):
    """What may be said about a device; everything optional, as a change says only what changed."""

    name: fields.Name | None = None
    address: fields.Word | None = None
    floor: fields.Word | None = None
    entrance: fields.Word | None = None
    location_note: fields.Text | None = None
    indoor: bool | None = None
    position: fields.Place | None = None
    access: Annotated[Access, fields.Lax] | None = None
    hours: Hours | None = None
    hours_note: fields.Text | None = None
    cabinet: Annotated[aeds.Cabinet, fields.Lax] | None = None
    status: Annotated[Status, fields.Lax] | None = None
    verified_at: fields.At | None = None
    crs: fields.Crs = None

    @model_validator(mode="after")
    def _not_emptied(self) -> Self:
        emptied = [n for n in _NEVER_EMPTY & self.model_fields_set if getattr(self, n) is None]
        if emptied:
            raise ValueError(f"{emptied[0]} cannot be null")
        return self

    def columns(self, crs: datum.Crs) -> dict[str, Any]:
        """Give what was said as values of the registry, the position in WGS-84."""
        said = self.model_fields_set - {"crs", "org"}
        values = {name: getattr(self, name) for name in said}
        if self.position is not None:
            values["position"] = fields.inward(self.position, self.crs, crs)
        return values


class NewAed(AedFacts):
    """A device to be entered; without `org` it belongs to the caller's organisation."""

    name: fields.Name
    position: fields.Place
    org: fields.Code | None = None


class PublicAedShape(fields.Shape):
    """What everybody may know of a device, and whether it is usable now (or at `at`)."""

    id: str
    name: str
    address: str | None
    floor: str | None
    entrance: str | None
    location_note: str | None
    indoor: bool | None
    position: fields.PointShape
    access: str
    hours: str | None
    hours_note: str | None
    status: str
    is_invented: bool
    verified_at: str | None
    usable: str
    usable_reason: str
    usable_until: str | None


class AedShape(PublicAedShape):
    """A device as its own organisation sees it."""

    org: str
    cabinet: str
    source: str
    source_ref: str | None
    suspect_since: str | None
    created_at: str
    updated_at: str
    version: int


class PublicAedsShape(fields.Shape):
    """A page of devices."""

    items: list[PublicAedShape]
    next_cursor: str | None
    crs: str


def public_out(aed: Aed, at: datetime) -> dict[str, Any]:
    """Show a device to anybody, as usable at a time."""
    judged = aeds.usable(aed, at)
    return {
        "id": str(aed.id),
        "name": aed.name,
        "address": aed.address,
        "floor": aed.floor,
        "entrance": aed.entrance,
        "location_note": aed.location_note,
        "indoor": aed.indoor,
        "position": aed.position.geojson(),
        "access": aed.access,
        "hours": aed.hours,
        "hours_note": aed.hours_note,
        "status": aed.status,
        "is_invented": aed.is_invented,
        "verified_at": events.time(aed.verified_at),
        **usable_out(judged),
    }


def usable_out(judged: usability.Usability) -> dict[str, Any]:
    """Show whether a device can be taken, why, and until when that holds."""
    return {
        "usable": judged.state,
        "usable_reason": judged.reason,
        "usable_until": events.time(judged.until),
    }


def own_out(aed: Aed, org: str, at: datetime) -> dict[str, Any]:
    """Show a device to the organisation that owns it, named by its code."""
    return {
        **public_out(aed, at),
        "org": org,
        "cabinet": aed.cabinet,
        "source": aed.source,
        "source_ref": aed.source_ref,
        "suspect_since": events.time(aed.suspect_since),
        "created_at": events.time(aed.created_at),
        "updated_at": events.time(aed.updated_at),
        "version": aed.version,
    }


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


@router.get("", response_model=PublicAedsShape, summary="AEDs in a box")
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
) -> Response:
    """List the devices that are not withdrawn, with the facts that everybody may know. Public."""
    after, most = fields.key_of(page, UUID), page.limit + 1
    if as_of is None:
        found = await aeds.list_page(conn, box=_box(bbox), after=after, limit=most)
    else:
        owners = await _orgs_of(conn, caller)
        found = await aeds.as_of(conn, as_of, org_ids=owners, box=_box(bbox), after=after)
    shown = [public_out(aed, at or as_of or now) for aed in found[:most]]
    return fields.send(fields.paged(shown, page, [aed.id for aed in found]), crs)


@router.post(
    "",
    status_code=201,
    response_model=AedShape,
    dependencies=[idempotency.REQUIRED],
    summary="Enter an AED",
)
async def add(body: NewAed, *, conn: Tx, caller: Caller, crs: Crs, now: Now) -> Response:
    """Enter a device for an organisation. Its hours are meant in the time zone of the place."""
    org = await _org(conn, caller, body.org)
    aed = await aeds.add(conn, org.id, body.columns(crs), now=now)
    return fields.created(own_out(aed, org.code, now), "/aeds", crs)


@router.get("/{aed_id}", response_model=AedShape, summary="One AED of your organisation")
async def show(
    aed_id: UUID,
    *,
    conn: View,
    caller: Caller,
    crs: Crs,
    now: Now,
    as_of: Annotated[fields.At | None, Query(description="the record as it was then")] = None,
) -> Response:
    """Show a device as it is, or as it was at a past time."""
    code = await _owner(conn, caller, Action.AED_SEE, aed_id)
    if as_of is None:
        return fields.send(own_out(await aeds.get(conn, aed_id), code, now), crs)
    then = await aeds.as_of(conn, as_of, aed_id=aed_id)
    if not then:
        raise errors.NotFound
    return fields.send(own_out(then[0], code, as_of), crs)


@router.patch("/{aed_id}", response_model=AedShape, summary="Change an AED")
async def change(
    aed_id: UUID,
    body: AedFacts,
    *,
    conn: Tx,
    caller: Caller,
    version: fields.Version,
    crs: Crs,
    now: Now,
) -> Response:
    """Change what is said; the former record is kept. Stale versions get the present state."""
    code = await _owner(conn, caller, Action.AED_CHANGE, aed_id)
    try:
        aed = await aeds.change(
            conn, aed_id, body.columns(crs), version=version, actor_id=caller.id, now=now
        )
    except aeds.StaleAed as stale:
        raise errors.StaleVersion(state=own_out(stale.present, code, now)) from None
    return fields.send(own_out(aed, code, now), crs)


@router.delete("/{aed_id}", response_model=AedShape, summary="Withdraw an AED")
async def withdraw(aed_id: UUID, *, conn: Tx, caller: Caller, crs: Crs, now: Now) -> Response:
    """Take a device out of the registry for good; its history stays. Repeating changes nothing."""
    code = await _owner(conn, caller, Action.AED_CHANGE, aed_id)
    aed = await aeds.withdraw(conn, aed_id, actor_id=caller.id, now=now)
    return fields.send(own_out(aed, code, now), crs)


async def _orgs_of(conn: AsyncConnection, caller: auth.Caller | None) -> list[UUID]:
    """List the organisations whose past the caller may see. Raises NotSignedIn, NotAllowed."""
    if caller is None:
        raise auth.NotSignedIn
    paths = rights.reach(caller, Action.AED_SEE)
    return [org.id for org in await orgs.list_orgs(conn, paths, limit=10_000)]


async def _owner(conn: AsyncConnection, caller: auth.Caller, action: Action, aed_id: UUID) -> str:
    """Let the caller pass and give the code of the owning organisation, or raise NotFound."""
    thing = await rights.check(conn, caller, action, orgs.Noun.AED, aed_id)
    return (thing.path or "").rstrip("/").rpartition("/")[2]


async def _org(conn: AsyncConnection, caller: auth.Caller, code: str | None) -> orgs.Org:
    if code is None:
        return (await orgs.list_orgs(conn, [rights.home(caller, Action.AED_CHANGE)]))[0]
    org = await orgs.find_org(conn, code)
    if org is None:
        raise errors.NotFound
    rights.require(caller, Action.AED_CHANGE, rights.Thing(path=org.path))
    return org
