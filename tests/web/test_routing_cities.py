"""Cities whose objects are all numbered from 1 lie side by side in the routing tiles."""

import asyncio
from pathlib import Path

import httpx
import osmium
import pytest
from town import Town, grid

from geo import routing
from geo.position import Position
from web.commands import city_file, routing_service, routing_watch, supervise, valhalla

EAST = 0.2  # degrees between the two towns


def town(street: str, east: float) -> Town:
    """Lay out a town with one street across it that has a name."""
    made = grid(6)
    made.way("n0_0 n5_5", "footway", name=street)
    for name, (place, tags) in list(made.nodes.items()):
        made.nodes[name] = Position(place.lon + east, place.lat), tags
    return made


def numbers(file: Path) -> set[tuple[str, int]]:
    return {(type(thing).__name__, thing.id) for thing in osmium.FileProcessor(file)}


def test_WLK_30_made_up_numbers_never_meet_those_of_another_city(tmp_path: Path) -> None:
    source = town("Rue", 0).write(tmp_path / "town.osm")
    files: list[Path] = []
    for name in ("one", "two", "three"):
        city_file.write(source, tmp_path / f"{name}.osm.pbf", files)
        files.append(tmp_path / f"{name}.osm.pbf")
    kept = [numbers(file) for file in files]
    assert len(set.union(*kept)) == sum(map(len, kept)) == 3 * len(numbers(source))
    # The numbers of one that is there already are good; a city that is gone leaves its own free.
    city_file.write(files[1], tmp_path / "again.osm.pbf", [files[0], files[2]])
    assert numbers(tmp_path / "again.osm.pbf") == kept[1]
    city_file.write(source, tmp_path / "next.osm.pbf", [files[0], files[2]])
    assert numbers(tmp_path / "next.osm.pbf") == kept[1]


def test_WLK_30_an_extract_keeps_the_numbers_of_openstreetmap(tmp_path: Path) -> None:
    source = town("Rue", 0).write(tmp_path / "town.osm")
    far = tmp_path / "far.osm.pbf"
    with osmium.SimpleWriter(far) as writer:
        for thing in osmium.FileProcessor(source):
            by = 5_000_000
            if thing.is_node():
                writer.add(thing.replace(id=thing.id + by))
            else:
                writer.add(thing.replace(id=thing.id + by, nodes=[n.ref + by for n in thing.nodes]))
    city_file.write(far, tmp_path / "kept.osm.pbf", [])
    assert (tmp_path / "kept.osm.pbf").read_bytes() == far.read_bytes()


@pytest.mark.skipif(
    not routing_service.is_installed(), reason="the routing engine is not installed"
)
async def test_WLK_30_both_of_two_cities_are_routed_by_their_own_streets(tmp_path: Path) -> None:
    folder = tmp_path / "valhalla"
    service = routing_service.Service.reserve(folder)
    assert service is not None
    towns = {"Rue Ouest": town("Rue Ouest", 0), "Rue Est": town("Rue Est", EAST)}
    for street, made in towns.items():
        source = made.write(tmp_path / "town.osm")
        await asyncio.to_thread(valhalla.build, folder, name=street[4:].lower(), source=source)
    supervisor = supervise.Supervisor(tmp_path, lambda _text: None)
    watch = asyncio.create_task(routing_watch.watch(supervisor, service, every_s=0.05))
    try:
        async with httpx.AsyncClient() as client, asyncio.timeout(60):
            for street, made in towns.items():
                stops = [made.nodes[corner][0] for corner in ("n0_0", "n5_5")]
                while not (found := await routing.route(client, service.url, stops)).turns:
                    pass  # until the service is there
                assert found.distance_m == pytest.approx(500 * 2**0.5, abs=5)
                assert street in {turn.street for turn in found.turns[0]}
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        await supervisor.stop()
