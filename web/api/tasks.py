"""What people of an organisation have to do by a time; aftercare is for carers alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import care, orgs, tasks
from web import auth, fields, idempotency, rights
from web.dependencies import Caller, Now, Tx, View
from web.rights import Action

router = APIRouter(prefix="/tasks", tags=["tasks"], route_class=idempotency.Route)


class Done(fields.Body):
    """What came of it."""

    note: fields.Text | None = None


class TaskShape(fields.Shape):
    """A task."""

    id: str
    kind: str
    subject: str
    body: dict[str, Any]
    exercise: bool
    taken_by: str | None
    done_by: str | None
    note: str | None
    created_at: str
    due_at: str
    taken_at: str | None
    done_at: str | None
    overdue_at: str | None


class TaskDetail(TaskShape):
    """A task with whom or what it is about: a person with the number to call, or an AED."""

    about: dict[str, Any]


class TaskList(fields.Shape):
    """A page of open tasks, the most urgent first."""

    items: list[TaskShape]
    next_cursor: str | None


#: What seeing and changing a task of a kind asks for.
_ACTIONS = {
    tasks.Kind.AFTERCARE: (Action.AFTERCARE_SEE, Action.AFTERCARE_CHANGE),
    tasks.Kind.AED_PROBLEM: (Action.TASK_SEE, Action.TASK_CHANGE),
    tasks.Kind.CHANNEL: (Action.TASK_SEE, Action.TASK_CHANGE),
    tasks.Kind.UNREACHABLE: (Action.RESPONDER_CHANGE, Action.RESPONDER_CHANGE),
    tasks.Kind.CERTIFICATE: (Action.RESPONDER_CHANGE, Action.RESPONDER_CHANGE),
}


@router.get("", response_model=TaskList, summary="Open tasks")
async def list_(*, conn: View, caller: Caller, page: fields.Paging) -> Response:
    """List what is to be done in your organisations, the most urgent first.

    Carers see who needs a call, administrators whom no message reaches, the leader of a team the
    same of its members, planners and operators AEDs and channels.
    """
    found = await tasks.list_open(
        conn, _seen(caller), leader_id=caller.id if _leads(caller) else None,
        limit=page.limit + 1, after=fields.key_of(page, _key),
    )  # fmt: skip
    keys = [f"{task.due_at.isoformat()} {task.id}" for task in found]
    return fields.send(fields.paged([tasks.out(task) for task in found], page, keys))


def _key(text: str) -> tuple[datetime, UUID]:
    at, _, ident = text.partition(" ")
    due_at = datetime.fromisoformat(at)
    if due_at.tzinfo is None:
        raise ValueError(at)
    return due_at, UUID(ident)


def _leads(caller: auth.Caller) -> bool:
    """Say whether the caller may look after teams of their own: a narrow API token may not."""
    return rights.may(caller, Action.TEAM_LISTEN, rights.Thing(person_id=caller.id))


def _seen(caller: auth.Caller) -> dict[tasks.Kind, list[str]]:
    """Return at and below which paths the caller sees each kind."""
    seen = {}
    for kind, (action, _) in _ACTIONS.items():
        if any(rights.may(caller, action, rights.Thing(grant.path)) for grant in caller.grants):
            seen[kind] = rights.reach(caller, action)
    return seen


@router.get("/{task_id}", response_model=TaskDetail, summary="One task")
async def show(task_id: UUID, conn: View, caller: Caller) -> Response:
    """Show a task with whom or what it is about; of aftercare for carers alone."""
    task = await _check(conn, caller, task_id, is_change=False)
    return fields.send(tasks.out(task) | {"about": await care.about(conn, task)})


@router.post("/{task_id}/take", response_model=TaskShape, summary="I do it")
async def take(task_id: UUID, *, conn: Tx, caller: Caller, now: Now) -> Response:
    """Say that you do it; 409 with the task when somebody else has it."""
    await _check(conn, caller, task_id)
    return fields.send(tasks.out(await tasks.take(conn, task_id, by=caller.id, now=now)))


@router.post("/{task_id}/done", response_model=TaskShape, summary="It is done")
async def finish(
    task_id: UUID, body: Done | None = None, *, conn: Tx, caller: Caller, now: Now
) -> Response:
    """Say that it is done, with a note."""
    await _check(conn, caller, task_id)
    note = None if body is None else body.note
    task = await tasks.finish(conn, task_id, note=note, by=caller.id, now=now)
    return fields.send(tasks.out(task))


async def _check(
    conn: AsyncConnection, caller: auth.Caller, task_id: UUID, *, is_change: bool = True
) -> tasks.Task:
    task = await tasks.get(conn, task_id)
    see, change = _ACTIONS[task.kind]
    if not is_change and _leads(caller) and await tasks.is_of_leader(conn, task, caller.id):
        return task
    action = change if is_change else see
    await rights.check(conn, caller, action, orgs.Noun.ORG, task.org_id)
    return task
