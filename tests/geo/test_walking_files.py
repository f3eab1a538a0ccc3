"""How a city's files are written, replaced and checked."""

import json
from pathlib import Path

import pytest
from town import Town, at, grid

from geo import walking, walking_build
from geo.walking import WalkingNetwork
from geo.walking_files import DamagedNetwork, Manifest

MPS = 1.0  # a metre a second: times read as level metres


def network_of(town: Town, tmp_path: Path) -> tuple[WalkingNetwork, Manifest]:
    manifest = walking_build.build(town.write(tmp_path / "town.osm"), tmp_path / "w", "town")
    return WalkingNetwork.load(tmp_path / "w", speed_mps=MPS), manifest


@pytest.mark.parametrize("name", ["", "Monaco", "../up", ".hidden", "a b"])
def test_a_city_s_name_is_a_plain_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a city"):
        walking_build.build(tmp_path / "none.osm", tmp_path, name)


def test_a_rebuild_replaces_the_city_and_leaves_nothing_behind(tmp_path: Path) -> None:
    old, first = network_of(grid(3), tmp_path)
    assert old.generation == walking.generation_of(tmp_path / "w") == first.build
    new, second = network_of(grid(4), tmp_path)
    assert new.generation == walking.generation_of(tmp_path / "w") == second.build
    assert len(list((tmp_path / "w").iterdir())) == 2  # the pointer and what it points to
    # Who has the old one mapped goes on as before.
    [travel] = old.times(at(0, 0), [at(200, 200)], within_s=1000)
    assert travel is not None
    assert travel.travel_s == pytest.approx(400, 0.001)


def test_cities_stand_side_by_side(tmp_path: Path) -> None:
    for name in ("one", "two"):
        town = grid(3) if name == "one" else Town()
        if name == "two":
            town.node("a", 100_000, 0)
            town.node("b", 100_100, 0)
            town.way("a b")
        walking_build.build(town.write(tmp_path / f"{name}.osm"), tmp_path / "w", name)
    network = WalkingNetwork.load(tmp_path / "w", speed_mps=MPS)
    for east in (0, 100_000):
        [travel] = network.times(at(east, 0), [at(east + 100, 0)], within_s=1000)
        assert travel is not None
        assert travel.source is walking.EtaSource.NETWORK
        assert travel.travel_s == pytest.approx(100, 0.01)


def test_damage_is_named_and_not_used(tmp_path: Path) -> None:
    network_of(grid(3), tmp_path)
    manifest = tmp_path / "w" / "town" / "manifest.json"
    text = manifest.read_text()
    manifest.write_text(json.dumps(json.loads(text) | {"format": 0}))
    with pytest.raises(DamagedNetwork, match="another version"):
        WalkingNetwork.load(tmp_path / "w", speed_mps=MPS)
    manifest.write_text(json.dumps(json.loads(text) | {"chains": 7}))
    with pytest.raises(DamagedNetwork, match="do not fit"):
        WalkingNetwork.load(tmp_path / "w", speed_mps=MPS)
    manifest.write_text(text)
    manifest.write_text(json.dumps(json.loads(text) | {"doors": 7}))
    with pytest.raises(DamagedNetwork, match="do not fit"):
        WalkingNetwork.load(tmp_path / "w", speed_mps=MPS)
    manifest.write_text(text)
    (tmp_path / "w" / "town" / "out_node.npy").unlink()
    with pytest.raises(DamagedNetwork, match="routing build"):
        WalkingNetwork.load(tmp_path / "w", speed_mps=MPS)


def test_progress_ends_at_the_whole(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    source = grid(2).write(tmp_path / "town.osm")
    walking_build.build(source, tmp_path, "town", progress=lambda *told_: told.append(told_))
    assert [share for _, share in told] == sorted(share for _, share in told)
    assert told[0] == ("read", 0.0)
    assert told[-1] == ("save", 1.0)
