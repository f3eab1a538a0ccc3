"""The console's board, with the number in the live log that it belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import board, events, orgs, telling
from web import auth, fields, rights, shapes
from web.dependencies import Caller, Crs, Now, View
from web.rights import Action

router = APIRouter(prefix="/board", tags=["board"])

Which = Annotated[
    str | None, Query(alias="org", max_length=40, description="code; default: your own")
]


class MarkShape(fields.Shape):
    """A place in a topic's log; `seq` is decimal text."""

    epoch: str
    seq: str


class SilentShape(fields.Shape):
    """A channel that sends and delivers nothing."""

    channel: str
    silent_since: str | None


class BoardShape(fields.Shape):
    """The open incidents with their alerts and assignments, by id."""

    org: shapes.OrgShape
    incidents: dict[str, shapes.IncidentShape]
    alerts: dict[str, shapes.AlertShape]
    assignments: dict[str, shapes.AssignmentShape]
    channels: list[SilentShape]


class BoardAnswer(fields.Shape):
    """The board, and from where on to listen."""

    topics: dict[str, MarkShape]
    board: BoardShape
    crs: str


class ChannelShape(SilentShape):
    """A channel that is on, and when a message last arrived by it for certain."""

    is_test: bool
    proved_at: str | None


class FiguresAnswer(fields.Shape):
    """What an idle console shows."""

    on_duty: int
    aeds_usable: int
    aeds_total: int
    closed_24h: list[shapes.IncidentShape]
    channels: list[ChannelShape]
    crs: str


@router.get("", response_model=BoardAnswer, summary="Snapshot for a console")
async def show(*, conn: View, caller: Caller, crs: Crs, now: Now, code: Which = None) -> Response:
    """Show the board and its number, read at one instant; listen to its topic from there on."""
    org = await _org(conn, caller, code)
    topic = telling.org_topic(org.code)
    mark, body = await board.with_mark(conn, topic, now=now)
    _hide_phones(caller, org, body["incidents"].values())
    marks = {topic: {"epoch": mark.epoch, "seq": str(mark.seq)}}
    return fields.send({"topics": marks, "board": body}, crs)


@router.get("/figures", response_model=FiguresAnswer, summary="Figures for an idle console")
async def figures(
    *, conn: View, caller: Caller, crs: Crs, now: Now, code: Which = None
) -> Response:
    """Count who is on duty and which AEDs are usable, and list the last day's closed incidents."""
    org = await _org(conn, caller, code)
    body = await board.figures(conn, org, now=now)
    _hide_phones(caller, org, body["closed_24h"])
    return fields.send(body, crs)


async def _org(conn: AsyncConnection, caller: auth.Caller, code: str | None) -> orgs.Org:
    return await rights.org_for(conn, caller, Action.BOARD_SEE, code)


def _hide_phones(caller: auth.Caller, org: orgs.Org, incidents: Iterable[events.Body]) -> None:
    """Take the callers' phone numbers out of incidents for those who may not call back."""
    if not rights.may(caller, Action.CALLER_PHONE_SEE, rights.Thing(org.path)):
        for incident in incidents:
            incident["caller_phone"] = None
