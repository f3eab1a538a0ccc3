"""What becomes a street, and what becomes of it."""

from pathlib import Path

import numpy as np
import pytest
from town import Town, at, grid

from geo import streets, walking, walking_build, walking_format
from geo.position import Position
from geo.walking import EtaSource, Travel, WalkingNetwork
from geo.walking_files import Manifest

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
        ({"highway": "service", "access": "no"}, False),
        ({"highway": "service", "access": "private"}, True),
        ({"highway": "footway", "foot": "military"}, False),
        ({"highway": "service", "access": "no", "foot": "yes"}, True),
        ({"highway": "service", "access": "permissive"}, True),
        ({"highway": "residential", "foot": "no"}, False),
        ({"highway": "residential", "foot": "use_sidepath"}, False),
        ({"highway": "footway", "foot": "no", "access": "private"}, False),
        ({"highway": "footway", "oneway": "yes"}, True),
        ({"highway": "trunk"}, True),
        ({"highway": "trunk", "motorroad": "yes"}, False),
        ({"highway": "trunk", "motorroad": "yes", "foot": "yes"}, True),
        ({"highway": "trunk", "foot": "no"}, False),
        ({"highway": "busway"}, False),
        ({"highway": "busway", "foot": "yes"}, True),
        ({"highway": "busway", "sidewalk": "both"}, True),
        ({"highway": "busway", "sidewalk": "both", "foot": "no"}, False),
        ({"highway": "motorway", "foot": "yes"}, False),
        ({"highway": "construction", "foot": "yes"}, False),
        ({"highway": "proposed"}, False),
    ],
)
def test_WLK_1_tags_decide_what_may_be_walked(
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


def test_WLK_4_a_shut_gate_stops_and_an_open_one_does_not(tmp_path: Path) -> None:
    for access, seconds, behind_s in (("no", 300, 349), ("private", 300, 349), ("yes", 100, 51)):
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


def test_WLK_5_small_parts_go_and_are_counted(tmp_path: Path) -> None:
    town = grid(3)
    town.node("x", 1000, 0)
    town.node("y", 1200, 0)
    town.way("x y")
    _, manifest = network_of(town, tmp_path)
    assert manifest.dropped_nodes == 2
    assert manifest.dropped_m == pytest.approx(200, 0.001)
    assert manifest.length_m == pytest.approx(1200, 0.001)


def seconds(network: WalkingNetwork, a: Position, b: Position) -> float | None:
    """Walk from a to b, asked from a's side or from b's; both must agree, and the matrix too."""
    [there] = network.times(a, [b], within_s=2000)
    [back] = network.times(b, [a], within_s=2000, inbound=True)
    [[cell]] = network.matrix([a], [b], within_s=2000)
    if there is None or back is None:
        assert there is back is None
        assert np.isnan(cell)
        return None
    assert there.travel_s == pytest.approx(back.travel_s) == pytest.approx(cell)
    return there.travel_s


@pytest.mark.parametrize(
    ("tags", "along_s", "back_s"),
    [
        ({"oneway": "yes"}, 100, 100),
        ({"oneway:foot": "yes"}, 100, 300),
        ({"oneway:foot": "-1"}, 300, 100),
        ({"foot:backward": "no"}, 100, 300),
        ({"foot:forward": "no"}, 300, 100),
        ({"highway": "steps", "conveying": "forward"}, 140, 300),
        ({"highway": "steps", "conveying": "backward"}, 300, 140),
        ({"highway": "steps", "conveying": "yes"}, 140, 140),
    ],
)
def test_WLK_2_one_way_on_foot(
    tmp_path: Path, tags: dict[str, str], along_s: float, back_s: float
) -> None:
    town = Town()
    for name, east, north in (("a", 0, 0), ("b", 100, 0), ("c", 0, 100), ("d", 100, 100)):
        town.node(name, east, north)
    town.way("a b", **{"highway": "footway"} | tags)
    town.way("a c d b")
    network, _ = network_of(town, tmp_path)
    a, b = at(0, 0), at(100, 0)
    assert seconds(network, a, b) == pytest.approx(along_s, 0.001)
    assert seconds(network, b, a) == pytest.approx(back_s, 0.001)
    way = network.way(a, b, within_s=1000)
    assert way is not None
    assert way.travel.travel_s == pytest.approx(along_s, 0.001)
    # Amid the lane: on along it, back only round by its end.
    tagged = tags.get("oneway:foot") == "yes"
    if tagged:
        assert seconds(network, at(40, 0), at(60, 0)) == pytest.approx(20, 0.01)
        assert seconds(network, at(60, 0), at(40, 0)) == pytest.approx(40 + 300 + 40, 0.01)


def test_WLK_2_a_one_way_street_that_leads_nowhere_shuts_nobody_in(tmp_path: Path) -> None:
    town = grid(2)
    town.node("end", 200, 0)
    town.way("n1_0 end", "footway", **{"oneway:foot": "yes"})
    network, _ = network_of(town, tmp_path)
    assert seconds(network, at(0, 0), at(180, 0)) == pytest.approx(180, 0.001)
    assert seconds(network, at(180, 0), at(0, 0)) == pytest.approx(180, 0.001)


def test_WLK_3_private_ways_begin_and_end_a_walk_and_never_lie_amid_it(tmp_path: Path) -> None:
    town = Town()
    spots = {
        "a": (0, 0),
        "b": (100, 0),
        "c": (0, 100),
        "d": (100, 100),
        "p": (50, 0),
        "q": (50, 50),
    }
    for name, (east, north) in spots.items():
        town.node(name, east, north)
    town.way("a c d b")
    town.way("a p b", access="private")
    town.way("p q", foot="private")
    network, manifest = network_of(town, tmp_path)
    assert manifest.private_m == pytest.approx(150, 0.001)
    assert seconds(network, at(0, 0), at(100, 0)) == pytest.approx(300, 0.001)
    assert seconds(network, at(0, 60), at(50, 45)) == pytest.approx(60 + 50 + 45, 0.001)
    assert seconds(network, at(50, 45), at(100, 60)) == pytest.approx(45 + 50 + 60, 0.001)
    # From one private way to another of the same estate.
    assert seconds(network, at(50, 45), at(80, 0)) == pytest.approx(45 + 30, 0.001)


def test_WLK_4_what_lies_behind_a_private_gate_is_reached_through_it(tmp_path: Path) -> None:
    town = Town()
    for name, east, north in (("a", 0, 0), ("b", 300, 0), ("c", 100, 100), ("d", 200, 100)):
        town.node(name, east, north)
    town.node("m", 100, 0)
    town.node("n", 200, 0)
    town.node("left", 100, 50, barrier="gate", access="private")
    town.node("right", 200, 50, barrier="gate", access="residents")
    town.way("a m n b", "primary")
    town.way("m left c d right n")
    network, _ = network_of(town, tmp_path)
    assert seconds(network, at(0, 0), at(150, 100)) == pytest.approx(250, 0.001)
    assert seconds(network, at(150, 100), at(300, 0)) == pytest.approx(250, 0.001)
    assert seconds(network, at(100, 30), at(200, 30)) == pytest.approx(160, 0.001)  # not through


def test_WLK_4_a_wall_across_a_way_stops_unless_tags_open_it(tmp_path: Path) -> None:
    for number, (tags, east_s) in enumerate((({}, None), ({"foot": "yes"}, 100.0))):
        town = Town()
        for name, east in (("a", 0), ("b", 100)):
            town.node(name, east, 0)
        town.node("x", 60, 0, barrier="wall", **tags)
        town.way("a x b")
        folder = tmp_path / str(number)
        folder.mkdir()
        network, manifest = network_of(town, folder)
        assert manifest.dropped_m == pytest.approx(0 if east_s else 40, abs=0.1)
        assert network.times(at(0, 0), [at(60, 0)], within_s=100)[0] is not None


def test_WLK_6_a_lift_takes_its_time_whoever_rides_it(tmp_path: Path) -> None:
    town = Town()
    for name, east in (("a", 0), ("c", 100), ("d", 130), ("e", 230)):
        town.node(name, east, 0)
    town.node("lift", 50, 0, highway="elevator")
    town.way("a lift", "footway")
    town.way("lift c", "footway", level="1")
    town.way("c d", "elevator")
    town.way("d e", "footway")
    network, _ = network_of(town, tmp_path)
    metres = 230
    for speed in (1.0, 2.5):
        [travel] = network.times(at(0, 0), [at(metres, 0)], within_s=1000, speed_mps=speed)
        assert travel is not None
        assert travel.travel_s == pytest.approx(metres / speed + 2 * streets.LIFT_S, 0.001)
        assert travel.distance_m == pytest.approx(metres, 0.001)
    # Nobody stands in a lift.
    way = network.way(at(115, 5), at(230, 0), within_s=1000)
    assert way is not None
    assert abs(way.line[1].lon - at(115, 0).lon) > abs(at(10, 0).lon - at(0, 0).lon)


def test_WLK_5_large_parts_stand_side_by_side_and_no_way_joins_them(tmp_path: Path) -> None:
    town = grid(23)  # 529 crossings
    for column in range(24):
        for row in range(24):
            town.node(f"i{column}_{row}", 10_000 + column * 100, row * 100)
    for i in range(24):
        town.way(" ".join(f"i{i}_{row}" for row in range(24)))
        town.way(" ".join(f"i{column}_{i}" for column in range(24)))
    network, manifest = network_of(town, tmp_path)
    assert (manifest.parts, manifest.dropped_nodes) == (2, 0)
    here, island = at(0, 0), at(10_000, 0)
    [travel, there] = network.times(here, [island, at(0, 100)], within_s=90_000)
    assert travel is not None
    assert there is not None
    assert (travel.source, there.source) == (EtaSource.ESTIMATE, EtaSource.NETWORK)
    [inland] = network.times(island, [at(10_000, 200)], within_s=900)
    assert inland == Travel(pytest.approx(200, 0.001), pytest.approx(200, 0.001), EtaSource.NETWORK)
    matrix, is_guess = network.marked_matrix([here, island], [here, island], within_s=90_000)
    assert is_guess.tolist() == [[False, True], [True, False]]
    assert matrix[0, 1] == pytest.approx(travel.travel_s)
    assert np.isnan(network.matrix([here], [island], within_s=900)).all()


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


def test_the_rules_in_the_documentation_are_the_rules(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "walking.md").read_text(encoding="utf-8")
    for name in streets.STREETS | streets.STREETS_IF_ALLOWED | streets.GATES | streets.WALLS:
        assert f"`{name}`" in text
    assert f"{walking.SNAP_M:.0f} m" in text
    assert walking_format.FORMAT >= 1
