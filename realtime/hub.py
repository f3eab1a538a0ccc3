"""This process's connections by topic: who gets what, written once for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

import orjson

from realtime import protocol
from realtime.connection import QUEUE_MOST, Connection
from realtime.protocol import Close, Event, Mark

#: Heartbeats are handed out to this many parts of the connections, one after the other.
TURNS = 10


class Hub:
    """Hands the log's events to the connections of their topics; nothing here waits."""

    def __init__(self) -> None:
        self.connections: set[Connection] = set()
        self._by_turn: tuple[set[Connection], ...] = tuple(set() for _ in range(TURNS))
        #: Where each topic with listeners stands in this process; the tailer reads on from here.
        self.marks: dict[str, Mark] = {}
        self._listeners: dict[str, set[Connection]] = {}
        self._moving: dict[str, dict[str, orjson.Fragment]] = {}
        #: What is broken in the way of an alert, as consoles are told with every heartbeat.
        self.troubles: Sequence[Mapping[str, object]] = ()
        # For the metrics; whoever closes a socket counts it.
        self.events_sent = 0
        self.events_repeated = 0
        self.closed: Counter[Close] = Counter()

    def join(self, connection: Connection, topic: str) -> None:
        """Let a connection hear a topic; its stream must stand in `connection.streams`."""
        if connection not in self.connections:
            self.connections.add(connection)
            min(self._by_turn, key=len).add(connection)
        self._listeners.setdefault(topic, set()).add(connection)

    def overhear(self, connection: Connection, topic: str) -> None:
        """Let this process's own ear hear a topic: no client, so it is not counted nor beaten."""
        self._listeners.setdefault(topic, set()).add(connection)

    def alarm(self, troubles: Sequence[Mapping[str, object]]) -> None:
        """Tell consoles what is broken now, with a heartbeat at the next tick if that changed."""
        if troubles == self.troubles:
            return
        self.troubles = troubles
        for connection in self.connections:
            if connection.is_console:
                connection.next_beat_at = 0.0

    def part(self, connection: Connection, topic: str) -> None:
        """Let a connection hear a topic no more."""
        connection.streams.pop(topic, None)
        listeners = self._listeners.get(topic, set())
        listeners.discard(connection)
        if not listeners:
            self._listeners.pop(topic, None)
            self.marks.pop(topic, None)
            self._moving.pop(topic, None)

    def leave(self, connection: Connection) -> None:
        """Forget a connection."""
        for topic in list(connection.streams):
            self.part(connection, topic)
        self.connections.discard(connection)
        for some in self._by_turn:
            some.discard(connection)

    def follow(self, topic: str, mark: Mark) -> None:
        """Say where a topic stood when somebody loaded it; the tailer follows it from there.

        Only the first word counts: once followed, the tailer knows better.
        """
        if topic in self._listeners:
            self.marks.setdefault(topic, mark)

    def publish(self, events: Iterable[Event]) -> None:
        """Hand on events, which come in order per topic; those handed on before are left out."""
        for event in events:
            mark = self.marks.get(event.topic)
            if mark is None or (mark.epoch == event.epoch and event.seq <= mark.seq):
                continue
            self.marks[event.topic] = event.mark
            listeners = self._listeners.get(event.topic, ())
            frame = protocol.event(event)
            self.events_sent += len(listeners)
            for connection in listeners:
                connection.offer(event, frame)

    def listeners(self, topic: str) -> Collection[Connection]:
        """Return the connections that hear a topic in this process."""
        return self._listeners.get(topic, ())

    def heard_of(self, kind: str) -> list[str]:
        """Return the names of the topics of a kind, such as `person:`, that somebody hears here."""
        return [topic.removeprefix(kind) for topic in self._listeners if topic.startswith(kind)]

    def repeat(self, event: Event) -> None:
        """Send an event again to those who had it, as no ack has come."""
        frame = protocol.event(event, redelivered=True)
        sent = [connection.repeat(event, frame) for connection in self.listeners(event.topic)]
        self.events_repeated += sum(sent)

    @property
    def is_backed_up(self) -> bool:
        """Say whether somebody who is still served has half a queue to read."""
        return any(
            connection.closing is None and connection.backlog > QUEUE_MOST // 2
            for connection in self.connections
        )

    def turn(self, topic: str, clock: Mark) -> None:
        """A topic has a new epoch, or lost events: everybody loads it again."""
        if topic in self.marks:
            self.marks[topic] = clock
            for connection in self._listeners.get(topic, ()):
                connection.reload(topic)

    def move(self, topics: Sequence[str], who: str, item: orjson.Fragment) -> None:
        """Note where somebody is, for the next `tick`; the latest place of each person wins."""
        for topic in topics:
            if topic in self._listeners:
                self._moving.setdefault(topic, {})[who] = item

    def tick(self, monotonic: float, *, server_time: datetime, turn: int | None = None) -> None:
        """Hand out positions and the heartbeats that are due; called a few times a second.

        With a `turn`, one of `TURNS`, only to the connections that have theirs: thousands of frames
        at once would hold up alarms.
        """
        self._beat(
            self.connections if turn is None else self._by_turn[turn], monotonic, server_time
        )
        if turn:
            return
        moving, self._moving = self._moving, {}
        for topic, items in moving.items():
            for connection in self._listeners.get(topic, ()):
                connection.move(topic, items)

    def _beat(
        self, connections: Iterable[Connection], monotonic: float, server_time: datetime
    ) -> None:
        for connection in connections:
            if connection.next_beat_at <= monotonic:
                connection.next_beat_at = monotonic + connection.heartbeat_s
                connection.beat(server_time, self.troubles)

    def disconnect(self, person: str, code: Close = Close.SIGN_IN_AGAIN) -> None:
        """Close every connection of a person, whose rights have changed."""
        for connection in self.connections:
            if connection.person == person:
                connection.close(code)

    def close_all(self, code: Close = Close.RESTARTING) -> None:
        """Close every connection."""
        for connection in self.connections:
            connection.close(code)

    def cursors(self) -> Mapping[str, Mark]:
        """Return the followed topics with their marks, as they are now."""
        return dict(self.marks)
