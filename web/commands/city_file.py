"""The map files of cities as the routing engine takes them: together, so no number may stand twice.

In extracts of OpenStreetMap the same number means the same thing. A city that was made from other
data counts its ways or nodes from 1, and so does the next one: each such city gets numbers of its
own, far above those of OpenStreetMap.
"""

import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import osmium
from osmium.osm import NODE, WAY

#: So far apart are the numbers of two cities; five times as many as OpenStreetMap has used.
_STEP = 1 << 36
#: No city of OpenStreetMap has only ways, or only nodes, from before its first year was over.
_OLDEST = 1_000_000


def write(source: Path, target: Path, others: Sequence[Path]) -> None:
    """Write a city's file as PBF, with numbers that mean nothing else in the others' files."""
    by = _free(others) * _STEP if _counts_by_itself(source) else 0
    if not by and source.name.endswith(".pbf"):
        shutil.copyfile(source, target)
        return
    with osmium.SimpleWriter(target, overwrite=True) as writer:
        for thing in osmium.FileProcessor(source):
            writer.add(_moved(thing, by))


def _counts_by_itself(file: Path) -> bool:
    """Tell made-up numbers; an extract is known after a few objects."""
    return any(
        all(thing.id < _OLDEST for thing in osmium.FileProcessor(file, kind))
        for kind in (NODE, WAY)
    )


def _free(others: Sequence[Path]) -> int:
    """Find the first stretch of numbers that no other file is in."""
    taken = {_first_number(file) // _STEP for file in others}
    return next(stretch for stretch in itertools.count(1) if stretch not in taken)


def _first_number(file: Path) -> int:
    for node in osmium.FileProcessor(file, NODE):
        return int(node.id)
    return 0


def _moved(thing: Any, by: int) -> Any:
    if thing.is_node():
        return thing.replace(id=thing.id + by)
    if thing.is_way():
        return thing.replace(id=thing.id + by, nodes=[node.ref + by for node in thing.nodes])
    members = [(member.type, member.ref + by, member.role) for member in thing.members]
    return thing.replace(id=thing.id + by, members=members)
