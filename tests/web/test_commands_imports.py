"""`golden import osm` and `golden routing build` on a town of the test's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import bourg
import osmium
import psycopg
import pytest
import town
from typer.testing import CliRunner, Result

from geo import walking_build, walking_format
from web import commands
from web.commands import map_file, routing_service
from web.commands.trouble import Trouble

Golden = Callable[..., Result]


@pytest.fixture
def golden(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Golden:
    """Run the program against a fresh database that has the organisation `demo`."""
    monkeypatch.setenv("GOLDEN_DATABASE_URL", database)
    monkeypatch.setenv("GOLDEN_DATA_DIR", str(tmp_path / "data"))
    # The routing engine is a program of its own, tested with `golden up`; here it is missing.
    monkeypatch.setattr(routing_service, "PACKAGE", tmp_path / "nowhere")
    with psycopg.connect(database) as conn:
        conn.execute(
            "insert into org (id, code, name_zh, name_en, level, path, timezone) values"
            " (gen_random_uuid(), 'demo', '演示', 'Demo', 4, 'demo/', 'Europe/Paris')"
        )

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(commands.build(arguments), arguments)

    return run


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Write the small town."""
    return str(bourg.small_town().write(tmp_path / "Petit Bourg.osm"))


def test_a_city_comes_in_one_go_and_a_second_time_changes_nothing(
    golden: Golden, file: str, tmp_path: Path
) -> None:
    first = golden("import", "osm", file, "--time-zone", "Europe/Paris", "--json")
    assert first.exit_code == 0, first.output
    made = json.loads(first.stdout)
    assert (made["name"], made["time_zone"]) == ("petit-bourg", "Europe/Paris")
    assert made["aeds"] == {"added": 2, "changed": 0, "unchanged": 0, "gone": 0}
    assert made["walking"]["streets"] > 0
    assert made["routing"] is None
    assert (tmp_path / "data" / "routing" / "walking" / "petit-bourg").exists()
    again = json.loads(golden("import", "osm", file, "--json").stdout)
    assert again["aeds"] == {"added": 0, "changed": 0, "unchanged": 2, "gone": 0}
    assert again["time_zone"] == "Europe/Paris", "an earlier import said so"


def test_people_read_what_came_in_both_languages(golden: Golden, file: str) -> None:
    shown = golden("import", "osm", file, "--name", "bourg")
    assert "2 added 新增" in shown.output
    assert "© OpenStreetMap contributors" in shown.output


def test_an_organisation_that_is_not_there_is_named(golden: Golden, file: str) -> None:
    shown = golden("import", "osm", file, "--org", "nobody", "--json")
    assert shown.exit_code == 0
    assert "No organisation nobody" in shown.stderr
    assert json.loads(shown.stdout)["aeds"]["added"] == 0


def test_a_derived_city_says_so(golden: Golden, file: str, database: str) -> None:
    golden("import", "osm", file, "--derived", "--title-zh", "小镇")
    with psycopg.connect(database) as conn:
        row = conn.execute("select is_derived, title_zh, title_en from dataset").fetchone()
    assert row == (True, "小镇", "Petit Bourg")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--time-zone", "Mars/Olympus"), "time zone"),
        (("--name", "武汉"), "--name"),
    ],
)
def test_what_cannot_be_is_explained(
    golden: Golden, file: str, arguments: tuple[str, ...], word: str
) -> None:
    shown = golden("import", "osm", file, *arguments)
    assert isinstance(shown.exception, Trouble)
    assert word in shown.exception.en
    assert any(letter >= "\u4e00" for letter in shown.exception.zh)


def test_a_file_that_is_no_map_is_explained(golden: Golden, tmp_path: Path) -> None:
    (tmp_path / "list.osm").write_text("name,lon,lat")
    for command in (("import", "osm"), ("routing", "build")):
        shown = golden(*command, str(tmp_path / "list.osm"))
        assert isinstance(shown.exception, Trouble)
        assert "list.osm cannot be imported" in shown.exception.en


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("monaco.osm.pbf", "monaco"),
        ("Porto Alegre.osm.gz", "porto-alegre"),
        ("a_b-1.OSM", "a_b-1"),
        ("Wuhan 武汉.pbf", "wuhan"),
    ],
)
def test_a_file_gives_its_city_a_short_name(text: str, short: str) -> None:
    assert map_file.short_name(text) == short


def test_WLK_14_a_network_of_another_version_is_built_anew_from_the_kept_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOLDEN_DATA_DIR", str(tmp_path))
    walking_dir = tmp_path / "routing" / "walking"
    cities = tmp_path / "routing" / "valhalla" / "cities"
    cities.mkdir(parents=True)
    source = town.grid(4).write(tmp_path / "town.osm")
    walking_build.build(source, walking_dir, "town")
    manifest = walking_dir / "town" / "manifest.json"
    ours = f'"format": {walking_format.FORMAT}'
    manifest.write_text(manifest.read_text().replace(ours, '"format": 1'))
    assert walking_format.outdated(walking_dir) == ["town"]
    renew = ("routing", "renew")
    missing = CliRunner().invoke(commands.build(renew), renew)
    assert "import it again" in missing.output
    with osmium.SimpleWriter(str(cities / "town.osm.pbf")) as kept:
        for thing in osmium.FileProcessor(source):
            kept.add(thing)
    assert CliRunner().invoke(commands.build(renew), renew).exit_code == 0
    assert walking_format.outdated(walking_dir) == []
