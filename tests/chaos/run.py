"""A finished run as the checker sees it: the history, indexed, and the final reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from tests.chaos.history import FAIL, INFO, INVOKE, OK, Row

#: After a fault has healed, its victims need this long to be themselves again.
HEALS_S = 4.0
TERMINAL = frozenset({"accepted", "declined", "timed_out", "stood_down"})

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Found:
    """A counter-example: what was broken, about which key, when."""

    invariant: str
    key: str | None
    text: str
    t: float | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """A fault: when, and whom it hits."""

    name: str
    begin: float
    end: float
    scope: Mapping[str, Any]

    def excuses(self, begin: float, end: float) -> bool:
        """Say whether what took from `begin` to `end` may have been slow because of it.

        What other clients do is no excuse.
        """
        return "clients" not in self.scope and self.begin <= end and self.end >= begin

    def hits(self, app: int | None) -> bool:
        """Say whether who is connected to this process may suffer from it.

        Redis, the runners and other processes are no excuse for a missing alert.
        """
        scope = self.scope
        if scope.get("all") or scope.get("postgres"):
            return True
        return app is not None and app in scope.get("apps", ())


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient the judge is. All waits are multiplied: the figures of a quiet machine are 1."""

    patience: float = 1.0
    #: A live alert on a phone that is connected for so long has been shown.
    shown_after_s: float = 6.0
    stale_s: float = 2.0
    clears_within_s: float = 3.0
    p99_s: float = 1.0
    answers_within_s: float = 5.0
    #: From the end of a fault to the arrival of what it held up.
    after_fault_s: Mapping[str, float] = field(
        default_factory=lambda: {"N5": 2.0, "N21": 5.0, "N6": 3.0, "N1": 6.0, "N3": 13.0}
    )
    after_other_faults_s: float = 13.0
    revoked_within_s: float = 5.0
    memory_share: float = 0.15
    handles_more: int = 2


