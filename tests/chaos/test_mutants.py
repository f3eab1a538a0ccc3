"""Whether every mutant still finds the place that it breaks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos import schedules
from tests.chaos.mutants import proof
from tests.chaos.mutants.patches import MUTANTS

ROOT = Path(__file__).resolve().parents[2]
_APPLY_ALL = "from tests.chaos.mutants.patches import MUTANTS; [f() for f in MUTANTS.values()]"


def test_CHA_6_there_are_fourteen_mutants() -> None:
    assert list(schedules.MUTANTS) == [f"M{number}" for number in range(1, 15)]
    assert set(MUTANTS) == set(schedules.MUTANTS) - {"M4", "M8"}  # habits of the phones


def test_CHA_7_every_mutant_finds_the_place_that_it_breaks() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _APPLY_ALL], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_CHA_7_a_mutant_without_its_place_is_an_error() -> None:
    with pytest.raises(LookupError, match="aim the mutant"):
        proof.put(proof, "nothing_of_this_name", None)


def test_CHA_7_a_mutant_is_believed_only_where_a_log_tells_of_it(
    capfd: pytest.CaptureFixture[str],
) -> None:
    proof.ran("M99")
    log = capfd.readouterr().out
    assert proof.was_run("M99", log)
    assert not proof.was_run("M98", log)
