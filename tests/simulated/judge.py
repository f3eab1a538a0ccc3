"""What must hold, asked of every frame, commit and second; whatever does not is a finding.

Two look at a device: a tap on its wire, which knows the numbers and nothing of the client's own
decisions, and the database's memory of what was true of a topic at each of its places.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from realtime.protocol import Close, Event, Mark
from tests.simulated.database import Database

if TYPE_CHECKING:
    from tests.simulated.device import Device
    from tests.simulated.wire import Wire

#: Who is connected and well has everything so long after its commit: a look by the clock, its way.
WITHIN_S = 2.5

#: One wait for room in a socket, with what the loop needs beside.
SEND_WITHIN_S = 5.5

#: After a fault of the database its traces, such as a load that waits, are felt so long.
ECHO_S = 15.0

#: What may go wrong in a loop that goes on whatever happens, where the database fails.
KNOWN_FAILURES = {"TimeoutError", "OperationalError"}


@dataclass(slots=True)
class Alert:
    """One person's alert, as the log has it."""

    person: str
    ended_at: float | None = None


class Judge:
    """Collects what must not be."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self.findings: list[str] = []
        self.devices: list[Device] = []
        self.alerts: dict[str, Alert] = {}
        #: How often each alert was shown in one life of a journal.
        self.shown: Counter[tuple[str, int, str]] = Counter()
        self.seen: Counter[str] = Counter()
        self.database = database
        self._now = now
        self.on_finding: Callable[[str], None] = lambda _: None
        self.later: Callable[..., object] = lambda *_: None

    def find(self, what: str) -> None:
        """Note what must not be."""
        self.findings.append(f"{self._now():.3f} {what}")
        self.on_finding(what)

    # ---- commits: everybody who is well hears of them soon

    def committed(self, events: Sequence[Event]) -> None:
        """Expect every device that is well to have these soon."""
        last: dict[str, Event] = {}
        for event in events:
            last[event.topic] = event
            self._note_alert(event)
        if not self.database.is_well:
            return
        for topic, event in last.items():
            well = [(d, d.stamp) for d in self.devices if topic in d.topics and d.is_well]
            if well:
                self.seen["promises"] += len(well)
                marks = (event.epoch, event.seq)
                self.later(WITHIN_S, self._due, topic, marks, well, self.database.disturbances)

    def _note_alert(self, event: Event) -> None:
        if not event.topic.startswith("person:"):
            return
        body = event.value()
        match body:
            case {"alert": {"id": str(alert)}}:
                self.alerts[alert] = Alert(event.topic)
            case {"stand_down": {"alert": str(alert)}} if alert in self.alerts:
                self.alerts[alert].ended_at = self._now()

    def _due(
        self,
        topic: str,
        place: tuple[str, int],
        well: Sequence[tuple[Device, int]],
        disturbances: int,
    ) -> None:
        if disturbances != self.database.disturbances:
            return
        for device, stamp in well:
            if stamp != device.stamp or topic not in device.topics:
                continue
            self.seen["kept"] += 1
            cursor = device.machine.marks.cursors.get(topic)
            if cursor is None or cursor[0] != place[0] or cursor[1] < place[1]:
                self.find(f"LATE {device.name} stands at {cursor} of {topic}, not {place}")

    def undone(self) -> None:
        """The database was restored: what is not in it any more was never asked."""
        open_now = {
            alert for state in self.database.view.states.values() for alert in state["alerts"]
        }
        for name, alert in self.alerts.items():
            alert.ended_at = None if name in open_now else (alert.ended_at or self._now())

    # ---- screens

    def holds(self, device: Device, topic: str) -> None:
        """A device has applied a snapshot or an event: it must have what was true there."""
        cursor = device.machine.marks.cursors[topic]
        if cursor is None:
            self.find(f"STATE {device.name} applied something of {topic} and stands nowhere")
            return
        truth = self.database.state_at(topic, *cursor)
        if truth is None:
            self.find(f"STATE {device.name} stands at {cursor} of {topic}, which never was")
        elif device.states[topic] != truth:
            self.find(
                f"STATE {device.name} at {cursor} of {topic}: {device.states[topic]}, {truth}"
            )

    def show(self, device: Device, alert: str) -> None:
        """An alert rings on a device."""
        self.seen["shown"] += 1
        times = self.shown[device.name, device.life, alert] = (
            self.shown[device.name, device.life, alert] + 1
        )
        if times > 1:
            self.find(f"TWICE {device.name} shows {alert} for the {times}th time")
        known = self.alerts.get(alert)
        if known is None:
            self.find(f"UNKNOWN {device.name} shows {alert}, which nobody committed")

    def look_at_screens(self) -> None:
        """Find alerts that stand on a healthy screen after their end."""
        now = self._now()
        for device in self.devices:
            for alert in sorted(device.screen):
                ended_at = self.alerts[alert].ended_at
                if ended_at is not None and device.well_for(now) > now - ended_at > WITHIN_S:
                    self.find(f"AFTER {device.name} shows {alert}, which ended at {ended_at:.3f}")

    # ---- connections

    def closed(self, wire: Wire, code: int, *, is_ending: bool) -> None:
        """A server has closed a socket: was there a reason?"""
        self.seen[f"close {code}"] += 1
        is_db_excuse = self._now() - self.database.settled_at < ECHO_S or not self.database.is_well
        reasons = {
            Close.TOO_SLOW: wire.was_troubled or is_db_excuse,
            Close.TRY_LATER: is_db_excuse or is_ending,
            Close.RESTARTING: is_ending,
        }
        if not reasons.get(Close(code), False):
            self.find(f"CLOSED a socket with {code} for no reason")

    def watch(self, wires: Sequence[Wire]) -> None:
        """Look at what has to be bounded, every now and then."""
        for wire in wires:
            since = wire.socket.waits_since
            if since is not None and self._now() - since > SEND_WITHIN_S:
                self.find(f"HELD a send waits since {since:.3f}")
                wire.socket.waits_since = None
        self.look_at_screens()

    def log_handler(self) -> logging.Handler:
        """Give a handler that finds what the loops that go on should not have met."""
        return _Handler(self)


class _Handler(logging.Handler):
    def __init__(self, judge: Judge) -> None:
        super().__init__()
        self._judge = judge

    def emit(self, record: logging.LogRecord) -> None:
        """Read a line of the log."""
        words = record.getMessage()
        name = words.rpartition(" ")[2]
        self._judge.seen[f"log: {record.msg}"] += 1
        if record.levelno >= logging.ERROR and "stood still" not in words:
            self._judge.find(f"LOG {words} {record.exc_info}")
        elif "failed" in words and name not in KNOWN_FAILURES:
            self._judge.find(f"LOG {words}")


class Tap:
    """Reads one connection's frames as they arrive, and knows what may come next."""

    def __init__(self, judge: Judge, name: str) -> None:
        self._judge = judge
        self._name = name
        self._hellos: list[Mapping[str, Any]] = []
        self._at: dict[str, Mark | None] = {}
        #: Topics whose replay must come to this number before anything else of them.
        self._owed: dict[str, int] = {}

    def hello(self, topics: Mapping[str, Any]) -> None:
        """The device has said what it has."""
        self._hellos.append(dict(topics))

    def take(self, frame: Mapping[str, Any]) -> None:
        """Judge a frame."""
        match frame["type"]:
            case "welcome":
                self._welcome(frame["topics"])
            case "snapshot":
                self._snapshot(frame)
            case "event":
                self._event(frame)
            case "heartbeat":
                self._heartbeat(frame["topics"])

    def _welcome(self, topics: Mapping[str, Any]) -> None:
        if not self._hellos:
            self._judge.find(f"WIRE {self._name}: a welcome without a hello")
            return
        hello = self._hellos.pop(0)
        for topic, at in topics.items():
            asked = hello.get(topic)
            if not at["recovered"]:
                self._at[topic] = None
            elif self._at.get(topic) is None:
                if asked is None:
                    self._judge.find(f"WIRE {self._name}: recovered {topic} from nowhere")
                    continue
                self._at[topic] = Mark(asked["epoch"], int(asked["seq"]))
                self._judge.seen["recovered"] += 1
                if asked["epoch"] != at["epoch"]:
                    self._judge.find(f"WIRE {self._name}: recovered {topic} over epochs")
                self._owed[topic] = int(at["seq"])

    def _snapshot(self, frame: Mapping[str, Any]) -> None:
        self._owed.pop(frame["topic"], None)
        self._at[frame["topic"]] = Mark(frame["epoch"], int(frame["seq"]))

    def _event(self, frame: Mapping[str, Any]) -> None:
        topic, mark = frame["topic"], Mark(frame["epoch"], int(frame["seq"]))
        at = self._at.get(topic)
        if at is None or mark.epoch != at.epoch:
            self._judge.find(f"WIRE {self._name}: {mark} of {topic} after {at}")
        elif frame.get("redelivered"):
            self._judge.seen["redelivered"] += 1
            if mark.seq > at.seq:
                self._judge.find(f"WIRE {self._name}: {mark} of {topic} again, never sent before")
        elif mark.seq != at.seq + 1:
            self._judge.find(f"WIRE {self._name}: {mark} of {topic} after {at}")
        else:
            self._at[topic] = mark
            if mark.seq >= self._owed.get(topic, mark.seq):
                self._owed.pop(topic, None)

    def _heartbeat(self, topics: Mapping[str, str]) -> None:
        for topic, seq in topics.items():
            at = self._at.get(topic)
            if (
                at is None
                or int(seq) > at.seq
                or (topic in self._owed and at.seq < self._owed[topic])
            ):
                self._judge.find(f"WIRE {self._name}: a heartbeat at {seq} of {topic} after {at}")
