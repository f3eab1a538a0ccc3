"""PURE  One topic's way to one client: replay or snapshot first, live events held meanwhile.

The rule that everything here serves: what a client is given of a topic is a snapshot at N or its
own cursor N, and then N+1, N+2, … without a gap, a repeat or a change of order.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

from realtime.protocol import HELD_MOST, REPLAY_MOST, Event, Mark


class Step(Enum):
    """What to do with a live event."""

    SEND = auto()
    NOTHING = auto()  # held until the load is done, or had before
    LOAD = auto()  # a number is missing or the epoch has changed: load the topic, then go on


class Place(Enum):
    """Where an event stands relative to what the client has."""

    HAD = auto()
    NEXT = auto()
    BEYOND = auto()


class Stream:
    """A topic as one client has it.

    It begins loading. The carrier reads clock, events or else a snapshot in one repeatable-read
    transaction, sends them, says `arrive`, and takes the held events by `release`.
    """

    __slots__ = ("_held", "_must_repeat", "cursor", "is_live", "topic")

    def __init__(self, topic: str, cursor: Mark | None) -> None:
        self.topic = topic
        #: The last event that the client has, or was sent; None before anything.
        self.cursor = cursor
        self.is_live = False
        self._held: list[Event] = []
        self._must_repeat = False

    def offer(self, event: Event) -> Step:
        """Take a live event, in whatever order it comes."""
        if not self.is_live:
            self._hold(event)
            return Step.NOTHING
        match self._place(event):
            case Place.NEXT:
                self.cursor = event.mark
                return Step.SEND
            case Place.HAD:
                return Step.NOTHING
            case Place.BEYOND:
                self.is_live = False
                self._hold(event)
                return Step.LOAD

    def has(self, event: Event) -> bool:
        """Say whether the client was sent this event, as an event or within a snapshot."""
        return self.is_live and self.cursor is not None and self._place(event) is Place.HAD

    def reload(self) -> None:
        """Load again from the cursor; a load that is under way now is not the last one."""
        self._must_repeat = not self.is_live
        self.is_live = False

    def may_replay(self, clock: Mark) -> bool:
        """Say whether the events after the cursor are worth reading, now that the clock is known.

        Not with another epoch (the past is another one), not with a cursor from the future, and
        not when so much was missed that a snapshot is smaller.
        """
        cursor = self.cursor
        return (
            cursor is not None
            and cursor.epoch != ""
            and cursor.epoch == clock.epoch
            and 0 <= clock.seq - cursor.seq <= REPLAY_MOST
        )

    def is_whole(self, events: Sequence[Event], clock: Mark) -> bool:
        """Say whether these are all the events from the cursor to the clock, none trimmed."""
        if self.cursor is None or not self.may_replay(clock):
            return False
        return [event.seq for event in events] == list(range(self.cursor.seq + 1, clock.seq + 1))

    def arrive(self, clock: Mark) -> None:
        """Set the cursor where the replay ended, or where the snapshot was taken."""
        self.cursor = clock

    def release(self) -> list[Event]:
        """Return the held events that follow, and go live, unless more must be loaded first."""
        held, self._held = self._held, []
        is_whole, self._must_repeat = not self._must_repeat, False
        following = []
        for event in held:
            match self._place(event):
                case Place.NEXT:
                    self.cursor = event.mark
                    following.append(event)
                case Place.BEYOND:
                    is_whole = False
                case Place.HAD:
                    pass
        self.is_live = is_whole
        return following

    def _hold(self, event: Event) -> None:
        if len(self._held) < HELD_MOST:
            self._held.append(event)
        else:
            self._must_repeat = True

    def _place(self, event: Event) -> Place:
        cursor = self.cursor
        if cursor is None or event.epoch != cursor.epoch:
            return Place.BEYOND
        if event.seq <= cursor.seq:
            return Place.HAD
        return Place.NEXT if event.seq == cursor.seq + 1 else Place.BEYOND
