"""Volunteers: enter, find, change, suspend them, and take them back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Self, cast
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field, model_validator
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import accounts, certificates, orgs, responders, roster, states, store, tables
from web import auth, fields, idempotency, rights
from web.dependencies import Caller, Now, Tx, View
from web.plain_depends import at_once
from web.position_ingest import Positions
from web.rights import Action

router = APIRouter(prefix="/responders", tags=["people"], route_class=idempotency.Route)


class NewCertificate(fields.Body):
    """A proof of training."""

    kind: fields.Name
    expires_on: fields.Day
    number: fields.Word | None = None
    issuer: fields.Word | None = None
    issued_on: fields.Day | None = None

    def proof(self, *, status: str = "verified") -> certificates.Proof:
        """Give it as dispatch takes it."""
        return certificates.Proof(
            self.kind, self.expires_on, self.number, self.issuer, self.issued_on, status
        )


Certificates = Annotated[list[NewCertificate], Field(max_length=20, default_factory=list)]
Skills = Annotated[list[fields.Name], Field(max_length=20, default_factory=list)]


class NewResponder(fields.Body):
    """A volunteer; without `org` of the caller's organisation. Off duty at first."""

    name: fields.Name
    name_en: fields.Name | None = None
    username: fields.Name | None = None
    phone: fields.Word | None = None
    code: fields.Word | None = None
    note: fields.Text | None = None
    org: fields.Code | None = None
    skills: Skills
    born_on: fields.Day | None = None
    certificates: Certificates


class ResponderChange(fields.Body):
    """What may be changed; certificates are replaced as a whole."""

    name: fields.Name | None = None
    name_en: fields.Name | None = None
    phone: fields.Word | None = None
    code: fields.Word | None = None
    note: fields.Text | None = None
    skills: Skills
    born_on: fields.Day | None = None
    certificates: Certificates
    duty: Annotated[states.Duty, fields.Lax] = states.Duty.OFF_DUTY

    @model_validator(mode="after")
    def _keeps_a_name(self) -> Self:
        if "name" in self.model_fields_set and self.name is None:
            raise ValueError("name cannot be null")
        return self


class Suspension(fields.Body):
    """Why somebody is not to be asked for now."""

    reason: fields.Text


class CertificateShape(fields.Shape):
    """A proof of training; only a verified one that has not expired counts."""

    id: str
    kind: str
    number: str | None
    issuer: str | None
    issued_on: str | None
    expires_on: str
    status: str
    reviewed_at: str | None


class ResponderShape(fields.Shape):
    """A volunteer, as an office of the organisation sees them."""

    id: str
    code: str | None
    name: str
    name_en: str | None
    phone: str | None
    username: str | None
    note: str | None
    skills: list[str]
    teams: list[str]
    born_on: str | None
    duty: str
    duty_until: str | None
    suspended_reason: str | None
    certificates: list[CertificateShape]
    is_invented: bool
    version: int


class ResponderList(fields.Shape):
    """A page of volunteers."""

    items: list[ResponderShape]
    next_cursor: str | None


def _search(
    *,
    q: Annotated[str | None, Query(max_length=100, description="name, code, user or phone")] = None,
    duty: states.Duty | None = None,
    team: Annotated[UUID | None, Query(description="members of this team")] = None,
    certificate: Annotated[
        roster.Papers | None,
        Query(description="pending: to be reviewed; expiring: within 90 days; expired: or none"),
    ] = None,
) -> roster.Search:
    return roster.Search(q, duty, team, certificate)


@router.get("", response_model=ResponderList, summary="The volunteers of your organisations")
async def list_(
    conn: View,
    caller: Caller,
    page: fields.Paging,
    search: Annotated[roster.Search, Depends(at_once(_search))],
    now: Now,
) -> Response:
    """List volunteers with contacts and certificates, in the order in which they were entered."""
    conditions = [
        within(rights.reach(caller, Action.RESPONDER_SEE)),
        *roster.matching(search, today=now.date()),
    ]
    if page.after is not None:
        conditions.append(tables.responder.c.id > fields.id_of(page.after))
    found = await store.list_responders(conn, *conditions, limit=page.limit + 1)
    items = await roster.show(conn, found, now=now)
    return fields.send(fields.paged(items, page, [person.id for person in found]))


def within(paths: Sequence[str]) -> sa.ColumnElement[bool]:
    """Keep what belongs to organisations at or below these paths."""
    return sa.or_(*(sa.func.starts_with(tables.org.c.path, path) for path in paths))


