"""Simulations of a policy: ask for one, see how far it is, read its report."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import Field

from dispatch import errors, events, matching, orgs, policies
from dispatch.simulation import jobs
from dispatch.simulation.world import SETTINGS
from web import fields, idempotency, rights
from web.dependencies import Caller, Now, Tx, View
from web.rights import Action

router = APIRouter(tags=["policies"], route_class=idempotency.Route)

#: So many a runner plays within minutes; the command line plays more.
INCIDENTS_MOST = 20_000
#: The page is whole in itself; it holds no script, and none could run.
_PAGE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "Vary": "Accept",
}


class NewSimulation(fields.Body):
    """What to play: `here` is the organisation's own place, `past` its incidents of two years."""

    world: Annotated[jobs.World, fields.Lax] = jobs.World.POISSON
    setting: Annotated[str, Field(description="Numbers of the world: base or china.")] = "base"
    incidents: Annotated[int, Field(ge=1, le=INCIDENTS_MOST)] = 2_000
    seed: Annotated[int, Field(ge=0, le=2**62)] = 1
    compare: Annotated[list[str], Field(max_length=20)] = Field(
        default_factory=lambda: list(matching.SHIPPED)
    )


class SimulationShape(fields.Shape):
    """How far a simulation is: queued, running, done or failed; `done` of `incidents`."""

    id: str
    policy: str
    status: str
    world: str
    setting: str
    incidents: int
    seed: int
    compare: list[str]
    done: int
    report: str | None
    error: str | None
    created_at: str
    finished_at: str | None


class ReportLine(fields.Shape):
    """A report in brief; `digests` are those of the policies that it compares."""

    id: str
    place: str
    seed: int
    incidents: int
    digests: list[str]
    policies: list[str]
    made_at: str


class ReportShape(ReportLine):
    """A report with all its figures, each with its standard error."""

    body: dict[str, Any]


class ReportList(fields.Shape):
    """A page of reports, the latest first."""

    items: list[ReportLine]
    next_cursor: str | None


@router.post(
    "/policies/{policy_id}/simulate",
    status_code=202,
    response_model=SimulationShape,
    dependencies=[idempotency.REQUIRED],
    summary="Simulate a policy",
)
async def simulate(
    policy_id: UUID, body: NewSimulation | None = None, *, conn: Tx, caller: Caller, now: Now
) -> Response:
    """Queue a simulation of exactly this version; a runner plays it and keeps the report."""
    await rights.check(conn, caller, Action.POLICY_CHANGE, orgs.Noun.POLICY, policy_id)
    version = await policies.get(conn, policy_id)
    job = await jobs.add(
        conn, version.org_id, version.id, _asked(body or NewSimulation()), by=caller.id, now=now
    )
    headers = {"Location": f"/api/v1/simulations/{job.id}"}
    return fields.send(_out(job), status=202, headers=headers)


@router.get(
    "/simulations/{simulation_id}",
    response_model=SimulationShape,
    summary="How far a simulation is",
)
async def show(simulation_id: UUID, conn: View, caller: Caller) -> Response:
    """Show a simulation."""
    await rights.check(conn, caller, Action.POLICY_SEE, orgs.Noun.SIMULATION, simulation_id)
    return fields.send(_out(await jobs.get(conn, simulation_id)))


@router.get("/simulation-reports", response_model=ReportList, summary="Reports of simulations")
async def list_(conn: View, caller: Caller, page: fields.Paging) -> Response:
    """List the reports of your organisations, the latest first."""
    found = await jobs.list_reports(
        conn, rights.reach(caller, Action.POLICY_SEE), after=fields.key_of(page, UUID),
        limit=page.limit + 1,
    )  # fmt: skip
    return fields.send(fields.paged([_line(one) for one in found], page, [one.id for one in found]))


@router.get(
    "/simulation-reports/{simulation_report_id}",
    response_model=ReportShape,
    responses={200: {"content": {"text/html": {}}}},
    summary="One report, as JSON or as a page",
)
async def report(
    simulation_report_id: UUID,
    request: Request,
    conn: View,
    caller: Caller,
    format: Annotated[str | None, Query(pattern="^(json|html)$")] = None,  # noqa: A002  # the word of the address
) -> Response:
    """Show a report; with `format=html`, or to a browser, as a page to read and print."""
    noun = orgs.Noun.SIMULATION_REPORT
    await rights.check(conn, caller, Action.POLICY_SEE, noun, simulation_report_id)
    found = await jobs.get_report(conn, simulation_report_id)
    is_page = format == "html" or (
        format is None and "text/html" in request.headers.get("accept", "")
    )
    if not is_page:
        return fields.send({**_line(found), "body": dict(found.body)}, headers={"Vary": "Accept"})
    if found.html is None:
        raise errors.NotFound
    return HTMLResponse(found.html, headers=_PAGE)


def _asked(body: NewSimulation) -> jobs.Asked:
    if body.setting not in SETTINGS:
        raise errors.Malformed(f"setting: must be one of {', '.join(SETTINGS)}")
    unknown = [name for name in body.compare if name not in matching.SHIPPED]
    if unknown:
        raise errors.Malformed(f"compare: {unknown[0]} is not one of {', '.join(matching.SHIPPED)}")
    compare = tuple(dict.fromkeys(body.compare))
    return jobs.Asked(body.world, body.incidents, body.seed, compare, body.setting)


def _out(job: jobs.Job) -> dict[str, Any]:
    return {
        "id": str(job.id),
        "policy": str(job.policy_id),
        "status": job.status.value,
        **job.request,
        "done": job.done,
        "report": events.ident(job.report_id),
        "error": job.error,
        "created_at": events.time(job.created_at),
        "finished_at": events.time(job.finished_at),
    }


def _line(found: jobs.Report) -> dict[str, Any]:
    return {
        "id": str(found.id),
        "place": found.body.get("place", "–"),
        "seed": found.seed,
        "incidents": found.incidents,
        "digests": list(found.digests),
        "policies": [policy["name"] for policy in found.body.get("policies", ())],
        "made_at": events.time(found.made_at),
    }
