"""Judge a drill: which alerts were lost, which were shown twice, and how long they took.

*Lost*: an alert whose row committed, whose phone was connected before it expired, and which is
absent from that phone's own journal. *Duplicated*: the phone rang twice for one incident. The
database
is only read.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import states, tables
from web.drill.journal import Journal


@dataclass(frozen=True, slots=True)
class SentAlert:
    """An alert as the database has it. `ended_at` is when it stopped being askable."""

    id: str
    responder: str
    notified_at: datetime
    ended_at: datetime
    status: str


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from an alert's row to its phone's journal; phones connected throughout."""

    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `golden drill` prints; the first eight fields are the public contract."""

    incidents: int
    alerts: int
    accepted: int
    lost: int
    duplicated: int
    latency_ms: Latency
    first_arrival_s: float | None
    first_arrival_street_s: float | None
    closed: int
    declined: int
    timed_out: int
    stood_down: int
    reconnects: int
    lost_alerts: tuple[str, ...]
    duplicated_incidents: tuple[str, ...]

    def json(self) -> dict[str, object]:
        """Return the verdict as plain values."""
        return asdict(self)


async def read_alerts(conn: AsyncConnection, incidents: Iterable[str]) -> list[SentAlert]:
    """Read every alert of the drill's incidents."""
    alert = tables.alert
    rows = await conn.execute(
        sa.select(
            alert.c.id, alert.c.responder_id, alert.c.notified_at,
            # Since a stand-down a phone is no longer told of what it missed, and need not be.
            sa.func.least(
                alert.c.expires_at, alert.c.answered_at, alert.c.stood_down_at
            ).label("ended_at"),
            alert.c.status,
        ).where(alert.c.incident_id.in_([UUID(incident) for incident in incidents]))
    )  # fmt: skip
    return [
        SentAlert(str(row.id), str(row.responder_id), row.notified_at, row.ended_at, row.status)
        for row in rows
    ]


def lost(alerts: Sequence[SentAlert], journals: Mapping[str, Journal]) -> list[str]:
    """List the alerts that a connected phone of the drill never got."""
    return [
        alert.id
        for alert in alerts
        if (journal := journals.get(alert.responder)) is not None
        and journal.was_connected(alert.notified_at, alert.ended_at)
        and alert.id not in journal.received
    ]


def latency(alerts: Sequence[SentAlert], journals: Mapping[str, Journal]) -> Latency:
    """Return percentiles over the alerts whose phone was connected from send to receipt."""
    taken = sorted(
        (received - alert.notified_at).total_seconds() * 1000
        for alert in alerts
        if (journal := journals.get(alert.responder)) is not None
        and (received := journal.received.get(alert.id)) is not None
        and _connected_throughout(journal, alert.notified_at, received)
    )
    if not taken:
        return Latency(None, None, None, None)
    return Latency(*(round(_percentile(taken, share), 1) for share in (0.50, 0.95, 0.99, 1.0)))


def judge(
    alerts: Sequence[SentAlert],
    journals: Mapping[str, Journal],
    *,
    incidents: int,
    closed: int,
    arrivals_s: Sequence[float],
    street_s: Sequence[float],
) -> Verdict:
    """Put the figures of a drill together. `arrivals_s` are seconds from call to first arrival."""
    count = {status: sum(alert.status == status for alert in alerts) for status in states.Alert}
    absent = lost(alerts, journals)
    twice = sorted(i for journal in journals.values() for i in journal.shown_twice())
    return Verdict(
        incidents=incidents,
        alerts=len(alerts),
        accepted=count[states.Alert.ACCEPTED],
        lost=len(absent),
        duplicated=len(twice),
        latency_ms=latency(alerts, journals),
        first_arrival_s=_median(arrivals_s),
        first_arrival_street_s=_median(street_s),
        closed=closed,
        declined=count[states.Alert.DECLINED],
        timed_out=count[states.Alert.TIMED_OUT],
        stood_down=count[states.Alert.STOOD_DOWN],
        reconnects=sum(max(0, len(journal.connected) - 1) for journal in journals.values()),
        lost_alerts=tuple(absent),
        duplicated_incidents=tuple(twice),
    )


def _connected_throughout(journal: Journal, start: datetime, end: datetime) -> bool:
    return any(
        begin <= start and (until is None or until >= end) for begin, until in journal.connected
    )


def _median(values: Sequence[float]) -> float | None:
    return round(statistics.median(values), 1) if values else None


def _percentile(ordered: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile of sorted values."""
    return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)]