@router.get("/{responder_id}", response_model=ResponderShape, summary="One volunteer")
async def show(responder_id: UUID, conn: View, caller: Caller, now: Now) -> Response:
    """Show one volunteer."""
    await check(conn, caller, Action.RESPONDER_SEE, responder_id)
    return fields.send(await shown(conn, responder_id, now))


@router.post(
    "",
    status_code=201,
    response_model=ResponderShape,
    dependencies=[idempotency.REQUIRED],
    summary="Enrol a volunteer",
)
async def enrol(body: NewResponder, conn: Tx, caller: Caller, now: Now) -> Response:
    """Enter a person as a volunteer, with the role that lets them sign in by link."""
    org = await rights.org_for(conn, caller, Action.RESPONDER_CHANGE, body.org)
    person_id = await accounts.add_person(
        conn, org.id,
        name=body.name, name_en=body.name_en, username=body.username, phone=body.phone,
    )  # fmt: skip
    await accounts.grant(conn, person_id, org.id, states.OrgRole.RESPONDER)
    made = await responders.enrol(
        conn, person_id,
        org_id=org.id, skills=body.skills, born_on=body.born_on,
        proofs=[certificate.proof() for certificate in body.certificates],
    )  # fmt: skip
    if body.code is not None or body.note is not None:
        said: responders.Change = {"code": body.code, "note": body.note}
        await responders.change(conn, person_id, said, version=made.version)
    return fields.created(await shown(conn, person_id, now), "/responders")


@router.patch("/{responder_id}", response_model=ResponderShape, summary="Change a volunteer")
async def change(
    responder_id: UUID,
    body: ResponderChange,
    *,
    conn: Tx,
    caller: Caller,
    places: Positions,
    version: fields.Version,
    now: Now,
) -> Response:
    """Change what is said; `suspended` keeps a volunteer from being asked."""
    await check(conn, caller, Action.RESPONDER_CHANGE, responder_id)
    sent = body.model_fields_set
    changes: dict[str, Any] = {
        name: getattr(body, name) for name in sent - {"duty", "certificates"}
    }
    if "certificates" in sent:
        changes["proofs"] = [certificate.proof() for certificate in body.certificates]
    await responders.change(conn, responder_id, cast("responders.Change", changes), version=version)
    if "duty" in sent:
        await responders.set_duty(conn, responder_id, body.duty, now=now)
    answer = fields.send(await shown(conn, responder_id, now))
    answer.background = places.after_duty(responder_id)
    return answer


@router.post(
    "/{responder_id}/suspend",
    response_model=ResponderShape,
    dependencies=[idempotency.REQUIRED],
    summary="Keep a volunteer from being asked",
)
async def suspend(
    responder_id: UUID,
    body: Suspension,
    *,
    conn: Tx,
    caller: Caller,
    places: Positions,
    now: Now,
) -> Response:
    """Suspend until somebody resumes; a present alert or mission stays."""
    await check(conn, caller, Action.RESPONDER_CHANGE, responder_id)
    suspended = states.Duty.SUSPENDED
    await responders.set_duty(conn, responder_id, suspended, reason=body.reason, now=now)
    answer = fields.send(await shown(conn, responder_id, now))
    answer.background = places.after_duty(responder_id)
    return answer


@router.post(
    "/{responder_id}/resume",
    response_model=ResponderShape,
    dependencies=[idempotency.REQUIRED],
    summary="End a suspension",
)
async def resume(responder_id: UUID, conn: Tx, caller: Caller, now: Now) -> Response:
    """Take a suspended volunteer back, off duty: they go on duty themselves."""
    await check(conn, caller, Action.RESPONDER_CHANGE, responder_id)
    present = await store.get_responder(conn, responder_id)
    if present.duty is states.Duty.SUSPENDED:
        await responders.set_duty(conn, responder_id, states.Duty.OFF_DUTY, now=now)
    return fields.send(await shown(conn, responder_id, now))


async def check(
    conn: AsyncConnection, caller: auth.Caller, action: Action, responder_id: UUID
) -> None:
    """Let the caller pass, or raise NotFound or NotAllowed."""
    await rights.check(conn, caller, action, orgs.Noun.RESPONDER, responder_id)


async def shown(conn: AsyncConnection, responder_id: UUID, now: Now) -> dict[str, Any]:
    """Give a volunteer as the office sees them. Raises NotFound."""
    person = await store.get_responder(conn, responder_id)
    return dict((await roster.show(conn, [person], now=now))[0])
