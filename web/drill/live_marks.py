"""PURE  Where a client stands in each topic's log, and what a frame means from there.

The twin of web/ui/shared/src/live/marks.ts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum, auto
from typing import Any

#: The epoch and the number of the last event applied; None wants a snapshot.
Cursor = tuple[str, int] | None


class Verdict(Enum):
    """What an event means."""

    APPLY = auto()
    HAD = auto()  # applied before
    IGNORE = auto()  # of a topic that is not wanted, or from before its snapshot
    GAP = auto()  # something is missing


class Marks:
    """The cursors of the wanted topics, and how often each was found to lack something."""

    def __init__(self, topics: Iterable[str]) -> None:
        self.cursors: dict[str, Cursor] = dict.fromkeys(topics)
        #: Hellos that no welcome has answered yet.
        self.unanswered = 0
        # For verdicts: both must stay 0.
        self.gaps = 0
        self.repeats = 0
        self._strikes: dict[str, int] = {}

    @property
    def strikes(self) -> int:
        """How often a topic was found to lack something since its last event, at the most."""
        return max(self._strikes.values(), default=0)

    def cursors_out(self) -> dict[str, object]:
        """Write the cursors as a hello has them."""
        return {
            topic: None if cursor is None else {"epoch": cursor[0], "seq": str(cursor[1])}
            for topic, cursor in self.cursors.items()
        }

    def keep(self, topics: Iterable[str]) -> bool:
        """Want these topics from now on; say whether others were wanted before."""
        wanted = {topic: self.cursors.get(topic) for topic in topics}
        if list(wanted) == list(self.cursors):
            return False
        # In place: a client may have shared its cursors with what stores them.
        self.cursors.clear()
        self.cursors.update(wanted)
        return True

    def forget(self, topic: str | None) -> None:
        """Want a topic no more."""
        if topic is not None:
            self.cursors.pop(topic, None)
            self._strikes.pop(topic, None)

    def set(self, frame: Mapping[str, Any]) -> bool:
        """Stand where a snapshot was taken; say whether its topic is wanted."""
        topic = frame["topic"]
        if topic not in self.cursors:
            return False
        self.cursors[topic] = (frame["epoch"], int(frame["seq"]))
        return True

    def judge(self, frame: Mapping[str, Any]) -> Verdict:
        """Say what an event means, and go on to it if it is the next one."""
        topic, epoch, seq = frame["topic"], frame["epoch"], int(frame["seq"])
        if topic not in self.cursors:
            return Verdict.IGNORE
        cursor = self.cursors[topic]
        if cursor is None:
            return Verdict.IGNORE if self.unanswered else self._lack(topic)
        if epoch != cursor[0]:
            # Another epoch is another past: only a snapshot leads from one to the other.
            self.cursors[topic] = None
            return self._lack(topic)
        if seq <= cursor[1]:
            self.repeats += not frame.get("redelivered")
            return Verdict.HAD
        if seq > cursor[1] + 1:
            return self._lack(topic)
        self.cursors[topic] = (epoch, seq)
        self._strikes.pop(topic, None)
        return Verdict.APPLY

    def is_behind(self, seqs: Mapping[str, str]) -> bool:
        """Say whether the server has sent more of some topic than has arrived."""
        for topic, seq in seqs.items():
            if topic not in self.cursors:
                continue
            cursor = self.cursors[topic]
            if int(seq) > cursor[1] if cursor else not self.unanswered:
                self._lack(topic)
                return True
        return False

    def _lack(self, topic: str) -> Verdict:
        """Note a gap; after the second one at the same place a snapshot is wanted."""
        self.gaps += 1
        self._strikes[topic] = self._strikes.get(topic, 0) + 1
        if self._strikes[topic] > 1:
            self.cursors[topic] = None
        return Verdict.GAP
