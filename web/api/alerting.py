"""Whom to ask for an incident: the plan, sending it, and the record of every decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

import redis.asyncio
from fastapi import APIRouter, Response
from pydantic import Field, model_validator
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    alerts,
    board,
    events,
    matching,
    orgs,
    plan_views,
    planning,
    policies,
    run_cards,
    store,
    whereabouts,
)
from geo import walking
from web import auth, fields, idempotency, language, reasons, rights, shapes
from web.api.incidents import check
from web.dependencies import Caller, Crs, Language, Network, Now, Policy, Redis, Tx, View
from web.rights import Action

router = APIRouter(prefix="/incidents", tags=["incidents"], route_class=idempotency.Route)


class AlertRequest(fields.Body):
    """Nothing: by policy. Or exactly these responders, or everyone of a team, or an alarm level."""

    responders: Annotated[list[fields.Id], Field(min_length=1, max_length=200)] | None = None
    team: fields.Id | None = None
    level: Annotated[int, Field(ge=1, le=4)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(way is not None for way in (self.responders, self.team, self.level)) > 1:
            raise ValueError("send one of responders, team and level")
        return self


class WaveShape(fields.Shape):
    """One round of asking."""

    id: str
    number: int
    sent_at: str
    policy: str
    # The alarm level, where a run card asked for it.
    level: int | None


class AlertAnswer(fields.Shape):
    """What was sent; a wave that found nobody in reach has no alerts and is looked at again."""

    wave: WaveShape
    alerts: list[shapes.AlertShape]
    allocation: str
    crs: str


class AllocationShape(fields.Shape):
    """One decision as it was made: policy, inputs, whom it chose, and whom not and why."""

    id: str
    incident: str
    wave: str | None
    made_at: str
    policy: str
    # SHA-256 of the values in `inputs`, from which the choice can be made again.
    digest: str | None
    # What the plan had to do without.
    modes: list[str] | None
    expected: shapes.FiguresShape | None
    inputs: dict[str, Any]
    chosen: list[dict[str, Any]]
    excluded: list[dict[str, Any]]
    ms: float


class AllocationList(fields.Shape):
    """Every decision, the latest first."""

    items: list[AllocationShape]
    next_cursor: None
    crs: str


@dataclass(frozen=True, slots=True)
class Named:
    """Whom an operator asked for."""

    responders: Sequence[UUID] | None = None
    team_id: UUID | None = None
    level: int | None = None


@router.get("/{incident_id}/plan", response_model=shapes.PlanShape, summary="Who would be asked")
async def plan(
    incident_id: UUID,
    *,
    conn: View,
    bus: Redis,
    caller: Caller,
    policy: Policy,
    network: Network,
    crs: Crs,
    spoken: Language,
    now: Now,
) -> Response:
    """Say who would be alerted now and why, and everyone within reach who would not, and why."""
    known = await _incident(conn, caller, incident_id)
    policy = await policies.effective(conn, known, base=policy, now=now)
    live = await planning.live_positions(
        conn, incident_id, bus, policy=policy, network=network, known=known, now=now
    )
    made = await planning.make(
        conn, incident_id, policy=policy, network=network, live=live, known=known, now=now
    )
    return fields.send(_said(plan_views.plan_out(made), spoken), crs)


def _said(body: events.Body, spoken: language.Language) -> events.Body:
    for candidate in (*body["chosen"], *body["excluded"]):
        if "reason_args" in candidate:
            candidate["reason_text"] = reasons.text(
                candidate["reason"], candidate["reason_args"], spoken
            )
    return body


@router.post(
    "/{incident_id}/alert",
    status_code=201,
    response_model=AlertAnswer,
    dependencies=[idempotency.REQUIRED],
    summary="Ask responders",
)
async def alert(
    incident_id: UUID,
    body: AlertRequest | None = None,
    *,
    conn: Tx,
    bus: Redis,
    caller: Caller,
    policy: Policy,
    network: Network,
    crs: Crs,
    now: Now,
) -> Response:
    """Send a wave: `{}` by policy, or to named responders, or a team; later ones go by themselves.

    An alarm `level` asks the teams and skills of the policy's run card that the level before did
    not; one without a card, or that adds nothing, is 409 `conflict`. By policy with nobody in reach
    the wave has no alerts and people are looked for again; when none of the named can be asked, 409
    `nobody_to_alert` says why of each.
    """
    known = await _incident(conn, caller, incident_id)
    named = await _named(conn, caller, body or AlertRequest())
    sent = await _send(
        conn, known, named, bus, policy=policy, network=network, by=caller.id, now=now
    )
    answer = {
        "wave": events.wave_out(sent.wave),
        "alerts": [events.alert_out(alert) for alert in sent.alerts],
        "allocation": str(sent.allocation_id),
    }
    return fields.send(answer, crs, status=201)


async def _incident(
    conn: AsyncConnection, caller: auth.Caller, incident_id: UUID
) -> store.Incident:
    """Return an incident that the caller may run, in one look. Raises NotFound, NotAllowed."""
    known = await store.get_incident(conn, incident_id)
    path = known.org_path if known.practice_of is None else None
    rights.require(caller, Action.INCIDENT_RUN, rights.Thing(path))
    return known


async def _named(conn: AsyncConnection, caller: auth.Caller, body: AlertRequest) -> Named:
    """Check each person, or the team, by itself; one foreign id refuses the request."""
    if body.team is not None:
        await rights.check(conn, caller, Action.TEAM_SEE, orgs.Noun.TEAM, body.team)
    if body.responders:
        await rights.check_responders(conn, caller, Action.RESPONDER_SEE, body.responders)
    return Named(body.responders, body.team, body.level)


async def _send(
    conn: AsyncConnection,
    known: store.Incident,
    named: Named,
    bus: redis.asyncio.Redis,
    *,
    policy: matching.Policy,
    network: walking.WalkingNetwork,
    by: UUID,
    now: datetime,
) -> alerts.Sent:
    """Plan without a lock and send; when the incident moved meanwhile the request begins anew."""
    policy = await policies.effective(conn, known, base=policy, now=now)
    live = await planning.live_positions(
        conn, known.id, bus, policy=policy, network=network,
        named=named.responders, team_id=named.team_id, known=known, now=now,
    )  # fmt: skip
    made = await _plan(conn, known, named, live, policy=policy, network=network, now=now)
    return await alerts.send_wave(conn, made, by=by, now=now)


async def _plan(
    conn: AsyncConnection,
    known: store.Incident,
    named: Named,
    live: whereabouts.Around,
    *,
    policy: matching.Policy,
    network: walking.WalkingNetwork,
    now: datetime,
) -> planning.Plan:
    if named.level is not None:
        return await run_cards.plan(
            conn, known.id, named.level, policy=policy, network=network, live=live, now=now
        )
    return await planning.make(
        conn, known.id, policy=policy, network=network, live=live,
        named=named.responders, team_id=named.team_id, known=known, now=now,
    )  # fmt: skip


@router.get(
    "/{incident_id}/allocation", response_model=AllocationList, summary="The record of decisions"
)
async def allocation(incident_id: UUID, conn: View, caller: Caller, crs: Crs) -> Response:
    """Show each decision as it was stored, the latest first."""
    await check(conn, caller, Action.INCIDENT_SEE, incident_id)
    found = await board.allocations(conn, incident_id)
    return fields.send({"items": found, "next_cursor": None}, crs)
