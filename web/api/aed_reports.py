"""What people say is wrong with an AED: anybody says it, its organisation settles it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from starlette.requests import Request

from dispatch import devices, errors, events, report_limit, rerouting
from geo import aed_reports
from geo.aed_reports import ReportKind, Verdict
from geo.usability import Status
from web import aed_access, auth, fields, idempotency
from web.aed_access import found
from web.dependencies import Caller, Crs, MaybeCaller, Now, Tx, View
from web.rights import Action

router = APIRouter(tags=["aeds"], route_class=idempotency.Route)


class NewReport(fields.Body):
    """Somebody says that something is wrong; `position` is where it is now, if it was `moved`."""

    kind: Annotated[ReportKind, fields.Lax]
    note: fields.Text | None = None
    position: fields.Place | None = None
    crs: fields.Crs = None


class Settlement(fields.Body):
    """What becomes of a report; `status` says what the device is now, else the report decides."""

    verdict: Literal["accepted", "rejected"]
    note: fields.Text | None = None
    status: Literal["in_service", "out_of_service"] | None = None


class SaidShape(fields.Shape):
    """A report as whoever sent it gets it back."""

    id: str
    aed: str
    kind: str
    note: str | None
    position: fields.PointShape | None
    at: str
    verdict: str
    settled_at: str | None
    crs: str


class ReportShape(fields.Shape):
    """One report about a device, as its organisation sees it."""

    id: str
    aed: str
    kind: str
    note: str | None
    position: fields.PointShape | None
    at: str
    signed_in: bool
    verdict: str
    settled_at: str | None
    settled_by: dict[str, str] | None
    settled_note: str | None


class SettledShape(ReportShape):
    """One report after its settling."""

    crs: str


class NamedAedShape(fields.Shape):
    """A device, named."""

    id: str
    name: str


class QueuedShape(ReportShape):
    """A report with the name of its device."""

    aed: NamedAedShape  # type: ignore[assignment]  # in the queue a name goes with the id


class ReportsShape(fields.Shape):
    """The reports about a device, newest first."""

    items: list[ReportShape]
    next_cursor: None
    crs: str


class QueueShape(fields.Shape):
    """A page of reports about the devices of one's organisations, oldest first."""

    items: list[QueuedShape]
    next_cursor: str | None
    crs: str


@router.get("/aeds/{aed_id}/reports", response_model=ReportsShape, summary="What people say")
async def list_reports(aed_id: UUID, *, conn: View, caller: Caller, crs: Crs) -> Response:
    """List the last hundred reports, newest first."""
    await aed_access.owner(conn, caller, Action.AED_SEE, aed_id)
    reports = await aed_reports.list_reports(conn, aed_id)
    names = await devices.names_of(conn, [report.settled_by for report in reports])
    items = [_out(report, names) for report in reports]
    return fields.send({"items": items, "next_cursor": None}, crs)


@router.post(
    "/aeds/{aed_id}/reports",
    status_code=201,
    response_model=SaidShape,
    dependencies=[idempotency.FOR_ANYBODY],
    summary="Say that something is wrong",
)
async def add_report(
    aed_id: UUID,
    body: NewReport,
    request: Request,
    *,
    conn: Tx,
    caller: MaybeCaller,
    crs: Crs,
    now: Now,
) -> Response:
    """Say what is wrong, signed in or not: the AED counts as `unknown` until somebody looked.

    Five a minute, of one person or, without sign-in, of one address; then 429. The Idempotency-Key
    holds without sign-in too, for the address that it came from. Nothing else about the device
    changes before its organisation has settled the report. Whoever was to fetch it on a mission and
    finds it `missing`, `locked`, `broken` or `closed` is led another way within two seconds, with
    everybody else who was to fetch it.
    """
    subject = auth.subject_of(request) if caller is None else str(caller.id)
    wait = await report_limit.count(conn, subject, now=now)
    if wait:
        raise auth.TooManyTries(wait)
    place = None if body.position is None else fields.inward(body.position, body.crs, crs)
    with found():
        report = await rerouting.report(
            conn, aed_id, body.kind, note=body.note, place=place,
            by=None if caller is None else caller.id, now=now,
        )  # fmt: skip
    return fields.send(_said(report), crs, status=201)


@router.post(
    "/aeds/{aed_id}/reports/{report_id}/settle", response_model=SettledShape, summary="Settle"
)
async def settle(
    aed_id: UUID,
    report_id: UUID,
    body: Settlement,
    *,
    conn: Tx,
    caller: Caller,
    crs: Crs,
    now: Now,
) -> Response:
    """Accept or reject a report. Repeating changes nothing, another verdict is 409.

    Rejected, the doubt ends. Accepted, `moved` takes the device to the reported position, and all
    others but `other` take it out of service; `status` overrides that.
    """
    await aed_access.owner(conn, caller, Action.AED_CHANGE, aed_id)
    status = None if body.status is None else Status(body.status)
    decision = aed_reports.Decision(Verdict(body.verdict), body.note, status)
    try:
        with found():
            report = await aed_reports.settle(
                conn, aed_id, report_id, decision, actor_id=caller.id, now=now
            )
    except aed_reports.AlreadySettled as settled:
        raise errors.Conflict(state=_out(settled.present, {})) from None
    if report.settled_at == now:
        await devices.tell(conn, aed_id, now=now)
    names = await devices.names_of(conn, [report.settled_by])
    return fields.send(_out(report, names), crs)


@router.get("/aed-reports", response_model=QueueShape, summary="Reports to settle")
async def queue(
    *,
    conn: View,
    caller: Caller,
    crs: Crs,
    page: fields.Paging,
    verdict: Annotated[Verdict, Query(description="default: those that nobody settled")] = (
        Verdict.OPEN
    ),
) -> Response:
    """List reports about the devices of your organisations, the oldest first."""
    owners = await aed_access.own_orgs(conn, caller)
    listed = await aed_reports.queue(
        conn, verdict, org_ids=[org.id for org in owners], after=fields.key_of(page, _place_in),
        limit=page.limit + 1,
    )  # fmt: skip
    names = await devices.names_of(conn, [report.settled_by for report, _ in listed])
    items = [
        {**_out(report, names), "aed": {"id": str(report.aed_id), "name": name}}
        for report, name in listed
    ]
    keys = [f"{report.at.isoformat()}|{report.id}" for report, _ in listed]
    return fields.send(fields.paged(items, page, keys), crs)


def _place_in(key: str) -> tuple[datetime, UUID]:
    at, _, report_id = key.partition("|")
    return datetime.fromisoformat(at), UUID(report_id)


def _said(report: aed_reports.Report) -> dict[str, Any]:
    return {
        "id": str(report.id),
        "aed": str(report.aed_id),
        "kind": report.kind,
        "note": report.note,
        "position": events.point(report.position),
        "at": events.time(report.at),
        "verdict": report.verdict,
        "settled_at": events.time(report.settled_at),
    }


def _out(report: aed_reports.Report, names: dict[UUID, dict[str, Any]]) -> dict[str, Any]:
    by = report.settled_by
    return {
        **_said(report),
        "signed_in": report.actor_id is not None,
        "settled_by": None if by is None else names.get(by),
        "settled_note": report.settled_note,
    }
