"""Accounts in work messengers, by which a person is called there."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import orgs, push_devices
from web import fields, rights
from web.dependencies import Caller, Tx, View

router = APIRouter(tags=["me"])

Account = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.@\-]+$")]


class Contacts(fields.Body):
    """Accounts by messenger; null takes one away, what is left out stays."""

    wecom: Account | None = None
    dingtalk: Account | None = None
    feishu: Account | None = None


class ContactsShape(fields.Shape):
    """A person's accounts; null where there is none."""

    wecom: str | None
    dingtalk: str | None
    feishu: str | None


@router.get("/me/contacts", response_model=ContactsShape, summary="My accounts in messengers")
async def show_mine(conn: View, caller: Caller) -> Response:
    """Show by which accounts I am called in WeCom, DingTalk and Feishu."""
    rights.require(caller, rights.Action.OWN_SEE, rights.Thing(person_id=caller.id))
    return await _show(conn, caller.id)


@router.put("/me/contacts", response_model=ContactsShape, summary="Set my accounts")
async def set_mine(body: Contacts, conn: Tx, caller: Caller) -> Response:
    """Say by which accounts I am called in WeCom, DingTalk and Feishu."""
    rights.require(caller, rights.Action.OWN_CHANGE, rights.Thing(person_id=caller.id))
    return await _set(conn, caller.id, body)


@router.put(
    "/responders/{responder_id}/contacts",
    response_model=ContactsShape,
    summary="Set a responder's accounts",
)
async def set_theirs(responder_id: UUID, body: Contacts, conn: Tx, caller: Caller) -> Response:
    """Say by which accounts a responder is called in WeCom, DingTalk and Feishu."""
    await rights.check(
        conn, caller, rights.Action.RESPONDER_CHANGE, orgs.Noun.RESPONDER, responder_id
    )
    return await _set(conn, responder_id, body)


async def _set(conn: AsyncConnection, person_id: UUID, body: Contacts) -> Response:
    await push_devices.set_contacts(conn, person_id, body.model_dump(exclude_unset=True))
    return await _show(conn, person_id)


async def _show(conn: AsyncConnection, person_id: UUID) -> Response:
    held = (await push_devices.contacts_of(conn, [person_id])).get(person_id, {})
    return fields.send({name: held.get(name) for name in Contacts.model_fields})
