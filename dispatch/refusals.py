"""PURE  How many of the last messages each gateway took, and how many it refused."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta

from dispatch.ladder import Channel

#: A gateway is judged by its last answers, and by none that is older.
LAST = 10
WINDOW = timedelta(minutes=3)
#: So many refusals, and every second message refused, is no chance.
REFUSED_LEAST = 2

#: What says something of one person's number or device and nothing of the gateway.
_PERSONAL = frozenset({"no_device", "gone", "bad_keys", "bad_number", "invaliduser"})
_PERSONAL_BEGINS = ("isv.MOBILE", "isv.BLACK", "isv.BUSINESS_LIMIT")


def is_refusal(why: str) -> bool:
    """Say whether a message that was not taken says something of the gateway."""
    return why not in _PERSONAL and not why.startswith(_PERSONAL_BEGINS)


class Refusals:
    """The last answers of each gateway."""

    def __init__(self) -> None:
        self._answers: dict[Channel, deque[tuple[datetime, bool]]] = {}

    def note(self, channel: Channel, why: str | None, *, now: datetime) -> None:
        """Note that a gateway took a message, or why it did not."""
        if why is None or is_refusal(why):
            answers = self._answers.setdefault(channel, deque(maxlen=LAST))
            answers.append((now, why is None))

    def counts(self, *, now: datetime) -> Mapping[str, tuple[int, int]]:
        """Return by channel how many of the last messages were taken, and how many refused."""
        found = {}
        for channel, answers in self._answers.items():
            recent = [is_taken for at, is_taken in answers if at > now - WINDOW]
            found[channel.value] = (sum(recent), len(recent) - sum(recent))
        return found


def is_refusing(taken: int, refused: int) -> bool:
    """Say whether a gateway that gave these answers has to be looked after."""
    return refused >= REFUSED_LEAST and refused >= taken
