"""The roll call of an incident as a file: who was asked, and what each answered."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.responses import Response

from dispatch import orgs, store, tables
from web.api.incidents import check
from web.dependencies import Caller, View
from web.rights import Action

router = APIRouter(prefix="/incidents", tags=["incidents"])

_HEADINGS = (
    "姓名 name", "英文名 name_en", "小组 team", "批次 wave", "角色 role", "答复 answer",
    "进展 progress", "通知 notified_at", "送达 delivered_at", "已读 seen_at",
    "答复时间 answered_at", "到达 on_scene_at", "解除 stood_down_at",
    "拒绝原因 decline_reason", "虚构 is_invented",
)  # fmt: skip
# Spreadsheets run what begins so as a formula; an apostrophe before it keeps it a text.
_FORMULA = re.compile(r"[=@+\-\t\r]")


@router.get(
    "/{incident_id}/roll-call",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}, "description": "UTF-8 with BOM, as Excel reads"}},
    summary="Who was asked and answered what, as CSV",
)
async def roll_call(incident_id: UUID, conn: View, caller: Caller) -> Response:
    """Write one row for each person who was asked, as the board has them; times are local."""
    await check(conn, caller, Action.INCIDENT_SEE, incident_id)
    incident = await store.get_incident(conn, incident_id)
    org = await orgs.get_org(conn, incident.org_id)
    alerts = await store.list_alerts(conn, tables.alert.c.incident_id == incident_id)
    done = await store.list_assignments(conn, tables.assignment.c.incident_id == incident_id)
    teams = await store.list_teams(conn, tables.team.c.id.in_({alert.team_id for alert in alerts}))
    rows = _rows(
        alerts, {one.alert_id: one for one in done}, {team.id: team.name for team in teams},
        ZoneInfo(org.timezone),
    )  # fmt: skip
    name = f"roll-call-{incident.number}.csv"
    return Response(
        _csv(rows),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _rows(
    alerts: Iterable[store.Alert],
    done: dict[UUID, store.Assignment],
    teams: dict[UUID, str],
    zone: ZoneInfo,
) -> Iterable[list[str]]:
    for alert in alerts:
        mine = done.get(alert.id)
        arrived_at = None if mine is None else mine.on_scene_at
        times = (
            alert.notified_at, alert.delivered_at, alert.seen_at, alert.answered_at, arrived_at,
            alert.stood_down_at,
        )  # fmt: skip
        yield [
            alert.name,
            alert.name_en or "",
            "" if alert.team_id is None else teams.get(alert.team_id, ""),
            str(alert.wave),
            alert.role.value if mine is None else mine.role.value,
            alert.status.value,
            "" if mine is None else mine.status.value,
            *(_local(at, zone) for at in times),
            alert.decline_reason or "",
            "1" if alert.is_invented else "",
        ]


def _local(at: datetime | None, zone: ZoneInfo) -> str:
    return "" if at is None else at.astimezone(zone).isoformat(timespec="seconds")


def _csv(rows: Iterable[list[str]]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(_HEADINGS)
    writer.writerows([f"'{c}" if _FORMULA.match(c) else c for c in row] for row in rows)
    return b"\xef\xbb\xbf" + file.getvalue().encode()
