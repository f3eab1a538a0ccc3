"""Write what we know better than OpenStreetMap as a change file, for a person to review.

Nothing is ever uploaded. A device that came from OpenStreetMap and was corrected here becomes a
`modify` that changes only the tags of what was corrected and keeps every other tag; one withdrawn
here a `delete`; one of our own a `create`. Addresses are left out: ours may be free text.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import osm_aeds
from geo.position import Position

#: Field of the registry, the tag that says it, and how its value is spelled there.
_SPELLINGS: dict[str, tuple[str, Mapping[Any, str] | None]] = {
    "name": ("name", None),
    "floor": ("level", None),
    "location_note": ("defibrillator:location", None),
    "indoor": ("indoor", {True: "yes", False: "no"}),
    "access": (
        "access",
        {"public": "yes", "members": "permit", "staff": "private", "private": "private"},
    ),
    "hours": ("opening_hours", None),
    "cabinet": (
        "defibrillator:cabinet",
        {"none": "none", "alarmed": "alarmed", "code": "code", "key": "key"},
    ),
    "status": ("operational_status", {"out_of_service": "broken"}),
    "phone": ("phone", None),
    "brand": ("manufacturer", None),
    "model": ("model", None),
}


@dataclass(frozen=True, slots=True)
class Edits:
    """A change file with its counts; `unversioned` devices cannot be edited and are left out."""

    xml: bytes
    created: int
    modified: int
    deleted: int
    unversioned: int


# Ours that OpenStreetMap does not have, and theirs that may differ; in a stable order.
_ROWS = text("""
select * from aed
where org_id = :org and not is_invented and gone_at is null and carrier is null
  and (status <> 'withdrawn' or source = 'osm')
order by source <> 'osm', source_ref, id
""")


async def export(conn: AsyncConnection, org_id: UUID) -> Edits:
    """Give the edits that the registry of an organisation would make to OpenStreetMap."""
    root = ET.Element("osmChange", version="0.6", generator="Golden Minutes")
    parts = {kind: ET.Element(kind) for kind in ("create", "modify", "delete")}
    unversioned = 0
    for row in await conn.execute(_ROWS, {"org": org_id}):
        match _kind(row):
            case "create":
                _create(parts["create"], row, -1 - len(parts["create"]))
            case "unversioned":
                unversioned += 1
            case "modify" | "delete" as kind:
                _edit(parts[kind], row, is_delete=kind == "delete")
            case _:
                pass
    root.extend(part for part in parts.values() if len(part))
    ET.indent(root)
    xml = ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"
    created, modified, deleted = (len(part) for part in parts.values())
    return Edits(xml, created, modified, deleted, unversioned)


def _kind(row: Row[Any]) -> str:
    """Say what to do with a device: nothing where both sides say the same."""
    if row.source != osm_aeds.SOURCE:
        return "create" if row.status == "in_service" else ""
    is_node = row.source_ref.startswith("node/")
    is_edited = row.status == "withdrawn" or bool(_changes(row)) or (is_node and _is_moved(row))
    if not is_edited:
        return ""
    if not row.source_data.get("version") or not is_node:
        return "unversioned"
    return "delete" if row.status == "withdrawn" else "modify"


def _is_moved(row: Row[Any]) -> bool:
    here, there = Position.from_wkb(row.position), row.source_data
    return (round(here.lon, 7), round(here.lat, 7)) != (
        round(there["lon"], 7),
        round(there["lat"], 7),
    )


def _changes(row: Row[Any]) -> dict[str, str | None]:
    """Give the tags that must change, None for those that must go."""
    said = osm_aeds.fields(row.source_data.get("tags", {}))
    return {
        tag: value
        for field, tag, value in _spelled(row)
        if getattr(row, field) != said[field]
        # Words that nobody gave are no correction.
        and not (value is None and said[field] is None)
    }


def _spelled(row: Row[Any]) -> Iterator[tuple[str, str, str | None]]:
    """Give each field with its tag and the value of the tag, None for nothing to say."""
    for field, (tag, spelling) in _SPELLINGS.items():
        value = getattr(row, field)
        yield field, tag, (value if spelling is None else spelling.get(value)) or None


def _edit(part: ET.Element, row: Row[Any], *, is_delete: bool) -> None:
    said = row.source_data
    tags = {**said.get("tags", {}), **({} if is_delete else _changes(row))}
    here = Position(said["lon"], said["lat"]) if is_delete else Position.from_wkb(row.position)
    number = row.source_ref.removeprefix("node/")
    _node(part, number, here, tags, version=str(said["version"]))


def _create(part: ET.Element, row: Row[Any], number: int) -> None:
    tags = {"emergency": "defibrillator", **{tag: value for _, tag, value in _spelled(row)}}
    _node(part, str(number), Position.from_wkb(row.position), tags)


def _node(
    part: ET.Element,
    number: str,
    here: Position,
    tags: Mapping[str, str | None],
    *,
    version: str | None = None,
) -> None:
    said = {} if version is None else {"version": version}
    place = {"id": number, **said, "lat": f"{here.lat:.7f}", "lon": f"{here.lon:.7f}"}
    node = ET.SubElement(part, "node", place)
    for key, value in sorted(tags.items()):
        if value:
            ET.SubElement(node, "tag", {"k": key, "v": value})
