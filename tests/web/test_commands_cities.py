"""The demo cities: what is taken from an archive, and street segments turned into a map."""

import os
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import osmium
import pytest

from web.commands import cities, street_segments
from web.commands.trouble import Trouble

_DATA = Path(os.environ.get("GOLDEN_TEST_DATA", "."))


def nodes(file: Path) -> np.ndarray:
    found = (thing.location for thing in osmium.FileProcessor(file) if thing.is_node())
    return np.array([(place.lon, place.lat) for place in found])


def archive_in(folder: Path, content: bytes) -> None:
    inner = folder / "inner"
    inner.write_bytes(content)
    with tarfile.open(folder / "quackosm-0.19.0.tar.gz", "w:gz") as whole:
        whole.add(inner, "quackosm-0.19.0/tests/test_files/monaco.osm.pbf")


def test_an_unknown_city_is_named_with_those_there_are():
    with pytest.raises(Trouble, match="monaco, wuhan"):
        cities.city_named("atlantis")


def test_a_file_that_is_not_the_expected_one_is_refused(tmp_path):
    archive_in(tmp_path, b"something else")
    with pytest.raises(Trouble, match="not the file that was expected"):
        cities.fetch(
            cities.CITIES["monaco"],
            tmp_path / "download",
            download=lambda *_: tmp_path / "quackosm-0.19.0.tar.gz",
        )
    assert list((tmp_path / "download").iterdir()) == []


def test_a_city_is_fetched_once(tmp_path):
    archive_in(tmp_path, b"a city")
    archive = tmp_path / "quackosm-0.19.0.tar.gz"
    city = replace(cities.CITIES["monaco"], path_sha256=cities._sha256(tmp_path / "inner"))
    first = cities.fetch(city, tmp_path / "download", download=lambda *_: archive)
    assert first.read_bytes() == b"a city"
    assert cities.fetch(city, tmp_path / "download", download=pytest.fail) == first


def test_a_point_on_the_central_meridian_of_a_zone():
    lon, lat = street_segments.from_utm(np.array([500_000.0]), np.array([0.0]), 117.0)
    assert (lon[0], lat[0]) == pytest.approx((117.0, 0.0))


@pytest.mark.real_data
def test_wuhan_lies_where_another_program_put_it(tmp_path):
    made = tmp_path / "wuhan.osm.pbf"
    assert street_segments.write_osm(_DATA / "osm" / "wuhan_source.parquet", made) > 10_000
    ours, theirs = nodes(made), nodes(_DATA / "osm" / "wuhan_roads.osm.pbf")
    # A handful of its nodes lie in one place and are one node here.
    assert len(theirs) - 20 < len(ours) <= len(theirs)
    rounded = {tuple(place) for place in np.round(theirs * 1e6).astype(int)}
    near = [
        any((x + dx, y + dy) in rounded for dx in (-1, 0, 1) for dy in (-1, 0, 1))
        for x, y in np.round(ours * 1e6).astype(int)
    ]
    assert all(near)
