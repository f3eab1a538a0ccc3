"""What was compiled before an upgrade in place is not used after it."""

import os
import subprocess
import sys
from pathlib import Path

ONE = """
from geo.compiling import compiled

@compiled
def one(x):
    return x + {}
"""
TWO = """
from geo.compiling import compiled
from one_kernel import one

@compiled
def two(x):
    return 2 * one(x)
"""


def answer(folder):
    child = subprocess.run(
        [sys.executable, "-c", "import two_kernel; print(two_kernel.two(1))"],
        env={**os.environ, "PYTHONPATH": f"{Path.cwd()}:{folder}", "PYTHONDONTWRITEBYTECODE": "1"},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return int(child.stdout)


def test_WALK_compiled_loops_go_stale_with_what_they_call(tmp_path):
    (tmp_path / "two_kernel.py").write_text(TWO)
    (tmp_path / "one_kernel.py").write_text(ONE.format(1))
    assert answer(tmp_path) == 4
    assert list((tmp_path / "__pycache__").glob("two_kernel.two-*.nbi"))
    (tmp_path / "one_kernel.py").write_text(ONE.format(5))
    assert answer(tmp_path) == 12
