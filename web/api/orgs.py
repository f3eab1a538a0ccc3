"""The tree of organisations."""

from __future__ import annotations

import zoneinfo
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import AfterValidator, Field

from dispatch import board, orgs
from web import fields, idempotency, rights, shapes
from web.dependencies import Caller, Tx, View

router = APIRouter(prefix="/orgs", tags=["orgs"], route_class=idempotency.Route)


def _zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise ValueError("must be a time zone such as Asia/Shanghai")
    return name


Zone = Annotated[fields.Name, AfterValidator(_zone)]


class NewOrg(fields.Body):
    """A new organisation below `parent`, which is the caller's own where it is not named."""

    code: fields.Code
    name_zh: fields.Name
    name_en: fields.Name
    level: Annotated[int, Field(ge=1, le=5)]
    parent: fields.Code | None = None
    phone: fields.Word | None = None
    timezone: Zone = "Asia/Shanghai"


class OrgChange(fields.Body):
    """What may be changed; the code and the place in the tree stay."""

    name_zh: fields.Name = ""
    name_en: fields.Name = ""
    phone: fields.Word | None = None
    timezone: Zone = "Asia/Shanghai"


class OrgDetail(shapes.OrgShape):
    """An organisation with what may be changed of it."""

    timezone: str
    version: int


class OrgList(fields.Shape):
    """A page of organisations."""

    items: list[OrgDetail]
    next_cursor: str | None


@router.get("", response_model=OrgList, summary="The organisations at and below your own")
async def list_(conn: View, caller: Caller, page: fields.Paging) -> Response:
    """List the organisations in the order of the tree."""
    paths = rights.reach(caller, rights.Action.ORG_SEE)
    found = await orgs.list_orgs(conn, paths, after=page.after or "", limit=page.limit + 1)
    return fields.send(
        fields.paged([_org_out(org) for org in found], page, [org.path for org in found])
    )


@router.get("/{org_id}", response_model=OrgDetail, summary="One organisation")
async def show(org_id: UUID, conn: View, caller: Caller) -> Response:
    """Show one organisation."""
    await rights.check(conn, caller, rights.Action.ORG_SEE, orgs.Noun.ORG, org_id)
    return fields.send(_org_out(await orgs.get_org(conn, org_id)))


@router.post(
    "",
    status_code=201,
    response_model=OrgDetail,
    dependencies=[idempotency.REQUIRED],
    summary="Add an organisation",
)
async def add(body: NewOrg, conn: Tx, caller: Caller) -> Response:
    """Add an organisation below one of yours."""
    parent = await rights.org_for(conn, caller, rights.Action.ORG_CHANGE, body.parent)
    values = body.model_dump(exclude={"parent"})
    org_id = await orgs.add_org(conn, parent, **values)
    return fields.created(_org_out(await orgs.get_org(conn, org_id)), "/orgs")


@router.patch("/{org_id}", response_model=OrgDetail, summary="Change an organisation")
async def change(
    org_id: UUID, body: OrgChange, *, conn: Tx, caller: Caller, version: fields.Version
) -> Response:
    """Change names, phone or time zone."""
    await rights.check(conn, caller, rights.Action.ORG_CHANGE, orgs.Noun.ORG, org_id)
    changes = body.model_dump(exclude_unset=True)
    await orgs.change_org(conn, org_id, version=version, changes=changes)
    return fields.send(_org_out(await orgs.get_org(conn, org_id)))


def _org_out(org: orgs.Org) -> dict[str, Any]:
    return {**board.org_out(org), "timezone": org.timezone, "version": org.version}
