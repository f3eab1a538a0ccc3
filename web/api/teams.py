"""Teams: volunteers who are asked in one action, with a leader who sees their answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import board, orgs, responders, store, tables
from web import auth, fields, idempotency, rights
from web.api.responders import within
from web.dependencies import Caller, Tx, View
from web.rights import Action

router = APIRouter(prefix="/teams", tags=["people"], route_class=idempotency.Route)

Members = Annotated[list[fields.Id], Field(max_length=500)]


class NewTeam(fields.Body):
    """A team; the leader is a member too."""

    code: fields.Code
    name: fields.Name
    leader: fields.Id | None = None
    members: Members = Field(default_factory=list)
    org: fields.Code | None = None


class TeamChange(fields.Body):
    """What may be changed; members are replaced as a whole."""

    name: fields.Name | None = None
    leader: fields.Id | None = None
    members: Members | None = None


class TeamShape(fields.Shape):
    """A team."""

    id: str
    code: str
    name: str
    leader: str | None
    members: list[str]
    version: int


class TeamList(fields.Shape):
    """The teams of your organisations."""

    items: list[TeamShape]
    next_cursor: None


@router.get("", response_model=TeamList, summary="The teams of your organisations")
async def list_(conn: View, caller: Caller) -> Response:
    """List teams by their codes."""
    mine = within(rights.reach(caller, Action.TEAM_SEE))
    found = await store.list_teams(
        conn, tables.team.c.org_id.in_(sa.select(tables.org.c.id).where(mine))
    )
    return fields.send({"items": [board.team_out(team) for team in found], "next_cursor": None})


@router.get("/{team_id}", response_model=TeamShape, summary="One team")
async def show(team_id: UUID, conn: View, caller: Caller) -> Response:
    """Show a team with its members."""
    await rights.check(conn, caller, Action.TEAM_SEE, orgs.Noun.TEAM, team_id)
    return fields.send(board.team_out(await store.get_team(conn, team_id)))


@router.post(
    "",
    status_code=201,
    response_model=TeamShape,
    dependencies=[idempotency.REQUIRED],
    summary="Make a team",
)
async def add(body: NewTeam, conn: Tx, caller: Caller) -> Response:
    """Make a team of volunteers whom you may see."""
    org = await rights.org_for(conn, caller, Action.TEAM_CHANGE, body.org)
    await _check_people(conn, caller, [*body.members, body.leader])
    team = await responders.add_team(
        conn, org.id, code=body.code, name=body.name, leader_id=body.leader, members=body.members
    )
    return fields.created(board.team_out(team), "/teams")


@router.patch("/{team_id}", response_model=TeamShape, summary="Change a team")
async def change(
    team_id: UUID, body: TeamChange, *, conn: Tx, caller: Caller, version: fields.Version
) -> Response:
    """Change the name or the leader, or replace the members."""
    await rights.check(conn, caller, Action.TEAM_CHANGE, orgs.Noun.TEAM, team_id)
    await _check_people(conn, caller, [*(body.members or ()), body.leader])
    team = await responders.change_team(
        conn, team_id, name=body.name, leader_id=body.leader, members=body.members, version=version
    )
    return fields.send(board.team_out(team))


async def _check_people(
    conn: AsyncConnection, caller: auth.Caller, people: Iterable[UUID | None]
) -> None:
    """Check each by itself; one foreign id refuses the request."""
    for person_id in people:
        if person_id is not None:
            await rights.check(conn, caller, Action.RESPONDER_SEE, orgs.Noun.RESPONDER, person_id)
