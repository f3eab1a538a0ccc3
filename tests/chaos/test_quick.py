"""The harness itself: a short battle against the real program, and one against a mutant."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import schedules

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]


def _chaos(folder: Path, *words: str, within_s: float) -> list[dict[str, Any]]:
    """Run the program, on a machine that does much else, and give its lines of JSON."""
    command = [sys.executable, "-m", "tests.chaos", *words, "--patience", "6", "--out", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=within_s, check=False
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.alone
def test_CHA_5_a_short_battle_is_won(tmp_path: Path) -> None:
    (said,) = _chaos(tmp_path, "quick", "--only", "N1", "--only", "N5", within_s=400)
    assert said["valid"] == "true", (tmp_path / "report.txt").read_text()
    assert said["ok"] >= 5
    assert (tmp_path / "history.jsonl").exists()
    assert (tmp_path / "latency.png").exists()


@pytest.mark.long
def test_CHA_5_the_quick_set_is_won(tmp_path: Path) -> None:
    (said,) = _chaos(tmp_path, "quick", within_s=900)
    assert said["valid"] == "true", (tmp_path / "report.txt").read_text()


@pytest.mark.long
@pytest.mark.parametrize("mutant", schedules.MUTANTS)
def test_CHA_6_each_mutant_is_rejected_and_the_program_passes(tmp_path: Path, mutant: str) -> None:
    *_, last = _chaos(tmp_path, "mutants", "--mutant", mutant, within_s=900)
    assert last["wrong"] == []
