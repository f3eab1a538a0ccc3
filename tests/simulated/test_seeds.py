"""Five hundred worlds; with GOLDEN_TEST_LONG=1 twenty thousand others."""

import pytest

from tests.simulated import world

SEEDS = 500
IN_ONE = 50
LONG_SEEDS = 20_000
LONG_IN_ONE = 500


def _parts(first: int, last: int, size: int) -> list[object]:
    """Share the seeds out, so that several test processes take some each."""
    return [
        pytest.param(
            range(start, start + size),
            id=f"{start}-{start + size - 1}",
            marks=pytest.mark.xdist_group(f"worlds {start}"),
        )
        for start in range(first, last, size)
    ]


@pytest.mark.parametrize("seeds", _parts(0, SEEDS, IN_ONE))
def test_SEED_3_nothing_is_lost_and_nothing_comes_twice(seeds: range) -> None:
    _live(seeds)


@pytest.mark.long
@pytest.mark.parametrize("seeds", _parts(SEEDS, SEEDS + LONG_SEEDS, LONG_IN_ONE))
def test_SEED_3_nor_in_twenty_thousand_others(seeds: range) -> None:
    _live(seeds)


def _live(seeds: range) -> None:
    promises = shown = 0
    for seed in seeds:
        outcome = world.run(seed)
        if outcome.findings:
            again = f"python -m tests.simulated {seed} --trace"
            pytest.fail("\n".join([f"seed {seed}; again with: {again}", *outcome.findings]))
        promises += outcome.seen.get("kept", 0)
        shown += outcome.seen.get("shown", 0)
    # A world in which nobody is ever well, or asked, would find nothing.
    assert promises > len(seeds)
    assert shown > len(seeds)
