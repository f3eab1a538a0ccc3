"""Play many incidents under several policies: the same incidents, the same luck, any processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dispatch import matching
from dispatch.simulation import outcome, play, poisson
from dispatch.simulation.case import Case
from dispatch.simulation.world import World

#: Incidents that a process takes at a time.
_CHUNK = 20


class Source(Protocol):
    """Where incidents come from; it has to pickle."""

    def case_of(self, world: World, seed: int, number: int) -> Case:
        """Return one incident: always the same for the same three."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Poisson fields."""

    def case_of(self, world: World, seed: int, number: int) -> Case:
        """Draw an incident."""
        return poisson.case_of(world, seed, number)


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be played."""

    policies: tuple[matching.Policy, ...]
    world: World
    source: Source
    seed: int
    incidents: int


@dataclass(frozen=True, slots=True)
class Results:
    """Every number of every incident: (policies, incidents, columns of `outcome.COLUMNS`)."""

    numbers: NDArray[np.float64]
    districts: Sequence[str]


_Chunk = tuple[NDArray[np.float64], list[str]]


def simulate(
    request: Request,
    *,
    processes: int = 1,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Results:
    """Play everything; `on_progress` hears how many incidents are done."""
    numbers, districts, done = [], list[str](), 0
    for found, names in _chunks(request, processes):
        numbers.append(found)
        districts += names
        done += len(names)
        on_progress(done)
    if not numbers:
        raise ValueError("incidents must be at least 1")
    return Results(np.concatenate(numbers, axis=1), districts)


def _chunks(request: Request, processes: int) -> Iterator[_Chunk]:
    """Give the chunks in order."""
    starts = range(0, request.incidents, _CHUNK)
    ranges = [range(start, min(start + _CHUNK, request.incidents)) for start in starts]
    if processes <= 1 or len(ranges) <= 1:
        _begin(request)
        yield from map(_play_chunk, ranges)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        min(processes, len(ranges)), context, initializer=_begin, initargs=(request,)
    ) as pool:
        yield from pool.map(_play_chunk, ranges)


#: What the process plays; a pool hands it over once.
_requests: list[Request] = []


def _begin(request: Request) -> None:
    _requests[:] = [request]
    matching.warm_up()


def _play_chunk(numbers: range) -> _Chunk:
    request = _requests[0]
    found = np.empty((len(request.policies), len(numbers), len(outcome.COLUMNS)))
    districts = []
    for place, number in enumerate(numbers):
        case = request.source.case_of(request.world, request.seed, number)
        districts.append(case.ground.district)
        for row, policy in enumerate(request.policies):
            played = play.play(policy, case, request.world)
            found[row, place] = outcome.row(played, case, request.world)
    return found, districts
