"""One topic's way to a client: whatever the order of things, what it gets is whole, in order."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.protocol import HELD_MOST, REPLAY_MOST, Event, Mark
from realtime.stream import Step, Stream

AT = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)


def _event(seq: int, epoch: str = "e") -> Event:
    return Event("org:a", epoch, seq, "x", AT, "{}")


def _live(seq: int, epoch: str = "e") -> Stream:
    stream = Stream("org:a", Mark(epoch, seq))
    stream.arrive(Mark(epoch, seq))
    assert stream.release() == []
    assert stream.is_live
    return stream


def test_RT_3_the_next_event_is_sent_and_a_repeat_is_not() -> None:
    stream = _live(4)
    assert stream.offer(_event(5)) is Step.SEND
    assert stream.offer(_event(5)) is Step.NOTHING
    assert stream.offer(_event(3)) is Step.NOTHING
    assert stream.cursor == Mark("e", 5)


def test_a_gap_asks_for_a_load_and_holds_what_came() -> None:
    stream = _live(4)
    assert stream.offer(_event(6)) is Step.LOAD
    assert stream.offer(_event(7)) is Step.NOTHING
    stream.arrive(Mark("e", 5))
    assert [event.seq for event in stream.release()] == [6, 7]
    assert stream.is_live


def test_another_epoch_asks_for_a_load_that_cannot_replay() -> None:
    stream = _live(4)
    assert stream.offer(_event(5, "new")) is Step.LOAD
    assert not stream.may_replay(Mark("new", 5))
    stream.arrive(Mark("new", 5))
    assert stream.release() == []
    assert stream.is_live


def test_what_was_held_of_an_old_epoch_is_loaded_again_once() -> None:
    stream = Stream("org:a", None)
    stream.offer(_event(9, "old"))
    stream.arrive(Mark("new", 2))
    assert stream.release() == []
    assert not stream.is_live
    stream.arrive(Mark("new", 2))
    assert stream.release() == []
    assert stream.is_live


@pytest.mark.parametrize(
    ("cursor", "clock", "may"),
    [
        (None, Mark("e", 4), False),
        (Mark("e", 4), Mark("e", 4), True),
        (Mark("e", 0), Mark("e", REPLAY_MOST), True),
        (Mark("e", 0), Mark("e", REPLAY_MOST + 1), False),
        (Mark("e", 5), Mark("e", 4), False),
        (Mark("old", 4), Mark("e", 4), False),
        (Mark("", 0), Mark("", 0), False),
    ],
)
def test_RT_4_when_a_replay_is_possible(cursor: Mark | None, clock: Mark, may: bool) -> None:
    assert Stream("org:a", cursor).may_replay(clock) is may


def test_RT_4_a_replay_with_a_hole_is_none() -> None:
    stream, clock = Stream("org:a", Mark("e", 2)), Mark("e", 5)
    assert stream.is_whole([_event(3), _event(4), _event(5)], clock)
    assert not stream.is_whole([_event(4), _event(5)], clock)
    assert not stream.is_whole([], clock)
    assert stream.is_whole([], Mark("e", 2))


def test_more_than_fits_is_read_from_the_log_afterwards() -> None:
    stream = Stream("org:a", Mark("e", 0))
    for seq in range(1, HELD_MOST + 3):
        assert stream.offer(_event(seq)) is Step.NOTHING
    stream.arrive(Mark("e", 0))
    assert len(stream.release()) == HELD_MOST
    assert not stream.is_live
    stream.arrive(Mark("e", HELD_MOST + 2))
    assert stream.release() == []
    assert stream.is_live


def test_a_reload_during_a_load_is_not_forgotten() -> None:
    stream = Stream("org:a", Mark("e", 1))
    stream.reload()
    stream.arrive(Mark("e", 1))
    stream.release()
    assert not stream.is_live
    stream.arrive(Mark("new", 1))
    stream.release()
    assert stream.is_live


@dataclass
class _World:
    """A log, a tailer that hands its events to one stream, a loader, and what the client got."""

    stream: Stream
    client: Mark | None
    epoch: str = "e0"
    seq: int = 0
    handed: int = 0
    snapshots: int = 0
    faults: list[str] = field(default_factory=list)
    reading: tuple[Mark, list[Event] | None] | None = None

    def append(self) -> None:
        self.seq += 1

    def hand_on(self, *, skip: bool) -> None:
        """The tailer hands on the next event, or loses it."""
        if self.handed < self.seq:
            self.handed += 1
            event = _event(self.handed, self.epoch)
            if not skip and self.stream.offer(event) is Step.SEND:
                self.give(event)

    def repeat(self) -> None:
        """The tailer hands on an event again; it counts only where it was lost before."""
        event = _event(self.handed, self.epoch)
        if self.handed and self.stream.offer(event) is Step.SEND:
            self.give(event)

    def turn(self) -> None:
        """A restore: a new epoch, which the tailer finds at its next tick."""
        self.epoch += "'"
        self.handed = self.seq
        self.stream.reload()

    def read(self) -> None:
        """The loader's transaction: it sees the log as it is now."""
        if not self.stream.is_live:
            clock = Mark(self.epoch, self.seq)
            cursor = self.stream.cursor
            events = None
            if cursor is not None and self.stream.may_replay(clock):
                events = [_event(seq, clock.epoch) for seq in range(cursor.seq + 1, clock.seq + 1)]
            self.reading = (clock, events)

    def arrive(self) -> None:
        """The loader's answer, some time later."""
        if self.reading is None:
            return
        (clock, events), self.reading = self.reading, None
        if events is None:
            self.client = clock
            self.snapshots += 1
        for event in events or []:
            self.give(event)
        self.stream.arrive(clock)
        for event in self.stream.release():
            self.give(event)

    def give(self, event: Event) -> None:
        if self.client != Mark(event.epoch, event.seq - 1):
            self.faults.append(f"{event.seq} after {self.client}")
        self.client = Mark(event.epoch, event.seq)


_MOVES = st.lists(
    st.sampled_from(
        ["append", "append", "hand", "hand", "skip", "repeat", "read", "arrive", "turn"]
    ),
    max_size=60,
)


@settings(max_examples=400, deadline=None)
@given(moves=_MOVES, cursor=st.none() | st.integers(0, 6), start=st.integers(0, 6))
def test_RT_5_any_interleaving_of_replay_and_live_is_whole(
    moves: list[str], cursor: int | None, start: int
) -> None:
    mark = None if cursor is None else Mark("e0", cursor)
    world = _World(Stream("org:a", mark), mark, seq=start, handed=start)
    steps = {
        "append": world.append,
        "hand": lambda: world.hand_on(skip=False),
        "skip": lambda: world.hand_on(skip=True),
        "repeat": world.repeat,
        "read": world.read,
        "arrive": world.arrive,
        "turn": world.turn,
    }
    for move in moves:
        steps[move]()
    # Then the world calms down: the tailer catches up and every load is done.
    world.append()
    for _ in range(4):
        while world.handed < world.seq:
            world.hand_on(skip=False)
        world.read()
        world.arrive()

    assert world.faults == []
    assert world.client == Mark(world.epoch, world.seq)
    assert world.stream.is_live
