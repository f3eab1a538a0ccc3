"""PURE. What phones and consoles must have seen: all that was theirs, once, in order, in time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from tests.chaos.history import INVOKE, NEMESIS, OK, Row
from tests.chaos.run import Found, Run

PHONE = "phone-"


def delivered(run: Run) -> list[Found]:
    """INV-5: shown once on each phone that was connected while the alert lived; never twice."""
    found = []
    shown = Counter(
        (row.p, row.key, row.v["revision"]) for row in run.by_f.get("shown", ()) if row.type == OK
    )
    found += [
        Found("INV-5", alert, f"shown {n} times on {device}", _shown_at(run, device, alert)[-1])
        for (device, alert, _), n in shown.items()
        if n > 1
    ]
    seen = {(device, alert) for device, alert, _ in shown}
    wait_s = run.limits.shown_after_s * run.limits.patience
    for alert in run.alerts.values():
        device = PHONE + alert["responder_id"]
        if (device, alert["id"]) in seen:
            continue
        life = run.life(alert)
        for begin, end in run.healthy(device, life):
            if end - begin >= wait_s:
                text = (
                    f"never shown on {device}, which was connected and well for {end - begin:.1f} s"
                )
                found.append(Found("INV-5", alert["id"], text, begin + wait_s))
                break
    return found


def _shown_at(run: Run, device: str, alert: str | None) -> list[float]:
    return [row.t for row in run.by_f["shown"] if (row.p, row.key) == (device, alert)]


def addressed(run: Run) -> list[Found]:
    """INV-6: shown to nobody who was not to be asked."""
    expected = {
        rows[0].v["incident"]: set(rows[0].v["expected"]) for rows in run.tries("alert").values()
    }
    return [
        Found("INV-6", row.key, f"shown on {row.p}, who is not one of those to be asked", row.t)
        for row in run.by_f.get("shown", ())
        if row.v["who"] not in expected.get(run.incident_of(row) or "", set())
    ]


def nothing_stale(run: Run) -> list[Found]:
    """INV-7: not shown after its end, and taken off the screen soon after it."""
    found = []
    late_s = run.limits.stale_s * run.limits.patience
    cleared: dict[tuple[str, str | None], list[float]] = defaultdict(list)
    for row in run.by_f.get("cleared", ()):
        cleared[row.p, row.key].append(row.t)
    for row in run.by_f.get("shown", ()):
        alert = run.alerts.get(row.key or "")
        if alert is None:
            continue
        end = run.known_end(alert)
        if row.t > end + late_s:
            found.append(
                Found(
                    "INV-7", row.key, f"shown on {row.p} {row.t - end:.1f} s after its end", row.t
                )
            )
        found += list(_left_standing(run, row, end, cleared[row.p, row.key]))
    return found


def _left_standing(run: Run, shown: Row, end: float, cleared: list[float]) -> Iterator[Found]:
    wait_s = run.limits.clears_within_s * run.limits.patience
    first = min((at for at in cleared if at >= shown.t), default=run.end)
    for begin, until in run.healthy(shown.p, (max(end, shown.t), first)):
        if until - begin > wait_s:
            yield Found(
                "INV-7",
                shown.key,
                f"stood on {shown.p} for {until - begin:.1f} s after its end",
                begin,
            )
            return


# ---- INV-9


class _Reader:
    """One device's wire, checked frame by frame.

    What a welcome goes on from is what the hello of the same way said: a socket that takes over
    from polls brings again what those have brought since.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        self.said: dict[str, Mapping[str, Any]] = {}
        self.marks: dict[str, tuple[str, int]] = {}
        self.awaits: set[str] = set()

    def take(self, row: Row) -> Iterator[Found]:
        if row.f == "hello":
            self.said[row.v["via"]] = row.v["topics"]
            return
        match row.v["type"]:
            case "welcome":
                yield from self._welcome(row)
            case "snapshot":
                self.awaits.discard(row.v["topic"])
                self.marks[row.v["topic"]] = (row.v["epoch"], int(row.v["seq"]))
            case "event":
                yield from self._event(row)
            case "heartbeat":
                yield from self._heartbeat(row)

    def _welcome(self, row: Row) -> Iterator[Found]:
        said = self.said.get(row.v.get("via", ""), {})
        for topic, at in row.v["topics"].items():
            self.awaits.discard(topic)
            if said.get(topic):
                self.marks[topic] = (said[topic]["epoch"], int(said[topic]["seq"]))
            if not at["recovered"]:
                self.awaits.add(topic)
            elif topic not in self.marks:
                yield self._found(row, f"recovered {topic}, of which the device has nothing")

    def _heartbeat(self, row: Row) -> Iterator[Found]:
        for topic, seq in row.v["topics"].items():
            if topic in self.marks and int(seq) > self.marks[topic][1]:
                has = self.marks[topic][1]
                yield self._found(row, f"a heartbeat says {seq} of {topic}, {has} was sent")

    def _event(self, row: Row) -> Iterator[Found]:
        topic, epoch, seq = row.v["topic"], row.v["epoch"], int(row.v["seq"])
        if topic in self.awaits:
            yield self._found(row, f"an event of {topic} came before the promised snapshot")
        mark = self.marks.get(topic)
        if mark is None:
            yield self._found(row, f"an event of {topic} came before anything else")
        elif epoch == mark[0] and seq == mark[1] + 1:
            self.marks[topic] = (epoch, seq)
        elif epoch == mark[0] and seq <= mark[1]:
            if not row.v.get("redelivered"):
                yield self._found(
                    row, f"{topic} {seq} came again, and is not marked as redelivered"
                )
        else:
            yield self._found(row, f"{topic} {seq} came after {mark[1]}")

    def _found(self, row: Row, text: str) -> Found:
        return Found("INV-9", self.device, text, row.t)


