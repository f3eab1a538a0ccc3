"""Is the simulation awake? Each planted bug has to be found by one of the five hundred seeds."""

import pytest

from tests.simulated import mutants, world
from tests.simulated.test_seeds import SEEDS


@pytest.mark.parametrize("name", sorted(mutants.MUTANTS))
def test_SEED_4_each_planted_bug_is_found(name: str) -> None:
    with mutants.planted(name):
        found = next((seed for seed in range(SEEDS) if world.run(seed).findings), None)
    assert found is not None, f"{name} lived through {SEEDS} seeds"
    print(f"{name}: found by seed {found}")
