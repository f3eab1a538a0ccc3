"""Reads vector tiles back, by the specification and without the code that wrote them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_Field = tuple[int, int | bytes]


@dataclass(frozen=True)
class Shape:
    """One feature: kind 1 point, 2 line, 3 polygon; `corners` are its points in tile units."""

    kind: int
    properties: dict[str, Any]
    corners: list[tuple[int, int]]


def read(tile: bytes) -> dict[str, list[Shape]]:
    """Return the features of every layer."""
    layers: dict[str, list[Shape]] = {}
    for number, content in _fields(tile):
        if number == 3 and isinstance(content, bytes):
            name, shapes = _layer(content)
            assert name not in layers, f"layer {name} stands twice"
            layers[name] = shapes
    return layers


def _layer(content: bytes) -> tuple[str, list[Shape]]:
    name, keys, values, features = "", [], [], []
    for number, part in _fields(content):
        if number == 1 and isinstance(part, bytes):
            name = part.decode()
        elif number == 2 and isinstance(part, bytes):
            features.append(dict(_fields(part)))
        elif number == 3 and isinstance(part, bytes):
            keys.append(part.decode())
        elif number == 4 and isinstance(part, bytes):
            values.append(_value(part))
    shapes = []
    for feature in features:
        tags = list(_varints(_packed(feature.get(2, b""))))
        pairs = zip(tags[::2], tags[1::2], strict=True)
        properties = {keys[key]: values[value] for key, value in pairs}
        kind = feature.get(3, 0)
        assert isinstance(kind, int)
        shapes.append(Shape(kind, properties, _corners(_packed(feature.get(4, b"")))))
    return name, shapes


def _corners(commands: bytes) -> list[tuple[int, int]]:
    numbers = list(_varints(commands))
    corners, x, y, place = [], 0, 0, 0
    while place < len(numbers):
        command, count = numbers[place] & 7, numbers[place] >> 3
        place += 1
        if command == 7:
            continue
        for _ in range(count):
            x += _unzigzag(numbers[place])
            y += _unzigzag(numbers[place + 1])
            place += 2
            corners.append((x, y))
    return corners


def _value(content: bytes) -> Any:
    number, part = next(_fields(content))
    if number == 1 and isinstance(part, bytes):
        return part.decode()
    if number == 3 and isinstance(part, bytes):
        return struct.unpack("<d", part)[0]
    assert isinstance(part, int)
    return bool(part) if number == 7 else _unzigzag(part) if number == 6 else part


def _packed(part: int | bytes) -> bytes:
    assert isinstance(part, bytes)
    return part


def _unzigzag(number: int) -> int:
    return (number >> 1) ^ -(number & 1)


def _varints(content: bytes) -> Iterator[int]:
    place = 0
    while place < len(content):
        number, place = _varint(content, place)
        yield number


def _varint(content: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = content[place]
        number |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return number, place


def _fields(content: bytes) -> Iterator[_Field]:
    place = 0
    while place < len(content):
        head, place = _varint(content, place)
        if head & 7 == 0:
            number, place = _varint(content, place)
            yield head >> 3, number
            continue
        size = {1: 8, 5: 4}.get(head & 7)
        if size is None:
            size, place = _varint(content, place)
        yield head >> 3, content[place : place + size]
        place += size
