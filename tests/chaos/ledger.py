"""PURE. What must be in the database: everything that was answered, once, whole and in order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from tests.chaos.history import FAIL, INFO, INVOKE, OK, Row
from tests.chaos.people import WANTED
from tests.chaos.rivals import is_linearizable
from tests.chaos.run import TERMINAL, Found, Run

#: What an answer says of an incident and nothing changes later.
_ACKNOWLEDGED = ("number", "kind", "severity", "address")


def durable(run: Run) -> list[Found]:
    """INV-1: what was answered 2xx is there, with every field that was answered."""
    found = []
    for key, rows in run.tries("create").items():
        for row in rows:
            if row.type == OK:
                there = run.incidents.get(row.v["answer"]["id"])
                found += list(_lost_or_changed(key, row, there))
                break
    for key, rows in run.tries("close").items():
        there = run.incidents.get(rows[0].v["incident"])
        ok = next((row for row in rows if row.type == OK), None)
        if ok is not None and (there is None or there["status"] != "closed"):
            found.append(
                Found("INV-1", rows[0].v["incident"], f"{key} was answered, and is not so", ok.t)
            )
    return found


def _lost_or_changed(key: str, row: Row, there: Mapping[str, Any] | None) -> Iterator[Found]:
    if there is None:
        yield Found("INV-1", key, "answered 2xx, and is not in the database", row.t)
        return
    for name in _ACKNOWLEDGED:
        if name in row.v["answer"] and row.v["answer"][name] != there[name]:
            yield Found(
                "INV-1",
                key,
                f"{name} was answered {row.v['answer'][name]}, is {there[name]}",
                row.t,
            )


def _key_of(incident: Mapping[str, Any]) -> str:
    """Name the key that an incident was opened with: its address says so."""
    return f"create-{str(incident['address']).rpartition('-')[2]}"


def no_phantoms(run: Run) -> list[Found]:
    """INV-2: nothing is there that nobody asked for, or that was refused."""
    verdicts = run.verdicts("create")
    return [
        Found(
            "INV-2",
            _key_of(incident),
            f"is there, and was {verdicts.get(_key_of(incident), 'never asked for')}",
        )
        for incident in run.incidents.values()
        if verdicts.get(_key_of(incident), FAIL) == FAIL
    ]


def unique(run: Run) -> list[Found]:
    """INV-3: one key, one incident, one answer; no number twice."""
    found = []
    keys = Counter(_key_of(incident) for incident in run.incidents.values())
    found += [Found("INV-3", key, f"made {n} incidents") for key, n in keys.items() if n > 1]
    numbers = Counter((row.get("org_id"), row["number"]) for row in run.incidents.values())
    found += [Found("INV-3", number, f"{n} times") for (_, number), n in numbers.items() if n > 1]
    for key, rows in run.tries("create").items():
        ids = {row.v["answer"].get("id") for row in rows if row.type == OK}
        if len(ids) > 1:
            found.append(Found("INV-3", key, f"was answered with {len(ids)} incidents"))
    return found


def all_or_nothing(run: Run) -> list[Found]:
    """INV-4: an alarm has asked everybody whom it must, once, or nobody."""
    found = []
    for rows in run.tries("alert").values():
        incident, expected = rows[0].v["incident"], set(rows[0].v["expected"])
        asked = Counter(alert["responder_id"] for alert in run.alerts_of(incident))
        was_answered = any(row.type == OK for row in rows)
        if not asked and not was_answered:
            continue
        if set(asked) != expected or max(asked.values(), default=0) > 1:
            missing, more = expected - set(asked), set(asked) - expected
            text = f"asked {len(asked)} of {len(expected)}; missing {missing}, wrongly {more}"
            found.append(Found("INV-4", incident, text, rows[0].t))
    return found


def terminal(run: Run) -> list[Found]:
    """INV-8: every alert has ended, and what a phone saw confirmed is in the database."""
    found = [
        Found("INV-8", alert["id"], f"is still {alert['status']}")
        for alert in run.alerts.values()
        if alert["status"] not in TERMINAL
    ]
    columns = {"received": "delivered_at", "shown": "shown_at"}
    for row in run.by_f.get("ack", ()):
        if row.type == OK and row.t <= run.read_at:
            alert = run.alerts.get(row.key or "")
            if alert is None or alert[columns[row.v["level"]]] is None:
                found.append(
                    Found(
                        "INV-8",
                        row.key,
                        f"ack {row.v['level']} was confirmed, and is not there",
                        row.t,
                    )
                )
    return found


# ---- INV-11


def few_winners(run: Run) -> list[Found]:
    """INV-11: no more accept than are wanted, and each answer agrees with the final roster."""
    found = []
    accepts: dict[str, list[list[Row]]] = defaultdict(list)
    for rows in run.tries("accept").values():
        accepts[rows[0].v["incident"]].append(rows)
    assigned = {row["alert_id"] for row in run.final["assignments"]}
    per_incident = Counter(row["incident_id"] for row in run.final["assignments"])
    found += [
        Found("INV-11", incident, f"{n} accepted, {WANTED} are wanted")
        for incident, n in per_incident.items()
        if n > WANTED
    ]
    for incident, operations in accepts.items():
        for rows in operations:
            found += list(_against_roster(rows, assigned, operations))
        if not is_linearizable([op for rows in operations for op in _pairs(rows)], WANTED):
            found.append(
                Found(
                    "INV-11", incident, "no order of the answers explains them", operations[0][0].t
                )
            )
    return found


def _against_roster(
    rows: list[Row], assigned: set[str], operations: list[list[Row]]
) -> Iterator[Found]:
    alert = rows[0].v["alert"]
    for row in rows:
        if row.type == OK and alert not in assigned:
            yield Found(
                "INV-11", alert, "the accept was answered 2xx, and is not in the roster", row.t
            )
    mine = [row for op in operations for row in op if row.v["alert"] == alert]
    if alert in assigned and mine and all(row.type in {FAIL, INVOKE} for row in mine):
        finished = sum(row.type == FAIL for row in mine)
        if finished * 2 == len(mine):
            yield Found(
                "INV-11", alert, "every accept was refused, and it is in the roster", mine[-1].t
            )


def _pairs(rows: list[Row]) -> Iterator[tuple[float, float, str, str]]:
    """Give each try as (invoked, returned, who, how); an unknown one may happen at any time."""
    opened: list[Row] = []
    for row in rows:
        if row.type == INVOKE:
            opened.append(row)
            continue
        began = next((o for o in opened if o.v["try"] == row.v["try"]), None)
        if began is None:
            continue
        opened.remove(began)
        how, until = row.type, row.t
        if row.type == FAIL and (row.v.get("state") or {}).get("reason") != "covered":
            continue  # too late, or closed: says nothing of the others
        if row.type == INFO:
            until = float("inf")
        yield began.t, until, row.v["who"], how
    yield from ((row.t, float("inf"), row.v["who"], INFO) for row in opened)


# ---- INV-12


def legal_moves(run: Run) -> list[Found]:
    """INV-12: versions never go back on a screen, and no correction is lost."""
    found = list(_versions_go_back(run))
    edits: dict[str, list[Row]] = defaultdict(list)
    notes: dict[tuple[str, int], str] = {}
    for rows in run.tries("edit").values():
        for row in rows:
            number = row.v["try"]
            if row.type == INVOKE:
                notes[row.key or "", number] = row.v["body"]["note"]
            else:
                edits[row.v["incident"]].append(row)
    for incident, rows in edits.items():
        found += list(_lost_edits(run, incident, rows, notes))
    return found


def _versions_go_back(run: Run) -> Iterator[Found]:
    seen: dict[tuple[str, str], int] = {}
    had: dict[tuple[str, str, str], int] = {}
    for row in run.by_f.get("frame", ()):
        if "version" in row.v:
            at, wire = (row.p, row.v["incident"]), (row.p, row.v["topic"], row.v["epoch"])
            # What was had before no client applies again; whether it may come again, INV-9 says.
            is_new = int(row.v["seq"]) > had.get(wire, 0)
            had[wire] = max(had.get(wire, 0), int(row.v["seq"]))
            if row.v["version"] < seen.get(at, 0) and is_new:
                yield Found(
                    "INV-12",
                    row.v["incident"],
                    f"went back to version {row.v['version']} on {row.p}",
                    row.t,
                )
            seen[at] = max(seen.get(at, 0), row.v["version"])


def _lost_edits(
    run: Run, incident: str, rows: list[Row], notes: Mapping[tuple[str, int], str]
) -> Iterator[Found]:
    ok = [row for row in rows if row.type == OK]
    for version, n in Counter(row.v["on"] for row in ok).items():
        if n > 1:
            yield Found(
                "INV-12", incident, f"{n} corrections of version {version} succeeded", ok[0].t
            )
    there = run.incidents.get(incident)
    if there is None or not ok:
        return
    last = max(ok, key=lambda row: row.v["answer"]["version"])
    may_be = {notes[last.key or "", last.v["try"]]}
    may_be |= {notes[row.key or "", row.v["try"]] for row in rows if row.type == INFO}
    if there["note"] not in may_be:
        yield Found(
            "INV-12",
            incident,
            f"the correction {may_be} was answered, and it says {there['note']}",
            last.t,
        )


# ---- INV-19


def recorded(run: Run) -> list[Found]:
    """INV-19: each act stands in the record once: no act without a line, no line without one."""
    found = []
    lines = Counter((line["incident_id"], line["kind"]) for line in run.final["lines"])
    waves = Counter(wave["incident_id"] for wave in run.final["waves"])
    decisions = Counter(row["incident_id"] for row in run.final["allocations"] if row["wave_id"])
    for incident in run.incidents:
        expected = {
            "opened": (1, lines[incident, "opened"]),
            "wave_sent": (waves[incident], lines[incident, "wave_sent"]),
            "decisions": (waves[incident], decisions[incident]),
        }
        found += [
            Found("INV-19", incident, f"{name}: {there} on record, {wanted} happened")
            for name, (wanted, there) in expected.items()
            if wanted != there
        ]
    found += [
        Found("INV-19", row["incident_id"], "a decision is on record whose wave is not there")
        for row in run.final["allocations"]
        if row["wave_id"] is None
    ]
    return found + list(_once(run))


#: Of these an alert, or an assignment, has one line at most.
_ONCE = frozenset({"alert_accepted", "alert_declined", "alert_timed_out", "alert_delivered",
                   "no_movement"})  # fmt: skip


def _once(run: Run) -> Iterator[Found]:
    said = Counter(
        (line["kind"], subject)
        for line in run.final["lines"]
        if line["kind"] in _ONCE
        for subject in line["subjects"]
    )
    for (kind, subject), n in said.items():
        if n > 1:
            yield Found("INV-19", subject, f"{kind} stands in the timeline {n} times")