def stream(run: Run) -> list[Found]:
    """INV-9: numbers without a gap on every wire; after a broken one a snapshot first."""
    found: list[Found] = []
    readers: dict[str, _Reader] = {}
    for row in run.rows:
        if row.f == "restarted" and row.v.get("forgets"):
            readers.pop(row.p, None)
        elif row.f in {"frame", "hello"}:
            found += readers.setdefault(row.p, _Reader(row.p)).take(row)
    return found


# ---- INV-10


#: Differs by when it is asked for, and says nothing of the state.
_MOMENTARY = frozenset({"expires_in_ms", "position_age_s", "channels"})


def convergence(run: Run) -> list[Found]:
    """INV-10: at the end every screen shows what the server would tell a new one."""
    return [
        Found("INV-10", name, f"{path}: shows {shown!r}, the server says {said!r}", run.end)
        for name, pair in run.final["screens"].items()
        for path, shown, said in _differences("", pair["shown"], pair["server"])
    ][:20]


def _differences(path: str, shown: Any, said: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(shown, Mapping) and isinstance(said, Mapping):
        for name in sorted({*shown, *said} - _MOMENTARY):
            yield from _differences(f"{path}/{name}", shown.get(name), said.get(name))
    elif isinstance(shown, list) and isinstance(said, list) and len(shown) == len(said):
        for number, (one, other) in enumerate(zip(shown, said, strict=True)):
            yield from _differences(f"{path}/{number}", one, other)
    elif shown != said:
        yield path, shown, said


# ---- INV-13


def latencies(run: Run) -> list[tuple[float, float, str, str]]:
    """List (asked at, seconds to the phone, alert, device) of phones connected all along."""
    asked: dict[str, float] = {}
    for rows in run.tries("alert").values():
        opened = {row.v["try"]: row.t for row in rows if row.type == INVOKE}
        done = next((row for row in rows if row.type == OK), None)
        if done is not None:
            asked[rows[0].v["incident"]] = opened.get(done.v["try"], done.t)
    found = []
    for row in run.by_f.get("received", ()):
        alert = run.alerts.get(row.key or "")
        if alert is None or alert["incident_id"] not in asked:
            continue
        began = asked[alert["incident_id"]]
        if run.was_connected(row.p, (began, row.t)):
            found.append((began, row.t - began, row.key or "", row.p))
    return found


def latency(run: Run) -> list[Found]:
    """INV-13: fast where nothing was wrong; else soon after the fault was over."""
    limits = run.limits
    calm: list[tuple[float, float, str, str]] = []
    found = []
    for began, took_s, alert, device in latencies(run):
        met = [w for w in run.windows if w.excuses(began - run.heals_s, began + took_s)]
        if not met:
            calm.append((began, took_s, alert, device))
            continue
        excuse_s = max(
            max(0.0, w.end - began)
            + limits.after_fault_s.get(w.name, limits.after_other_faults_s) * limits.patience
            for w in met
        )
        if took_s > excuse_s:
            text = (
                f"took {took_s:.1f} s to {device}, {excuse_s:.1f} s for {met[0].name} is the limit"
            )
            found.append(Found("INV-13", alert, text, began))
    calm.sort(key=lambda item: item[1])
    if len(calm) >= 20:
        began, took_s, alert, device = calm[int(0.99 * (len(calm) - 1))]
        if took_s > limits.p99_s * limits.patience:
            text = f"p99 of {len(calm)} calm deliveries is {took_s:.2f} s"
            found.append(Found("INV-13", alert, text, began))
    return found


# ---- INV-17 and INV-18


def confidential(run: Run) -> list[Found]:
    """INV-17, INV-18: addresses, notes, numbers and exact places reach those who may know them."""
    owners = _owners(run)
    going: dict[tuple[str, str], float] = {}
    for row in run.by_f.get("accept", ()):
        if row.type == INVOKE:
            going.setdefault((row.p, row.v["incident"]), row.t)
    found = []
    for row in run.by_f.get("markers", ()):
        if row.p.startswith(PHONE) or row.p == "stranger":
            found += [
                Found("INV-17", row.p, f"received {marker}", row.t)
                for marker in row.v["found"]
                if not any(
                    going.get((row.p, incident), float("inf")) <= row.t
                    for incident in owners.get(marker, ())
                )
            ]
    return found + list(_after_revocation(run))


def _after_revocation(run: Run) -> Iterator[Found]:
    began = next((row.t for row in run.rows if row.type == NEMESIS and row.f == "revoked"), None)
    for row in run.by_f.get("markers", ()):
        if row.p == "revoked" and began is not None:
            late_s = row.t - began
            if late_s > run.limits.revoked_within_s * run.limits.patience:
                text = f"received {row.v['found'][0]} {late_s:.1f} s after its revocation"
                yield Found("INV-17", row.p, text, row.t)


def _owners(run: Run) -> Mapping[str, set[str]]:
    """Say of which incidents a marker tells; telephones of others belong to nobody."""
    owners: dict[str, set[str]] = defaultdict(set)
    for incident in run.incidents.values():
        number = str(incident["address"]).rpartition("-")[2]
        for marker in (f"TAINT-address-{number}", f"TAINT-note-{number}", f"{incident['lon']:.6f}"):
            owners[marker].add(incident["id"])
    return owners
