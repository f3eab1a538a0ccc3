"""What a build leaves that was killed, and who may remove it."""

import os
from pathlib import Path

from geo import walking_builds

NOW_S = 1_800_000_000.0
DAY_S = 86_400.0


def half_built(folder: Path, build: str) -> Path:
    """Begin to write a city as a builder does."""
    fresh = folder / f".town.{build}"
    fresh.mkdir()
    (fresh / "out_node.npy").write_bytes(b"half")
    return fresh


def test_WLK_32_what_a_killed_build_left_is_removed_at_the_next_one(tmp_path: Path) -> None:
    dead, alive, used = (walking_builds.hold(tmp_path, "town") for _ in range(3))
    folders = {hold.build: half_built(tmp_path, hold.build) for hold in (dead, alive, used)}
    (tmp_path / f".town.{dead.build}.link").symlink_to("nowhere")
    (tmp_path / "town").symlink_to(folders[used.build].name)
    dead.file.close()  # as when all who had it open were killed
    used.file.close()  # killed after the swap
    walking_builds.remove_left_overs(tmp_path, now_s=NOW_S)
    names = {path.name for path in tmp_path.iterdir()}
    kept = {folders[alive.build].name, folders[used.build].name, "town"}
    assert names == kept | {f".town.{alive.build}.lock"}
    alive.release()
    assert {path.name for path in tmp_path.iterdir()} == kept


def test_WLK_32_what_has_no_lock_is_removed_when_it_is_old(tmp_path: Path) -> None:
    old, young, used = (half_built(tmp_path, letter * 12) for letter in "abc")
    other = tmp_path / ".keep"
    other.mkdir()
    (tmp_path / "town").symlink_to(used.name)
    for path in (old, used, other):
        os.utime(path, (NOW_S - 2 * DAY_S, NOW_S - 2 * DAY_S))
    os.utime(young, (NOW_S, NOW_S))
    walking_builds.remove_left_overs(tmp_path, now_s=NOW_S)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {young.name, used.name, other.name, "town"}
