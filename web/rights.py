"""May this person do this to that thing? One pure function answers: routes, topics, tiles.

What a caller may not even see looks as if it did not exist: `require` raises NotFound there, and
NotAllowed only for what the caller may see and not change. A role holds in its organisation and in
everything below it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, orgs, states
from web import auth


class Action(StrEnum):
    """What somebody may do; also the scopes of API tokens (`incident` or `read` for many)."""

    INCIDENT_SEE = "incident:see"
    INCIDENT_RUN = "incident:run"
    CALLER_PHONE_SEE = "caller_phone:see"
    BOARD_SEE = "board:see"
    OWN_SEE = "own:see"
    OWN_CHANGE = "own:change"
    RESPONDER_SEE = "responder:see"
    RESPONDER_CHANGE = "responder:change"
    TEAM_SEE = "team:see"
    TEAM_CHANGE = "team:change"
    TEAM_LISTEN = "team:listen"
    ORG_SEE = "org:see"
    ORG_CHANGE = "org:change"
    AED_SEE = "aed:see"
    AED_CHANGE = "aed:change"
    STOCK_SEE = "stock:see"
    STOCK_RESERVE = "stock:reserve"
    STOCK_CHANGE = "stock:change"
    COVERAGE_SEE = "coverage:see"
    ROUTE_SEE = "route:see"
    POLICY_SEE = "policy:see"
    POLICY_CHANGE = "policy:change"
    TASK_SEE = "task:see"
    TASK_CHANGE = "task:change"
    AFTERCARE_SEE = "aftercare:see"
    AFTERCARE_CHANGE = "aftercare:change"


class NotAllowed(Exception):
    """The caller may see the thing, or the list of such things, but may not do this."""

    code = "not_allowed"


@dataclass(frozen=True, slots=True)
class Thing:
    """What an action is done to: something of an organisation, of a person, or of both."""

    path: str | None = None
    person_id: UUID | None = None


_SEE = frozenset(action for action in Action if action.value.endswith(":see"))
#: Who needed help after a mission is for carers alone.
_AFTERCARE = frozenset({Action.AFTERCARE_SEE, Action.AFTERCARE_CHANGE})
#: What everybody may do with the things that belong to them in person.
_PERSONAL = frozenset({Action.OWN_SEE, Action.OWN_CHANGE, Action.TEAM_LISTEN})

#: The roles of the contract, and what each may do in its organisation and below.
ROLES: dict[states.OrgRole, frozenset[Action]] = {
    states.OrgRole.OPERATOR: frozenset(
        {
            Action.INCIDENT_SEE,
            Action.INCIDENT_RUN,
            Action.CALLER_PHONE_SEE,
            Action.BOARD_SEE,
            Action.RESPONDER_SEE,
            Action.TEAM_SEE,
            Action.TEAM_LISTEN,
            Action.ORG_SEE,
            Action.AED_SEE,
            Action.AED_CHANGE,
            Action.STOCK_SEE,
            Action.STOCK_RESERVE,
            Action.COVERAGE_SEE,
            Action.ROUTE_SEE,
            Action.POLICY_SEE,
            Action.TASK_SEE,
            Action.TASK_CHANGE,
        }
    ),
    states.OrgRole.RESPONDER: frozenset({Action.ROUTE_SEE}),
    states.OrgRole.PLANNER: frozenset(
        {
            Action.COVERAGE_SEE,
            Action.AED_SEE,
            Action.ORG_SEE,
            Action.POLICY_SEE,
            Action.ROUTE_SEE,
            Action.TASK_SEE,
            Action.TASK_CHANGE,
        }
    ),
    states.OrgRole.KEEPER: frozenset(
        {
            Action.STOCK_SEE,
            Action.STOCK_RESERVE,
            Action.STOCK_CHANGE,
            Action.ORG_SEE,
            Action.ROUTE_SEE,
        }
    ),
    states.OrgRole.ADMIN: frozenset(Action) - _AFTERCARE - {Action.OWN_SEE, Action.OWN_CHANGE},
    states.OrgRole.AUDITOR: _SEE - _AFTERCARE - {Action.CALLER_PHONE_SEE, Action.OWN_SEE},
    states.OrgRole.CARER: _AFTERCARE | {Action.ORG_SEE},
}


def may(caller: auth.Caller, action: Action, thing: Thing) -> bool:
    """Decide whether the caller may do this to that thing."""
    if not _in_scope(caller, action):
        return False
    if action in _PERSONAL and thing.person_id == caller.id:
        return True
    path = thing.path
    return path is not None and any(
        action in ROLES[grant.role] and path.startswith(grant.path) for grant in caller.grants
    )


def _in_scope(caller: auth.Caller, action: Action) -> bool:
    noun, _, verb = action.value.partition(":")
    wanted = {action.value, noun, "read"} if verb == "see" else {action.value, noun}
    return not caller.scopes or not wanted.isdisjoint(caller.scopes)


def is_scope(scope: str) -> bool:
    """Tell whether an API token may carry this scope."""
    return scope == "read" or any(
        scope in {action.value, action.value.partition(":")[0]} for action in Action
    )


def require(caller: auth.Caller, action: Action, thing: Thing) -> None:
    """Let the caller pass, or raise: NotFound for what is not theirs to see, else NotAllowed."""
    if may(caller, action, thing):
        return
    if may(caller, _seeing(action), thing):
        raise NotAllowed
    raise errors.NotFound


def _seeing(action: Action) -> Action:
    noun = action.value.partition(":")[0]
    return next((see for see in _SEE if see.value == f"{noun}:see"), action)


def reach(caller: auth.Caller, action: Action) -> list[str]:
    """Return the paths at and below which the caller may do this; for lists.

    Raises NotAllowed when there are none.
    """
    paths = sorted(
        {grant.path for grant in caller.grants if may(caller, action, Thing(path=grant.path))}
    )
    if not paths:
        raise NotAllowed
    return [path for path in paths if not any(path != p and path.startswith(p) for p in paths)]


def home(caller: auth.Caller, action: Action) -> str:
    """Return the path where the caller does this when they name no organisation.

    Their own organisation if they may there, else the first where they may. Raises NotAllowed.
    """
    if may(caller, action, Thing(path=caller.org.path)):
        return caller.org.path
    return reach(caller, action)[0]


async def org_for(
    conn: AsyncConnection, caller: auth.Caller, action: Action, code: str | None
) -> orgs.Org:
    """Find the organisation that a new thing will belong to: the one named, else the caller's.

    Raises NotAllowed when the caller may make no such thing anywhere, NotFound for a foreign one.
    """
    if code is None:
        path = home(caller, action)
        if path == caller.org.path:
            return caller.org
        return (await orgs.list_orgs(conn, [path], limit=1))[0]
    reach(caller, action)
    org = caller.org if code == caller.org.code else await orgs.find_org(conn, code)
    require(caller, action, Thing(None if org is None else org.path))
    if org is None:
        raise errors.NotFound
    return org


async def check(
    conn: AsyncConnection,
    caller: auth.Caller,
    action: Action,
    noun: orgs.Noun,
    thing_id: UUID,
) -> Thing:
    """Look up whose a thing is and let the caller pass, or raise NotFound or NotAllowed."""
    owner = await orgs.find_owner(conn, noun, thing_id)
    if owner is None:
        raise errors.NotFound
    thing = Thing(owner.path, owner.person_id)
    require(caller, action, thing)
    return thing


async def check_responders(
    conn: AsyncConnection, caller: auth.Caller, action: Action, ids: Collection[UUID]
) -> None:
    """Let the caller pass when they may do this to each of some responders.

    Raises NotFound or NotAllowed for the first of them that is not theirs.
    """
    owners = await orgs.owners_of_responders(conn, ids)
    for responder_id in ids:
        owner = owners.get(responder_id)
        if owner is None:
            raise errors.NotFound
        require(caller, action, Thing(owner.path, owner.person_id))


#: What hearing a topic asks for; those of incidents carry the caller's phone number.
_TOPICS = {
    "org": (orgs.Noun.ORG, (Action.BOARD_SEE, Action.CALLER_PHONE_SEE)),
    "incident": (orgs.Noun.INCIDENT, (Action.INCIDENT_SEE, Action.CALLER_PHONE_SEE)),
    "person": (orgs.Noun.PERSON, (Action.OWN_SEE,)),
    "team": (orgs.Noun.TEAM, (Action.TEAM_LISTEN,)),
}


async def owner_of_topic(conn: AsyncConnection, topic: str) -> orgs.Owner | None:
    """Say whose a topic is; None when there is no such topic."""
    kind, _, name = topic.partition(":")
    return await _owner(conn, _TOPICS[kind][0], name) if kind in _TOPICS else None


def may_hear(caller: auth.Caller, topic: str, owner: orgs.Owner | None) -> bool:
    """Decide whether the caller may hear a topic of this owner; one that is not there, nobody."""
    if owner is None:
        return False
    _, actions = _TOPICS[topic.partition(":")[0]]
    thing = Thing(owner.path, owner.person_id)
    return all(may(caller, action, thing) for action in actions)


def is_own(caller: auth.Caller, topic: str) -> bool:
    """Say whether this is the caller's own topic, which they may hear: nothing has to be read."""
    is_mine = topic == f"person:{caller.id}"
    return is_mine and may(caller, Action.OWN_SEE, Thing(caller.org.path, caller.id))


async def _owner(conn: AsyncConnection, noun: orgs.Noun, name: str) -> orgs.Owner | None:
    if noun is orgs.Noun.ORG:
        org = await orgs.find_org(conn, name)
        return None if org is None else orgs.Owner(org.path, None)
    try:
        return await orgs.find_owner(conn, noun, UUID(name))
    except ValueError:
        return None
