"""What one phone remembers: when it was connected, which alerts it got and which it showed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Showing:
    """An alert that stood on the screen; one person is asked once for one incident."""

    alert: str
    revision: int
    incident: str


@dataclass(slots=True)
class Journal:
    """An append-only memory that survives lost connections; nothing in it is ever corrected."""

    connected: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    received: dict[str, datetime] = field(default_factory=dict)
    shown: list[Showing] = field(default_factory=list)

    def note_connected(self, at: datetime) -> None:
        """Remember that the socket was welcomed."""
        self.note_lost(at)
        self.connected.append((at, None))

    def note_lost(self, at: datetime) -> None:
        """Remember that the socket is gone."""
        if self.connected and self.connected[-1][1] is None:
            self.connected[-1] = (self.connected[-1][0], at)

    def receive(self, alert: str, at: datetime) -> None:
        """Remember the first time that an alert reached this phone."""
        self.received.setdefault(alert, at)

    def show(self, showing: Showing) -> bool:
        """Note that an alert stands on the screen, unless this revision did before."""
        if any((s.alert, s.revision) == (showing.alert, showing.revision) for s in self.shown):
            return False
        self.shown.append(showing)
        return True

    def was_connected(self, start: datetime, end: datetime) -> bool:
        """Say whether the socket was up at any moment of a span of time."""
        return any(
            begin <= end and (until is None or until >= start) for begin, until in self.connected
        )

    def shown_twice(self) -> list[str]:
        """List the incidents for which this phone rang more than once."""
        rings = Counter(showing.incident for showing in self.shown)
        return [incident for incident, times in rings.items() if times > 1]
