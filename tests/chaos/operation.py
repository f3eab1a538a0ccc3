"""PURE. How the system behaved as a program: it answers, gives back, and does not die of itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from tests.chaos.history import FAIL, INFO, INVOKE, OK, Row
from tests.chaos.run import Found, Run, Window

_REQUESTS = ("create", "alert", "close", "stand_down", "edit", "read", "accept", "decline")
#: A canary is well when somebody sees it within this.
CANARY_S = 5.0


def honest_answers(run: Run) -> list[Found]:
    """INV-14: no request hangs without an answer, unless the process or its link was stopped."""
    limit_ms = run.limits.answers_within_s * run.limits.patience * 1000
    return [
        Found(
            "INV-14",
            row.key,
            f"{row.f} took {row.v['ms'] / 1000:.1f} s at app-{row.v['app']}",
            row.t,
        )
        for f in _REQUESTS
        for row in run.by_f.get(f, ())
        if row.type in {OK, FAIL, INFO} and row.v.get("ms", 0) > limit_ms and not _excused(run, row)
    ]


def _excused(run: Run, row: Row) -> bool:
    began = row.t - row.v["ms"] / 1000
    return any(
        window.begin <= row.t and window.end + run.heals_s >= began
        for window in run.windows
        if window.scope.get("all") or row.v["app"] in window.scope.get("apps", ())
    )


def bounded(run: Run) -> list[Found]:
    """INV-15: what was taken under fire was given back."""
    found = []
    before, after = run.final["resources"]["before"], run.final["resources"]["after"]
    for name, now in after["processes"].items():
        then = before["processes"].get(name)
        # A process that was started again has nothing to give back yet.
        if then is None or then["pid"] != now["pid"]:
            continue
        if now["fds"] > then["fds"] + run.limits.handles_more + run.final.get("clients", 0):
            found.append(Found("INV-15", name, f"{then['fds']} open files, then {now['fds']}"))
        if now["rss"] > then["rss"] * (1 + run.limits.memory_share * run.limits.patience):
            found.append(
                Found("INV-15", name, f"{then['rss'] >> 20} MiB, then {now['rss'] >> 20} MiB")
            )
    found += [
        Found("INV-15", "postgres", f"{after[name]} {name.replace('_', ' ')}")
        for name in ("idle_in_transaction", "advisory_locks", "waiting")
        if after[name] > 0
    ]
    if after["connections"] > run.final["connections_most"]:
        found.append(Found("INV-15", "postgres", f"{after['connections']} connections"))
    return found


def no_surprises(run: Run) -> list[Found]:
    """INV-16: no process ended that nobody ended, and no log tells of a programming error."""
    found = [
        Found("INV-16", row.p, f"ended by itself with status {row.v['status']}", row.t)
        for row in run.by_f.get("ended_by_itself", ())
    ]
    found += [
        Found("INV-16", name, f"its log says: {line[:300]}")
        for name, lines in run.final["bad_lines"].items()
        for line in lines[:3]
    ]
    found += [
        Found("INV-16", "nonsense", f"body {row.key} was answered {row.v['status']}", row.t)
        for row in run.by_f.get("bad_body", ())
        if row.v["status"] in {None, 500}
    ]
    return found


#: Of the alarms that no fault met, this share is seen in time; one may always be late.
CANARY_LEAST = 0.995


def available(run: Run) -> list[Found]:
    """INV-20: outside of faults somebody sees every alarm in time, if anybody is connected."""
    limit_s = CANARY_S * run.limits.patience
    calm = [
        alarm
        for alarm in _alarms(run)
        if not any(w.excuses(alarm[0] - run.heals_s, alarm[0] + limit_s) for w in run.windows)
    ]
    late = [
        began
        for began, was_seen, asked in calm
        if not was_seen
        and any(run.was_connected(f"phone-{one}", (began, began + limit_s)) for one in asked)
    ]
    if len(late) <= max(1.0, (1 - CANARY_LEAST) * len(calm)):
        return []
    text = f"{len(late)} of {len(calm)} alarms in calm were not seen within {limit_s:.0f} s"
    return [Found("INV-20", None, text, late[0])]


def canary(run: Run) -> tuple[float, float, int]:
    """Say what share of all alarms somebody saw in time, the longest gap, and of how many."""
    alarms = _alarms(run)
    good = [at for at, was_seen, _ in alarms if was_seen]
    gaps = [later - earlier for earlier, later in pairwise(good)]
    return len(good) / max(1, len(alarms)), max(gaps, default=0.0), len(alarms)


def _alarms(run: Run) -> list[tuple[float, bool, Sequence[str]]]:
    """List when each alarm was asked for, whether somebody saw it in time, and who was to."""
    first: dict[str, float] = {}
    for row in run.by_f.get("shown", ()):
        first.setdefault(run.incident_of(row) or "", row.t)
    limit_s = CANARY_S * run.limits.patience
    asked = []
    for rows in run.tries("alert").values():
        began = next((row.t for row in rows if row.type == INVOKE), None)
        if began is not None:
            seen = first.get(rows[0].v["incident"])
            was_seen = seen is not None and seen - began <= limit_s
            asked.append((began, was_seen, rows[0].v.get("expected", ())))
    return sorted(asked)


def counts(run: Run) -> dict[str, Any]:
    """Count what the report says in its first lines."""
    verdicts = run.verdicts("create")
    lost = sum(
        run.incidents.get(row.v["answer"].get("id", "")) is None
        for row in run.by_f.get("create", ())
        if row.type == OK
    )
    return {
        "ok": sum(v == OK for v in verdicts.values()),
        "fail": sum(v == FAIL for v in verdicts.values()),
        "info": sum(v == INFO for v in verdicts.values()),
        "alerts": len(run.alerts),
        "shown": len({(row.p, row.key) for row in run.by_f.get("shown", ())}),
        "shown_by_push": sum(row.v.get("by") == "push" for row in run.by_f.get("shown", ())),
        "lost": lost,
        "duplicated": len(run.by_f.get("shown", ()))
        - len({(r.p, r.key, r.v["revision"]) for r in run.by_f.get("shown", ())}),
        "kills": _kills(run, ("app-", "runner-"), "SIGKILL"),
        "database_stops": sum(
            _kills(run, ("postgres",), signal) for signal in ("SIGQUIT", "SIGKILL")
        ),
        "reconnects": len(run.by_f.get("connected", ())),
        "faults": _by_name(run.windows),
    }


def _kills(run: Run, names: tuple[str, ...], signal: str) -> int:
    return sum(
        row.p.startswith(names) and row.v["signal"] == signal for row in run.by_f.get("kill", ())
    )


def _by_name(windows: list[Window]) -> dict[str, int]:
    found: dict[str, int] = {}
    for window in windows:
        found[window.name] = found.get(window.name, 0) + 1
    return found


def doubts(run: Run) -> Iterator[str]:
    """Say why a run without counter-examples proves nothing all the same."""
    said = counts(run)
    if said["ok"] < 5:
        yield f"only {said['ok']} incidents were accepted"
    if run.tries("alert") and said["shown"] == 0:
        yield "no alert was shown on any phone"
    if run.final.get("doubts"):
        yield from run.final["doubts"]
