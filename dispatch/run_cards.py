"""Run cards: which teams and skills go at an alarm level, and what a higher level adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, matching, planning, states, store, tables, whereabouts
from geo import walking


@dataclass(frozen=True, slots=True)
class Wanted:
    """Teams by code, and of which skills so many people more."""

    teams: tuple[str, ...]
    skills: Mapping[str, int]


def difference(policy: matching.Policy, kind: states.Kind, level: int, reached: int) -> Wanted:
    """Say what a level adds to the one that was asked for before (0: none).

    Raises Conflict when the policy has no card for the level, or it adds nothing.
    """
    card, before = policy.run_card(kind, level), policy.run_card(kind, reached)
    levels = sorted({one.level for one in policy.run_cards if not one.kinds or kind in one.kinds})
    state = {"level": level, "reached": reached, "levels": levels}
    if card is None:
        raise errors.Conflict("the policy has no run card for this level", state=state)
    teams = tuple(code for code in card.teams if before is None or code not in before.teams)
    had = {} if before is None else before.skills
    more = {skill: many - had.get(skill, 0) for skill, many in sorted(card.skills.items())}
    skills = {skill: many for skill, many in more.items() if many > 0}
    if level <= reached or not (teams or skills):
        raise errors.Conflict("this level adds nothing to the one before", state=state)
    return Wanted(teams, skills)


async def plan(
    conn: AsyncConnection,
    incident_id: UUID,
    level: int,
    *,
    policy: matching.Policy,
    network: walking.WalkingNetwork,
    live: whereabouts.Around,
    now: datetime,
) -> planning.Plan:
    """Plan what an alarm level adds: the teams of its card, and the nearest with its skills.

    Raises Conflict (difference), NobodyToAlert when nobody of them is there, NotFound.
    """
    incident = await store.get_incident(conn, incident_id)
    wanted = difference(policy, incident.kind, level, await _reached(conn, incident_id))
    team_of = await _members(conn, incident, wanted.teams)
    skilled: list[UUID] = []
    if wanted.skills:
        near = await planning.make(
            conn, incident_id, policy=policy, network=network, live=live, is_whole=True, now=now
        )
        skilled = _nearest(near, wanted.skills, team_of)
    named = [*team_of, *skilled]
    if not named:
        raise errors.NobodyToAlert(state={"excluded": {}, "teams": list(wanted.teams)})
    made = await planning.make(
        conn, incident_id, policy=policy, network=network, live=live, named=named, now=now
    )
    return replace(made, team_of=team_of, level=level)


async def _reached(conn: AsyncConnection, incident_id: UUID) -> int:
    """Return the highest level that was asked for; 0 before any."""
    wave = tables.wave.c
    found = await conn.scalar(
        sa.select(sa.func.max(wave.level)).where(wave.incident_id == incident_id)
    )
    return int(found or 0)


# uq_team_org_id_code; a team of the organisation itself before one of the same code above it.
_MEMBERS = sa.text("""
select distinct on (responder.id) responder.id, team.id as team_id
from team
join org as whose on whose.id = team.org_id and starts_with(:path, whose.path)
join team_member on team_member.team_id = team.id
join responder on responder.id = team_member.responder_id
join org on org.id = responder.org_id and starts_with(org.path, :path)
join person on person.id = responder.id and person.disabled_at is null
where team.code = any(cast(:codes as text[]))
order by responder.id, length(whose.path) desc, team.id
""")


async def _members(
    conn: AsyncConnection, incident: store.Incident, codes: Sequence[str]
) -> dict[UUID, UUID]:
    """Return the members of some teams who belong to the incident's organisation, with the team."""
    rows = await conn.execute(_MEMBERS, {"path": incident.org_path, "codes": list(codes)})
    return {row.id: row.team_id for row in rows}


def _nearest(
    near: planning.Plan, skills: Mapping[str, int], taken: Mapping[UUID, UUID]
) -> list[UUID]:
    """Choose the nearest who can be asked and have a skill, each for one skill only."""
    everyone = sorted(
        (
            item
            for item in (*near.chosen, *near.excluded)
            if item.direct is not None and item.person.blocked is None
        ),
        key=lambda item: (item.rank or 0, item.person.id),
    )
    found: list[UUID] = []
    for skill, many in skills.items():
        free = [
            item.person.id
            for item in everyone
            if skill in item.person.skills
            and item.person.id not in taken
            and item.person.id not in found
        ]
        found += free[:many]
    return found
