"""Alert policies as versioned documents: drafts, publishing after a simulation, retiring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

import shapely
import shapely.geometry
from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, Field

from dispatch import errors, events, orgs, policies, states
from web import fields, idempotency, rights
from web.dependencies import Caller, Now, Tx, View
from web.rights import Action

router = APIRouter(prefix="/policies", tags=["policies"], route_class=idempotency.Route)

#: Corners of an area.
_CORNERS_MOST = 5_000

_Lon = Annotated[float, Field(ge=-180, le=180)]
_Lat = Annotated[float, Field(ge=-90, le=90)]
_Corner = Annotated[tuple[_Lon, _Lat], fields.Lax]


def _closed(ring: list[tuple[float, float]]) -> list[tuple[float, float]]:
    if ring[0] != ring[-1]:
        raise ValueError("must end where it begins")
    return ring


_Ring = Annotated[
    list[_Corner], Field(min_length=4, max_length=_CORNERS_MOST), AfterValidator(_closed)
]
_Rings = Annotated[list[_Ring], Field(min_length=1, max_length=100)]


class Polygon(fields.Body):
    """A GeoJSON Polygon in WGS-84."""

    type: Literal["Polygon"]
    coordinates: _Rings


class MultiPolygon(fields.Body):
    """A GeoJSON MultiPolygon in WGS-84."""

    type: Literal["MultiPolygon"]
    coordinates: Annotated[list[_Rings], Field(min_length=1, max_length=100)]


def _sound(area: Polygon | MultiPolygon) -> Polygon | MultiPolygon:
    shape = shapely.geometry.shape(area.model_dump())
    if shape.is_empty or not shape.is_valid:
        raise ValueError("must be a closed polygon that does not cross itself")
    return area


Area = Annotated[Polygon | MultiPolygon, Field(discriminator="type"), AfterValidator(_sound)]


class NewPolicy(fields.Body):
    """A draft: the fields that differ from `base`, and where it is to hold (empty: everywhere)."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
    base: Annotated[str, Field(description="Name of a shipped policy.")] = policies.DEFAULT.name
    document: Annotated[dict[str, Any], Field(max_length=200)] = Field(default_factory=dict)
    kinds: list[Annotated[states.Kind, fields.Lax]] = Field(default_factory=list)
    severities: list[Annotated[int, Field(ge=1, le=4)]] = Field(default_factory=list)
    area: Area | None = None
    note: fields.Text | None = None
    org: fields.Code | None = None


class Dates(fields.Body):
    """From when a policy holds (now, if nothing is said) and until when."""

    effective_from: fields.At | None = None
    effective_until: fields.At | None = None


class PolicyShape(fields.Shape):
    """One version of a policy; it never changes."""

    id: str
    org: str
    name: str
    version: int
    note: str | None
    status: str
    document: dict[str, Any]
    digest: str
    kinds: list[str]
    severities: list[int]
    area: dict[str, Any] | None
    effective_from: str | None
    effective_until: str | None
    report: str | None
    created_at: str
    published_at: str | None
    retired_at: str | None


class ShippedShape(fields.Shape):
    """A policy that every installation has; the first is the default."""

    name: str
    version: int
    chooser: str
    document: dict[str, Any]
    digest: str


class PolicyList(fields.Shape):
    """A page of versions, the latest first, and what is shipped."""

    items: list[PolicyShape]
    shipped: list[ShippedShape]
    next_cursor: str | None


@router.get("", response_model=PolicyList, summary="The policies of your organisations")
async def list_(
    conn: View,
    caller: Caller,
    page: fields.Paging,
    status: Annotated[policies.Status | None, Query()] = None,
) -> Response:
    """List every version, and the policies that are shipped."""
    found = await policies.list_versions(
        conn, rights.reach(caller, Action.POLICY_SEE), status=status,
        after=fields.key_of(page, UUID), limit=page.limit + 1,
    )  # fmt: skip
    body = fields.paged([_out(item) for item in found], page, [item.id for item in found])
    return fields.send({**body, "shipped": _shipped()})


@router.get("/{policy_id}", response_model=PolicyShape, summary="One version of a policy")
async def show(policy_id: UUID, conn: View, caller: Caller) -> Response:
    """Show one version with its whole document."""
    await rights.check(conn, caller, Action.POLICY_SEE, orgs.Noun.POLICY, policy_id)
    return fields.send(_out(await policies.get(conn, policy_id)))


@router.post(
    "",
    status_code=201,
    response_model=PolicyShape,
    dependencies=[idempotency.REQUIRED],
    summary="Draft the next version of a policy",
)
async def add(body: NewPolicy, *, conn: Tx, caller: Caller, now: Now) -> Response:
    """Draft a version; it holds nowhere before it was simulated and published."""
    org = await rights.org_for(conn, caller, Action.POLICY_CHANGE, body.org)
    bounds = policies.Bounds(
        body.kinds, body.severities, None if body.area is None else body.area.model_dump()
    )
    version = await policies.draft(
        conn, org.id, body.name, {**_base(body.base), **body.document},
        bounds=bounds, note=body.note, by=caller.id, now=now,
    )  # fmt: skip
    return fields.created(_out(version), "/policies")


@router.post("/{policy_id}/publish", response_model=PolicyShape, summary="Let a draft hold")
async def publish(
    policy_id: UUID, body: Dates | None = None, *, conn: Tx, caller: Caller, now: Now
) -> Response:
    """Let a draft hold; 409 `simulation_missing` unless it was simulated exactly as it is."""
    await rights.check(conn, caller, Action.POLICY_CHANGE, orgs.Noun.POLICY, policy_id)
    dates = body or Dates()
    version = await policies.publish(
        conn, policy_id, effective_from=dates.effective_from,
        effective_until=dates.effective_until, by=caller.id, now=now,
    )  # fmt: skip
    return fields.send(_out(version))


@router.post("/{policy_id}/retire", response_model=PolicyShape, summary="End a policy")
async def retire(policy_id: UUID, *, conn: Tx, caller: Caller, now: Now) -> Response:
    """End a published version; alarms under way keep it."""
    await rights.check(conn, caller, Action.POLICY_CHANGE, orgs.Noun.POLICY, policy_id)
    return fields.send(_out(await policies.retire(conn, policy_id, by=caller.id, now=now)))


def _base(name: str) -> Mapping[str, Any]:
    if name not in policies.SHIPPED:
        known = ", ".join(policies.SHIPPED)
        raise errors.BadPolicy(f"base: must be one of {known}", state={"field": "base"})
    return policies.SHIPPED[name].document()


def _shipped() -> list[dict[str, Any]]:
    return [
        {
            "name": policy.name,
            "version": policy.version,
            "chooser": policy.chooser.value,
            "document": policy.document(),
            "digest": policy.digest(),
        }
        for policy in policies.SHIPPED.values()
    ]


def _out(version: policies.Version) -> dict[str, Any]:
    return {
        "id": str(version.id),
        "org": version.org_code,
        "name": version.name,
        "version": version.version,
        "note": version.note,
        "status": version.status.value,
        "document": dict(version.document),
        "digest": version.digest,
        "kinds": [kind.value for kind in version.kinds],
        "severities": list(version.severities),
        "area": None if version.area is None else dict(version.area),
        "effective_from": events.time(version.effective_from),
        "effective_until": events.time(version.effective_until),
        "report": events.ident(version.report_id),
        "created_at": events.time(version.created_at),
        "published_at": events.time(version.published_at),
        "retired_at": events.time(version.retired_at),
    }
