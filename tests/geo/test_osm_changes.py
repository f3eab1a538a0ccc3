"""OpenStreetMap two ways: its changes into the registry, our corrections out for review."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

import bourg
import psycopg
import pytest
import sqlalchemy as sa
from psycopg.rows import namedtuple_row

from dispatch import db
from geo import osm_aeds, osm_diff, osm_edits, osm_import, osm_read
from geo.osm_aeds import DiffCounts
from geo.osm_import import Target

ORG = UUID(int=7)
HERE = bourg.at(9, 11)
Apply = Callable[[str], DiffCounts]


def node(number: int, version: int, tags: str = "", *, lon: float = HERE.lon) -> str:
    """Write a node of a change file; `tags` are key=value, separated by commas."""
    pairs = (pair.split("=") for pair in tags.split(",") if pair)
    inner = "".join(f'<tag k="{key}" v="{value}"/>' for key, value in pairs)
    return f'<node id="{number}" version="{version}" lon="{lon}" lat="{HERE.lat}">{inner}</node>'


AED = "emergency=defibrillator,colour=green"


@pytest.fixture
def town(database: str, tmp_path: Path, now: datetime) -> str:
    """Import a town with two defibrillators, nodes 1 and 2 in version 1."""
    target = Target("bourg", "小镇", "Bourg", time_zone="Europe/Paris", org_id=ORG)
    osm_import.import_osm(
        database, bourg.small_town().write(tmp_path / "town.osm"), target,
        progress=lambda _stage, _share: None, now=now,
    )  # fmt: skip
    return database


@pytest.fixture
def apply(town: str, tmp_path: Path, now: datetime) -> Apply:
    """Apply the body of a change file, a day later."""

    def work(body: str) -> DiffCounts:
        path = tmp_path / "changes.osc"
        path.write_text(f'<osmChange version="0.6">{body}</osmChange>')
        engine = sa.create_engine(town.replace("postgresql://", "postgresql+psycopg://", 1))
        try:
            with engine.begin() as conn:
                changes = osm_diff.read(path)
                return osm_aeds.apply(conn, changes, ORG, now=now + timedelta(days=1))
        finally:
            engine.dispose()

    return work


def rows(database: str, query: str) -> list[Any]:
    with psycopg.connect(database, row_factory=namedtuple_row) as conn:
        return conn.execute(query).fetchall()  # type: ignore[call-overload]  # literals of tests


def test_OSM_1_an_object_deleted_and_added_again_keeps_its_newest_version(
    apply: Apply, town: str
) -> None:
    again = f"<create>{node(1, 4, AED + ',name=Again')}</create>"
    counts = apply(f"{again}<delete>{node(1, 3)}</delete>")
    assert counts == DiffCounts(changed=1)
    found = rows(town, "select name, status, source_data from aed where source_ref = 'node/1'")[0]
    assert (found.name, found.status, found.source_data["version"]) == ("Again", "in_service", 4)


def test_OSM_1_an_older_version_changes_nothing(apply: Apply, town: str) -> None:
    apply(f"<modify>{node(1, 5, AED + ',name=New')}</modify>")
    assert apply(f"<modify>{node(1, 4, AED + ',name=Old')}</modify>") == DiffCounts(stale=1)
    assert rows(town, "select name from aed where source_ref = 'node/1'")[0].name == "New"


def test_OSM_2_deleted_or_no_longer_an_aed_is_withdrawn_and_comes_back(
    apply: Apply, town: str
) -> None:
    gone = f"<delete>{node(1, 2)}</delete><modify>{node(2, 2, 'emergency=phone')}</modify>"
    assert apply(gone) == DiffCounts(gone=2)
    assert {row.status for row in rows(town, "select status from aed")} == {"withdrawn"}
    assert apply(gone) == DiffCounts(stale=2)
    assert apply(f"<create>{node(1, 3, AED)}</create>") == DiffCounts(changed=1)
    back = rows(town, "select status, gone_at from aed where source_ref = 'node/1'")[0]
    assert (back.status, back.gone_at) == ("in_service", None)


def test_OSM_2_a_new_one_is_added_only_inside_an_imported_city(apply: Apply, town: str) -> None:
    new = f"<create>{node(70, 1, AED)}{node(71, 1, AED, lon=99.0)}{node(72, 1)}</create>"
    assert apply(new) == DiffCounts(added=1, outside=1)
    found = rows(town, "select time_zone, source_data from aed where source_ref = 'node/70'")[0]
    assert (found.time_zone, found.source_data["tags"]["colour"]) == ("Europe/Paris", "green")


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "changes.osc"
    path.write_text("hello")
    with pytest.raises(osm_read.UnreadableFile, match="not an OpenStreetMap change file"):
        osm_diff.read(path)


# ---- our corrections, out


async def exported(database: str) -> tuple[osm_edits.Edits, ET.Element]:
    engine = db.make_engine(database)
    try:
        async with engine.connect() as conn:
            edits = await osm_edits.export(conn, ORG)
    finally:
        await engine.dispose()
    return edits, ET.fromstring(edits.xml)  # noqa: S314  # written by ourselves a line above


def tags(element: ET.Element) -> dict[str | None, str | None]:
    return {tag.get("k"): tag.get("v") for tag in element.iter("tag")}


async def test_OSM_3_what_was_not_corrected_is_not_exported(town: str) -> None:
    edits, root = await exported(town)
    assert (edits.created, edits.modified, edits.deleted, len(root)) == (0, 0, 0, 0)


async def test_OSM_3_a_correction_changes_its_tag_and_keeps_the_unknown_ones(town: str) -> None:
    with psycopg.connect(town) as conn:
        conn.execute(
            "update aed set hours = '24/7', access = 'unknown' where source_ref = 'node/1'"
        )
        conn.execute("update aed set status = 'withdrawn' where source_ref = 'node/2'")
    edits, root = await exported(town)
    assert (edits.modified, edits.deleted) == (1, 1)
    changed = root.find("modify/node")
    assert changed is not None
    assert (changed.get("id"), changed.get("version")) == ("1", "1")
    said = tags(changed)
    assert (said["opening_hours"], said["colour"], "access" in said) == ("24/7", "green", False)
    deleted = root.find("delete/node")
    assert deleted is not None
    assert deleted.get("id") == "2"


async def test_OSM_3_our_own_is_created_and_the_file_can_be_read_back(
    town: str, tmp_path: Path, now: datetime
) -> None:
    with psycopg.connect(town) as conn:
        conn.execute(
            "insert into aed"
            " (org_id, name, position, access, hours, source, created_at, updated_at) values"
            " (%s, 'Hall', ST_MakePoint(7.01, 43.01), 'public', '24/7', 'manual', %s, %s)",
            (ORG, now, now),
        )
    edits, _root = await exported(town)
    path = tmp_path / "ours.osc"
    path.write_bytes(edits.xml)
    made = osm_diff.read(path)
    assert [(change.osm_ref, change.is_aed, change.tags["name"]) for change in made] == [
        ("node/-1", True, "Hall")
    ]
