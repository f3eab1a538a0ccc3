"""What becomes a street, what becomes of it, and how a city's files are replaced."""

import json
from pathlib import Path

import pytest
from town import Town, at, grid

from geo import streets, walking, walking_build, walking_files
from geo.walking import Travel, WalkingNetwork
from geo.walking_files import DamagedNetwork, Manifest

MPS = 1.0  # a metre a second: times read as level metres


def network_of(town: Town, tmp_path: Path) -> tuple[WalkingNetwork, Manifest]:
    manifest = walking_build.build(town.write(tmp_path / "town.osm"), tmp_path / "w", "town")
    return WalkingNetwork.load(tmp_path / "w", speed_mps=MPS), manifest


def straight_street(tmp_path: Path, **tags: str) -> Manifest:
    """Build a town of one plain street and one street under test beside it, twice as long."""
    town = Town()
    for name, east in (("a", 0), ("b", 100), ("c", 300)):
        town.node(name, east, 0)
    town.way("a b")
    town.way("b c", **{"highway": None} | tags)
    return network_of(town, tmp_path)[1]


@pytest.mark.parametrize(
    ("tags", "walked"),
    [
        ({"highway": "footway"}, True),
        ({"highway": "steps"}, True),
        ({"highway": "cycleway"}, True),
        ({"highway": "service", "access": "private"}, False),
        ({"highway": "service", "access": "no", "foot": "yes"}, True),
        ({"highway": "service", "access": "permissive"}, True),
        ({"highway": "residential", "foot": "no"}, False),
        ({"highway": "residential", "foot": "use_sidepath"}, False),
        ({"highway": "footway", "foot": "private"}, False),
        ({"highway": "footway", "oneway": "yes"}, True),
        ({"highway": "trunk"}, False),
        ({"highway": "trunk", "foot": "yes"}, True),
        ({"highway": "trunk", "sidewalk": "both"}, True),
        ({"highway": "trunk", "sidewalk": "both", "foot": "no"}, False),
        ({"highway": "motorway", "foot": "yes"}, False),
        ({"highway": "construction", "foot": "yes"}, False),
        ({"highway": "proposed"}, False),
        ({"route": "ferry", "foot": "yes"}, False),
    ],
)
def test_tags_decide_what_may_be_walked(
    tmp_path: Path, tags: dict[str, str], *, walked: bool
) -> None:
    assert straight_street(tmp_path, **tags).length_m == pytest.approx(
        300 if walked else 100, 0.001
    )


def test_stairs_take_longer_than_they_are(tmp_path: Path) -> None:
    town = Town()
    for name, east in (("a", 0), ("b", 100), ("c", 200)):
        town.node(name, east, 0)
    town.way("a b")
    town.way("b c", "steps")
    network, manifest = network_of(town, tmp_path)
    assert manifest.stairs_m == pytest.approx(100, 0.001)
    [travel] = network.times(at(0, 0), [at(200, 0)], within_s=1000)
    assert travel is not None
    assert travel.travel_s == pytest.approx(240, 0.001)
    assert travel.distance_m == pytest.approx(200, 0.001)


def test_a_shut_gate_stops_and_an_open_one_does_not(tmp_path: Path) -> None:
    for access, seconds, behind_s in (("private", 300, 349), ("yes", 100, 51)):
        town = Town()
        for name, east, north in (("a", 0, 0), ("b", 100, 0), ("c", 0, 100), ("d", 100, 100)):
            town.node(name, east, north)
        town.node("gate", 50, 0, barrier="gate", access=access)
        town.way("a gate b")
        town.way("a c d b")
        network, _ = network_of(town, tmp_path)
        [travel] = network.times(at(0, 0), [at(100, 0)], within_s=1000)
        assert travel is not None
        assert travel.travel_s == pytest.approx(seconds, 0.001)
        # Up to the gate one may walk, from either side.
        before, behind = network.times(at(0, 0), [at(49, 0), at(51, 0)], within_s=1000)
        assert before is not None
        assert behind is not None
        assert before.travel_s == pytest.approx(49, 0.01)
        assert behind.travel_s == pytest.approx(behind_s, 0.01)