@dataclass
class Run:
    """The material of the checker. `final` is what `reads.final` has read; all times in seconds."""

    rows: Sequence[Row]
    final: Mapping[str, Any]
    limits: Limits = field(default_factory=Limits)

    # ---- operations

    @cached_property
    def by_f(self) -> Mapping[str, list[Row]]:
        """Group the lines by what they are about."""
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows:
            found[row.f].append(row)
        return found

    def tries(self, f: str) -> dict[str, list[Row]]:
        """Group the lines of one kind of operation by its key."""
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self.by_f.get(f, ()):
            if row.type in {INVOKE, OK, FAIL, INFO} and row.key is not None:
                found[row.key].append(row)
        return found

    def verdicts(self, f: str) -> dict[str, str]:
        """Say of each key how the operation ended, by the best of its tries."""
        found = {}
        for key, rows in self.tries(f).items():
            kinds = {row.type for row in rows}
            answered = sum(row.type in {OK, FAIL} for row in rows)
            asked = sum(row.type == INVOKE for row in rows)
            if OK in kinds:
                found[key] = OK
            elif FAIL in kinds and INFO not in kinds and answered == asked:
                found[key] = FAIL
            else:
                found[key] = INFO
        return found

    # ---- the final reads

    @cached_property
    def incidents(self) -> Mapping[str, Mapping[str, Any]]:
        """All incidents that are there, by id."""
        return {row["id"]: row for row in self.final["incidents"]}

    @cached_property
    def alerts(self) -> Mapping[str, Mapping[str, Any]]:
        """All alerts that are there, by id."""
        return {row["id"]: row for row in self.final["alerts"]}

    def alerts_of(self, incident: str) -> list[Mapping[str, Any]]:
        """List the alerts of an incident."""
        return [row for row in self.final["alerts"] if row["incident_id"] == incident]

    @property
    def read_at(self) -> float:
        """Say when the database was read: what was answered later is not in what was read."""
        return float(self.final.get("read_at", float("inf")))

    def incident_of(self, row: Row) -> str | None:
        """Name the incident that a line about an alert belongs to; a push does not say it."""
        told: str | None = row.v.get("incident")
        return told or self.alerts.get(row.key or "", {}).get("incident_id")

    def seconds(self, wall: str | None) -> float | None:
        """Turn a time of the database into the history's own."""
        if wall is None:
            return None
        return datetime.fromisoformat(wall).timestamp() - float(self.final["wall_ahead_s"])

    def life(self, alert: Mapping[str, Any]) -> Span:
        """Say from when to when an alert could be answered."""
        incident = self.incidents.get(alert["incident_id"], {})
        ends = (alert["expires_at"], alert["answered_at"], alert["stood_down_at"],
                incident.get("closed_at"))  # fmt: skip
        known = [self.seconds(end) for end in ends if end is not None]
        begin = self.seconds(alert["notified_at"])
        return begin or 0.0, min(end for end in known if end is not None)

    def known_end(self, alert: Mapping[str, Any]) -> float:
        """Say when an alert's end was surely committed: when somebody was told so.

        The times in the database are of the beginning of each request.
        """
        incident = self.incidents.get(alert["incident_id"], {})
        slack_s = self.limits.answers_within_s * self.limits.patience
        ends = [(self.seconds(alert["expires_at"]), 0.0)]
        for at, told in (
            (alert["answered_at"], self._told.get(alert["id"])),
            (alert["stood_down_at"], self._told.get(f"down {alert['incident_id']}")),
            (incident.get("closed_at"), self._told.get(f"close {alert['incident_id']}")),
        ):
            began = self.seconds(at)
            if began is not None:
                ends.append((began, slack_s if told is None else max(0.0, told - began)))
        began, more_s = min((at, more) for at, more in ends if at is not None)
        return began + more_s

    @cached_property
    def _told(self) -> Mapping[str, float]:
        """Say when what ended an alert, or an incident, was answered first."""
        found: dict[str, float] = {}
        for row in self.rows:
            if row.type == OK and row.f in {"accept", "decline"}:
                found.setdefault(row.v.get("alert", ""), row.t)
            elif row.type == OK and row.f == "stand_down":
                found.setdefault(f"down {row.v['incident']}", row.t)
            elif row.type == OK and row.f == "close":
                found.setdefault(f"close {row.v['incident']}", row.t)
                found.setdefault(f"down {row.v['incident']}", row.t)
        return found

    # ---- connections and faults

    @cached_property
    def end(self) -> float:
        """Say when the history ends."""
        return self.rows[-1].t if self.rows else 0.0

    @cached_property
    def windows(self) -> list[Window]:
        """List the faults."""
        opened: dict[tuple[str, str], Row] = {}
        found = []
        for row in self.rows:
            if row.type != "nemesis" or row.f not in {"begin", "end"}:
                continue
            name = (row.key or "", repr(sorted(row.v.items())))
            if row.f == "begin":
                opened[name] = row
            elif name in opened:
                began = opened.pop(name)
                found.append(Window(row.key or "", began.t, row.t, row.v))
        found += [Window(row.key or "", row.t, self.end, row.v) for row in opened.values()]
        return sorted(found, key=lambda window: window.begin)

    @cached_property
    def connections(self) -> Mapping[str, list[tuple[float, float, int | None]]]:
        """Say for each device when it was connected, and to which process."""
        found: dict[str, list[tuple[float, float, int | None]]] = defaultdict(list)
        since: dict[str, tuple[float, int | None]] = {}
        for row in self.rows:
            if row.f == "connected":
                since[row.p] = (row.t, row.v.get("app"))
            elif row.f in {"lost", "restarted", "refused", "offline"} and row.p in since:
                began, app = since.pop(row.p)
                found[row.p].append((began, row.t, app))
        for device, (began, app) in since.items():
            found[device].append((began, self.end, app))
        return found

    def healthy(self, device: str, span: Span) -> Iterator[Span]:
        """Give the parts of a span in which a device was connected by a link that was well."""
        for begin, end, app in self.connections.get(device, ()):
            parts = [(max(begin, span[0]), min(end, span[1]))]
            for window in self.windows:
                if window.hits(app):
                    parts = list(_without(parts, (window.begin, window.end + self.heals_s)))
            yield from (part for part in parts if part[1] > part[0])

    @property
    def heals_s(self) -> float:
        """How long a healed fault is still an excuse."""
        return HEALS_S * self.limits.patience

    def was_connected(self, device: str, span: Span) -> bool:
        """Say whether a device was connected throughout, by whatever link."""
        return any(
            begin <= span[0] and end >= span[1]
            for begin, end, _ in self.connections.get(device, ())
        )

    def around(self, key: str | None, at: float | None, *, seconds: float = 5.0) -> list[Row]:
        """List what happened with a key, and every fault, around a time."""
        when = at if at is not None else next((r.t for r in self.rows if r.key == key), self.end)
        return [
            row
            for row in self.rows
            if abs(row.t - when) <= seconds
            and (
                row.type == "nemesis"
                or (
                    key is not None
                    and key in (row.key, row.p, row.v.get("incident"), row.v.get("alert"))
                )
            )
        ]


def _without(parts: Sequence[Span], gap: Span) -> Iterator[Span]:
    for begin, end in parts:
        if gap[1] <= begin or gap[0] >= end:
            yield begin, end
            continue
        if begin < gap[0]:
            yield begin, gap[0]
        if gap[1] < end:
            yield gap[1], end
