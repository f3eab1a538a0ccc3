"""A whole matrix is what each of its walks is, by whichever side and however many threads."""

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from town import at, grid

from geo import walking_build, walking_files
from geo.position import Position
from geo.walking import WalkingNetwork

MPS = 1.0
SIDE = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A town with one-way lanes, stairs and a private way across."""
    folder = tmp_path_factory.mktemp("matrix")
    town = grid(SIDE)
    town.way("n0_0 n3_7 n11_11", "footway", **{"oneway:foot": "yes"})
    town.way("n11_0 n5_4 n0_11", "steps")
    town.way("n2_9 n9_2", "service", access="private")
    walking_build.build(town.write(folder / "town.osm"), folder / "w", "town")
    return folder / "w"


@pytest.fixture(scope="module")
def network(folder: Path) -> WalkingNetwork:
    return WalkingNetwork.load(folder, speed_mps=MPS)


def places(n: int, seed: int) -> list[Position]:
    rng = np.random.default_rng(seed)
    width = 100.0 * (SIDE - 1)
    return [at(x, y) for x, y in rng.uniform(-20, width + 20, (n, 2)).tolist()]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(("many", "others"), [(100, 70), (70, 100), (3, 2)])
def test_WLK_31_a_matrix_is_what_each_of_its_walks_is(
    network: WalkingNetwork, many: int, others: int, threads: int
) -> None:
    sources, targets = places(many, 1), places(others, 2)
    found, is_guess = network.marked_matrix(sources, targets, within_s=900, threads=threads)
    assert found.shape == (many, others)
    assert not is_guess.any()
    for row, origin in zip(found, sources, strict=True):
        walks = network.times(origin, targets, within_s=900)
        expected = [np.nan if walk is None else walk.travel_s for walk in walks]
        np.testing.assert_allclose(row, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("is_turned", [False, True])
def test_WLK_31_between_crossings_it_equals_scipy_on_the_same_links(
    network: WalkingNetwork, folder: Path, is_turned: bool
) -> None:
    [(place, manifest)] = walking_files.manifests(folder).items()
    graph = walking_files.load(place, manifest)
    n = len(graph.out_start) - 1
    near = np.repeat(np.arange(n), np.diff(graph.out_start))
    leaves = (graph.out_ways & 1) > 0
    effort = np.maximum(graph.out_effort, 1e-12)[leaves]
    links = csr_matrix((effort, (near[leaves], graph.out_node[leaves])), shape=(n, n))
    # Crossings of public streets open both ways: there one leaves and arrives without a detour.
    is_open = (graph.chain_ways == 3) & (graph.chain_from == graph.chain_in_from)
    crossing, chain = np.unique(graph.chain_from[is_open], return_index=True)
    point = graph.chain_start[:-1][is_open][chain]
    spots = [
        Position(lon, lat)
        for lon, lat in zip(
            graph.point_lon[point].tolist(), graph.point_lat[point].tolist(), strict=True
        )
    ]
    some = slice(0, None, 2)
    rows, columns = (some, slice(None)) if is_turned else (slice(None), some)
    expected = dijkstra(links, indices=crossing[rows])[:, crossing[columns]]
    found = network.matrix(spots[rows], spots[columns], within_s=5_000)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)
    assert len(spots) > 100
