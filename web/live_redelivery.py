"""An alert whose ack does not come is sent again on the same socket, with its old number.

What is unconfirmed stands in the database, so whichever process holds the phone goes on with it.
One look a second asks for all; what a process remembers is only when it last sent what is open.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NoReturn

from sqlalchemy.exc import SQLAlchemyError

from dispatch import alerts, events, telling
from realtime import again, deadline
from realtime.connection import Connection
from realtime.protocol import Event
from web import dependencies

if TYPE_CHECKING:  # the two know each other; only the types go both ways
    from web.live import Live

_logger = logging.getLogger(__name__)

#: Between two looks, and how long one may take.
LOOK_EVERY_S = 1.0
LOOK_WITHIN_S = 3.0

#: An alert is sent again 3, 6, 12, 24, … seconds after it was sent, at the latest.
FIRST_S = 3.0

#: No more in one look: a wave of thousands that nobody confirms is spread out.
AT_ONCE = 500
#: So many are sent again before others have their turn.
PART = 25


@dataclass(frozen=True, slots=True)
class Waiting:
    """An alert that was sent to these connections, and when they get it again."""

    connections: frozenset[Connection]
    due_at: float
    gap_s: float


class Redelivery:
    """One process's look after alerts without an ack."""

    def __init__(self, line: Live) -> None:
        self._line = line
        self._waiting: dict[str, Waiting] = {}
        # For the metrics.
        self.failures = 0

    async def run(self) -> NoReturn:
        """Look every second until cancelled; without a database nothing is sent again."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if not self._line.hub.connections:
                continue
            try:
                await deadline.within(LOOK_WITHIN_S, self.look(_time(), now=dependencies.clock()))
            except (SQLAlchemyError, OSError) as error:  # TimeoutError is an OSError
                self.failures += 1
                _logger.warning("live redelivery failed: %s", type(error).__name__)

    async def look(self, monotonic: float, *, now: datetime) -> None:
        """Send again what is due by that reading of the clock."""
        async with self._line.database.single() as conn:
            unheard = await alerts.list_unheard(conn, now=now)
            due = self._note(unheard, monotonic, now)
            topics = [telling.person_topic(alert.responder_id) for alert in due]
            told = await again.latest(conn, topics, events.PersonKind.ALERT_SENT)
        ids = {str(alert.alert_id) for alert in due}
        for start in range(0, len(told), PART):
            for event in told[start : start + PART]:
                if _alert_of(event) in ids:  # else it told of another alert than the one due
                    self._line.hub.repeat(event)
            await asyncio.sleep(0)

    def _note(
        self, unheard: Iterable[alerts.Unheard], monotonic: float, now: datetime
    ) -> list[alerts.Unheard]:
        """Remember what is open here and forget the rest; return what is due."""
        known, self._waiting = self._waiting, {}
        due: list[alerts.Unheard] = []
        for alert in unheard:
            listening = self._line.hub.listeners(telling.person_topic(alert.responder_id))
            if not listening:
                continue
            name = str(alert.alert_id)
            waiting = known.get(name)
            if waiting is None or not waiting.connections.issuperset(listening):
                waiting = _first(alert, frozenset(listening), monotonic, now)
            if waiting.due_at <= monotonic and len(due) < AT_ONCE:
                due.append(alert)
                waiting = _next(waiting, monotonic)
            self._waiting[name] = waiting
        return due


def _first(
    alert: alerts.Unheard, listening: frozenset[Connection], monotonic: float, now: datetime
) -> Waiting:
    """Give a phone its time for the ack: since it was sent, or since the phone came to us."""
    age_s = (now - alert.notified_at).total_seconds()
    wait_s = FIRST_S - LOOK_EVERY_S
    left_s = wait_s - age_s if 0 < age_s < wait_s else wait_s
    return Waiting(listening, monotonic + left_s, FIRST_S)


def _next(waiting: Waiting, monotonic: float) -> Waiting:
    # The next look comes up to a second after what is due, so it is due a second early.
    due_at = monotonic + waiting.gap_s - LOOK_EVERY_S
    return Waiting(waiting.connections, due_at, 2 * waiting.gap_s)


def _alert_of(event: Event) -> object:
    alert = event.value().get("alert")
    return alert.get("id") if isinstance(alert, dict) else None


def _time() -> float:
    return asyncio.get_running_loop().time()
