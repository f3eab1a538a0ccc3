"""The simulated loop itself: time, order, and what it refuses."""

import asyncio
import hashlib
import os
import random
import socket
import subprocess
import sys
import threading
import time

import pytest

from tests.simulated import world
from tests.simulated.loop import RefusedIO, SimulatedLoop, Stuck

SEEDS = (3, 8)


def _loop(seed: int = 1) -> SimulatedLoop:
    return SimulatedLoop(random.Random(seed))


def test_SEED_1_a_second_passes_when_nothing_else_is_to_be_done() -> None:
    loop = _loop()

    async def main() -> float:
        async with asyncio.timeout(7_200):
            await asyncio.sleep(3_600)
        return loop.time()

    assert loop.run(main()) == 3_600


def test_SEED_1_chance_alone_decides_what_of_one_instant_comes_first() -> None:
    async def main() -> list[int]:
        order: list[int] = []
        loop = asyncio.get_running_loop()
        for number in range(8):
            loop.call_later(1, order.append, number)
        await asyncio.sleep(2)
        return order

    orders = [_loop(seed).run(main()) for seed in (1, 1, 2, 3)]
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders}) == 3


def test_SEED_1_a_seed_is_one_history_in_every_process() -> None:
    known = [_history(seed) for seed in SEEDS]
    assert [_history(seed) for seed in SEEDS] == known
    code = "from tests.simulated import test_loop as t; print(*[t._history(s) for s in t.SEEDS])"
    other = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.split() == known


def _history(seed: int) -> str:
    outcome = world.run(seed, is_traced=True)
    assert len(outcome.trace) > 100
    return hashlib.sha256("\n".join(outcome.trace).encode()).hexdigest()


def _open_socket() -> None:
    socket.socket().close()


def _start_thread() -> None:
    threading.Thread(target=_open_socket).start()


def _sleep() -> None:
    time.sleep(0)


def _ask_executor() -> None:
    asyncio.get_running_loop().run_in_executor(None, _sleep)


def _speak_from_elsewhere() -> None:
    asyncio.get_running_loop().call_soon_threadsafe(_sleep)


@pytest.mark.parametrize(
    "reach", [_open_socket, _start_thread, _sleep, _ask_executor, _speak_from_elsewhere]
)
def test_SEED_2_the_real_world_is_out_of_reach(reach: object) -> None:
    async def main() -> None:
        assert callable(reach)
        reach()

    with pytest.raises(RefusedIO):
        _loop().run(main())
    _open_socket()
    _sleep()


def test_SEED_2_who_waits_for_nothing_is_found() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Stuck):
        _loop().run(main())


def test_SEED_2_who_never_lets_time_pass_is_found() -> None:
    async def main() -> None:
        while True:  # noqa: ASYNC110  # this is what must be found
            await asyncio.sleep(0)

    with pytest.raises(Stuck):
        _loop().run(main())


def test_SEED_2_a_failure_that_nobody_asks_for_is_known() -> None:
    loop = _loop()

    async def fail() -> None:
        raise ValueError("nobody asks")

    async def main() -> None:
        failing = asyncio.create_task(fail(), name="failing")
        await asyncio.wait({failing})

    loop.run(main())
    assert loop.swallowed() == ["failing: ValueError('nobody asks')"]
    loop.tasks[-1].exception()
