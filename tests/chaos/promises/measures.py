"""PURE. Times and counts read from the history of a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from tests.chaos.history import INFO, INVOKE, OK, Row
from tests.chaos.run import Span


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alert on one phone: when the request was answered, when the phone had it."""

    device: str
    alert: str
    answered: float
    shown: float

    @property
    def took_s(self) -> float:
        """How long after the answer; the frame may be there before it."""
        return max(0.0, self.shown - self.answered)


def deliveries(rows: Sequence[Row]) -> list[Delivery]:
    """Pair each alert that was received with the first 2xx of its request."""
    answered = {
        str(row.v["incident"]): row.t
        for row in reversed(rows)
        if row.f == "alert" and row.type == OK
    }
    return [
        Delivery(row.p, row.key or "", answered[row.v["incident"]], row.t)
        for row in rows
        if row.f == "shown" and row.type == OK and row.v["incident"] in answered
    ]


def within(found: Iterable[Delivery], span: Span) -> list[Delivery]:
    """Keep those whose request was answered within a span."""
    return [one for one in found if span[0] <= one.answered < span[1]]


def requests(rows: Iterable[Row], f: str, span: Span) -> list[Row]:
    """List how the requests of one kind that were sent within a span were answered."""
    return [
        row
        for row in rows
        if row.f == f and row.type not in {INVOKE, "net"}
        and span[0] <= row.t - row.v.get("ms", 0) / 1000 < span[1]
    ]  # fmt: skip


def times_s(found: Iterable[Row]) -> list[float]:
    """Say how long requests took that were answered."""
    return [row.v["ms"] / 1000 for row in found if row.type != INFO]


def unanswered(found: Iterable[Row]) -> list[Row]:
    """List the tries that ended in nothing definite."""
    return [row for row in found if row.type == INFO]


def tries(rows: Iterable[Row], f: str) -> dict[str, int]:
    """Say of each key how often it was sent."""
    sent: dict[str, int] = defaultdict(int)
    for row in rows:
        if row.f == f and row.type == INVOKE and row.key is not None:
            sent[row.key] += 1
    return sent


def connected_to(rows: Iterable[Row], at: float) -> dict[str, int]:
    """Say for each device that is connected at a time to which process."""
    found: dict[str, int] = {}
    for row in rows:
        if row.t > at:
            break
        if row.f == "connected":
            found[row.p] = row.v["app"]
        elif row.f in {"lost", "restarted", "refused"}:
            found.pop(row.p, None)
    return found


def next_of(rows: Iterable[Row], device: str, f: str, after: float) -> Row | None:
    """Find what a device notes next of one kind."""
    return next((row for row in rows if row.t > after and row.p == device and row.f == f), None)


def back_after(rows: Sequence[Row], devices: Iterable[str], at: float) -> Iterator[float]:
    """Say how long after a time each device was connected again; never is infinite."""
    wanted = set(devices)
    for row in rows:
        if row.t > at and row.f == "connected" and row.p in wanted:
            wanted.discard(row.p)
            yield row.t - at
    yield from (float("inf") for _ in wanted)


def lost(rows: Iterable[Row], span: Span, who: Callable[[str], bool] = bool) -> list[Row]:
    """List the connections that ended within a span."""
    return [row for row in rows if row.f == "lost" and span[0] <= row.t < span[1] and who(row.p)]
