"""What people found at an AED, and what they say is wrong with it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response

from dispatch import events, orgs
from geo import aed_checks
from geo.aed_checks import CheckResult, ReportKind
from web import fields, idempotency, rights
from web.dependencies import Caller, Now, Tx, View
from web.rights import Action

router = APIRouter(prefix="/aeds/{aed_id}", tags=["aeds"], route_class=idempotency.Route)


class NewCheck(fields.Body):
    """Somebody looked at the device."""

    result: Annotated[CheckResult, fields.Lax]
    pads_expire_on: fields.Day | None = None
    battery_expires_on: fields.Day | None = None
    note: fields.Text | None = None


class NewReport(fields.Body):
    """Somebody says that something is wrong."""

    kind: Annotated[ReportKind, fields.Lax]
    note: fields.Text | None = None


class CheckShape(fields.Shape):
    """One look at a device."""

    id: str
    aed: str
    result: str
    pads_expire_on: str | None
    battery_expires_on: str | None
    note: str | None
    at: str


class ReportShape(fields.Shape):
    """One complaint about a device."""

    id: str
    aed: str
    kind: str
    note: str | None
    at: str
    settled_at: str | None


class ChecksShape(fields.Shape):
    """The checks of a device, newest first."""

    items: list[CheckShape]
    next_cursor: None


class ReportsShape(fields.Shape):
    """The complaints about a device, newest first."""

    items: list[ReportShape]
    next_cursor: None


@router.get("/checks", response_model=ChecksShape, summary="What was found")
async def list_checks(aed_id: UUID, *, conn: View, caller: Caller) -> Response:
    """List the last hundred checks, newest first."""
    await rights.check(conn, caller, Action.AED_SEE, orgs.Noun.AED, aed_id)
    found = await aed_checks.list_checks(conn, aed_id)
    return fields.send({"items": list(map(_check_out, found)), "next_cursor": None})


@router.post(
    "/checks",
    status_code=201,
    response_model=CheckShape,
    dependencies=[idempotency.REQUIRED],
    summary="Record a check",
)
async def add_check(
    aed_id: UUID, body: NewCheck, *, conn: Tx, caller: Caller, now: Now
) -> Response:
    """Record a look: `ok` puts the device in service, anything else takes it out."""
    await rights.check(conn, caller, Action.AED_CHANGE, orgs.Noun.AED, aed_id)
    check = await aed_checks.add_check(
        conn,
        aed_id,
        body.result,
        pads_expire_on=body.pads_expire_on,
        battery_expires_on=body.battery_expires_on,
        note=body.note,
        actor_id=caller.id,
        now=now,
    )
    return fields.send(_check_out(check), status=201)


@router.get("/reports", response_model=ReportsShape, summary="What people say")
async def list_reports(aed_id: UUID, *, conn: View, caller: Caller) -> Response:
    """List the last hundred complaints, newest first."""
    await rights.check(conn, caller, Action.AED_SEE, orgs.Noun.AED, aed_id)
    found = await aed_checks.list_reports(conn, aed_id)
    return fields.send({"items": list(map(_report_out, found)), "next_cursor": None})


@router.post(
    "/reports",
    status_code=201,
    response_model=ReportShape,
    dependencies=[idempotency.REQUIRED],
    summary="Say that something is wrong",
)
async def add_report(
    aed_id: UUID, body: NewReport, *, conn: Tx, caller: Caller, now: Now
) -> Response:
    """Record a complaint: the device counts as `unknown` until somebody looked.

    Whoever serves the owning organisation may; responders stand before the cabinet.
    """
    await rights.check(conn, caller, Action.AED_REPORT, orgs.Noun.AED, aed_id)
    report = await aed_checks.add_report(
        conn, aed_id, body.kind, note=body.note, actor_id=caller.id, now=now
    )
    return fields.send(_report_out(report), status=201)


def _check_out(check: aed_checks.Check) -> dict[str, Any]:
    return {
        "id": str(check.id),
        "aed": str(check.aed_id),
        "result": check.result,
        "pads_expire_on": check.pads_expire_on,
        "battery_expires_on": check.battery_expires_on,
        "note": check.note,
        "at": events.time(check.at),
    }


def _report_out(report: aed_checks.Report) -> dict[str, Any]:
    return {
        "id": str(report.id),
        "aed": str(report.aed_id),
        "kind": report.kind,
        "note": report.note,
        "at": events.time(report.at),
        "settled_at": events.time(report.settled_at),
    }