def test_nobody_is_put_into_a_tunnel_yet_one_walks_through(tmp_path: Path) -> None:
    town = Town()
    for name, east, north in (("a", 0, 0), ("b", 200, 0), ("c", 0, 60), ("d", 200, 60)):
        town.node(name, east, north)
    town.way("a b", tunnel="yes")
    town.way("a c")
    town.way("b d")
    network, _ = network_of(town, tmp_path)
    place = at(90, 10)  # 10 m from the tunnel, 90 m from the street
    way = network.way(place, at(200, 60), within_s=1000)
    assert way is not None
    # 90 m to the street, 10 m down it, 200 m through the tunnel, 60 m up to the other end.
    assert way.travel.travel_s == pytest.approx(90 + 10 + 200 + 60, 0.01)


def test_only_the_largest_part_stays_and_the_rest_is_counted(tmp_path: Path) -> None:
    town = grid(3)
    town.node("x", 1000, 0)
    town.node("y", 1200, 0)
    town.way("x y")
    _, manifest = network_of(town, tmp_path)
    assert manifest.dropped_nodes == 2
    assert manifest.dropped_m == pytest.approx(200, 0.001)
    assert manifest.length_m == pytest.approx(1200, 0.001)


def test_chains_keep_their_shape_and_junctions_are_few(tmp_path: Path) -> None:
    town = Town()
    for i in range(11):
        town.node(f"p{i}", 10 * i, (i % 2) * 10)  # a zigzag
    town.way(" ".join(f"p{i}" for i in range(11)))
    network, manifest = network_of(town, tmp_path)
    assert (manifest.junctions, manifest.chains, manifest.streets) == (2, 1, 10)
    way = network.way(at(0, 0), at(100, 0), within_s=1000)
    assert way is not None
    assert len(way.line) >= 11
    assert way.travel.travel_s == pytest.approx(10 * 200**0.5, 0.001)


def test_a_lone_ring_is_walked_the_shorter_way_round(tmp_path: Path) -> None:
    town = Town()
    for name, east, north in (("a", 0, 0), ("b", 100, 0), ("c", 100, 100), ("d", 0, 100)):
        town.node(name, east, north)
    town.way("a b c d a")
    network, manifest = network_of(town, tmp_path)
    assert (manifest.junctions, manifest.chains) == (1, 1)
    places = [at(50, 0), at(100, 50), at(50, 100), at(0, 50)]
    for i, place in enumerate(places):
        times = network.times(place, places, within_s=1000)
        metres = [travel.distance_m for travel in times if travel is not None]
        expected = [min((i - j) % 4, (j - i) % 4) * 100 for j in range(4)]
        assert metres == pytest.approx(expected, abs=0.5)


def test_parallel_streets_count_by_the_quickest(tmp_path: Path) -> None:
    town = Town()
    town.node("a", 0, 0)
    town.node("b", 100, 0)
    town.way("a b", "steps")
    town.way("b a", "footway")
    network, manifest = network_of(town, tmp_path)
    assert manifest.streets == 1
    [travel] = network.times(at(0, 0), [at(100, 0)], within_s=1000)
    assert isinstance(travel, Travel)
    assert travel.travel_s == pytest.approx(100, 0.001)


def test_a_way_that_leaves_the_extract_is_cut_there(tmp_path: Path) -> None:
    town = Town()
    town.node("a", 0, 0)
    town.node("b", 100, 0)
    town.way("missing a b missing")
    assert network_of(town, tmp_path)[1].length_m == pytest.approx(100, 0.001)


def test_a_file_without_streets_is_refused(tmp_path: Path) -> None:
    town = Town()
    town.node("a", 0, 0)
    town.node("b", 100, 0)
    town.way("a b", "motorway")
    with pytest.raises(walking_build.NoStreets):
        network_of(town, tmp_path)
    assert list((tmp_path / "w").glob("*")) == []


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


def test_the_rules_in_the_documentation_are_the_rules(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "walking.md").read_text(encoding="utf-8")
    for name in streets.STREETS | streets.STREETS_IF_ALLOWED | streets.GATES:
        assert f"`{name}`" in text
    assert f"{walking.SNAP_M:.0f} m" in text
    assert walking_files.FORMAT >= 1
