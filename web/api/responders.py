"""Volunteers with their certificates, and the teams that are asked together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, cast
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import accounts, orgs, responders, states, store, tables
from web import auth, fields, idempotency, rights
from web.dependencies import Caller, Now, Tx, View
from web.rights import Action

router = APIRouter(prefix="/responders", tags=["people"], route_class=idempotency.Route)


class NewCertificate(fields.Body):
    """A proof of training."""

    kind: fields.Name
    expires_on: fields.Day
    number: fields.Word | None = None
    issuer: fields.Word | None = None
    issued_on: fields.Day | None = None

    def proof(self) -> responders.Proof:
        """Give it as dispatch takes it."""
        return responders.Proof(
            self.kind, self.expires_on, self.number, self.issuer, self.issued_on
        )


Certificates = Annotated[list[NewCertificate], Field(max_length=20, default_factory=list)]
Skills = Annotated[list[fields.Name], Field(max_length=20, default_factory=list)]


class NewResponder(fields.Body):
    """A volunteer; without `org` of the caller's organisation. Off duty at first."""

    name: fields.Name
    name_en: fields.Name | None = None
    username: fields.Name | None = None
    phone: fields.Word | None = None
    org: fields.Code | None = None
    skills: Skills
    born_on: fields.Day | None = None
    certificates: Certificates


class ResponderChange(fields.Body):
    """What may be changed; certificates are replaced as a whole."""

    skills: Skills
    born_on: fields.Day | None = None
    certificates: Certificates
    duty: Annotated[states.Duty, fields.Lax] = states.Duty.OFF_DUTY


class CertificateShape(fields.Shape):
    """A proof of training."""

    kind: str
    number: str | None
    issuer: str | None
    issued_on: str | None
    expires_on: str
    status: str


class ResponderShape(fields.Shape):
    """A volunteer."""

    id: str
    name: str
    name_en: str | None
    skills: list[str]
    born_on: str | None
    duty: str
    duty_until: str | None
    certificates: list[CertificateShape]
    is_invented: bool
    version: int


class ResponderList(fields.Shape):
    """A page of volunteers."""

    items: list[ResponderShape]
    next_cursor: str | None


@router.get("", response_model=ResponderList, summary="The volunteers of your organisations")
async def list_(conn: View, caller: Caller, page: fields.Paging, now: Now) -> Response:
    """List volunteers with their certificates, in the order in which they were entered."""
    conditions = [within(rights.reach(caller, Action.RESPONDER_SEE))]
    if page.after is not None:
        conditions.append(tables.responder.c.id > fields.id_of(page.after))
    found = await store.list_responders(conn, *conditions, limit=page.limit + 1)
    held = await store.list_certificates(conn, [person.id for person in found])
    items = [
        responders.responder_out(
            person, [one for one in held if one.responder_id == person.id], now=now
        )
        for person in found
    ]
    return fields.send(fields.paged(items, page, [person.id for person in found]))


def within(paths: Sequence[str]) -> sa.ColumnElement[bool]:
    """Keep what belongs to organisations at or below these paths."""
    return sa.or_(*(sa.func.starts_with(tables.org.c.path, path) for path in paths))


@router.get("/{responder_id}", response_model=ResponderShape, summary="One volunteer")
async def show(responder_id: UUID, conn: View, caller: Caller, now: Now) -> Response:
    """Show one volunteer."""
    await _check(conn, caller, Action.RESPONDER_SEE, responder_id)
    return fields.send(await _shown(conn, responder_id, now))


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
    await responders.enrol(
        conn, person_id,
        org_id=org.id, skills=body.skills, born_on=body.born_on,
        certificates=[certificate.proof() for certificate in body.certificates],
    )  # fmt: skip
    return fields.created(await _shown(conn, person_id, now), "/responders")


@router.patch("/{responder_id}", response_model=ResponderShape, summary="Change a volunteer")
async def change(
    responder_id: UUID,
    body: ResponderChange,
    *,
    conn: Tx,
    caller: Caller,
    version: fields.Version,
    now: Now,
) -> Response:
    """Change skills, certificates or duty; `suspended` keeps a volunteer from being asked."""
    await _check(conn, caller, Action.RESPONDER_CHANGE, responder_id)
    sent = body.model_fields_set
    changes: dict[str, Any] = {name: getattr(body, name) for name in sent - {"duty"}}
    if "certificates" in changes:
        changes["certificates"] = [certificate.proof() for certificate in body.certificates]
    await responders.change(conn, responder_id, cast("responders.Change", changes), version=version)
    if "duty" in sent:
        await responders.set_duty(conn, responder_id, body.duty, now=now)
    return fields.send(await _shown(conn, responder_id, now))


async def _check(
    conn: AsyncConnection, caller: auth.Caller, action: Action, responder_id: UUID
) -> None:
    await rights.check(conn, caller, action, orgs.Noun.RESPONDER, responder_id)


async def _shown(conn: AsyncConnection, responder_id: UUID, now: Now) -> dict[str, Any]:
    person = await store.get_responder(conn, responder_id)
    held = await store.list_certificates(conn, [responder_id])
    return responders.responder_out(person, held, now=now)
