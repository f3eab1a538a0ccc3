"""Lists that are maps: GeoJSON (or plain JSON rows) and KML. `lon` and `lat` become columns."""

import json
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

import orjson

from web.imports import bounds, encoding, markup
from web.imports.unreadable import Unreadable

Record = tuple[int, dict[str, str]]


def read_json(content: bytes, told: str | None) -> tuple[str, str, list[Record]]:
    """Give format, encoding and records of GeoJSON, or of an array of objects.

    Raises `Unreadable`.
    """
    text, name = encoding.decode(content, told)
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Unreadable(
            f"The JSON breaks off at line {error.lineno}; export the list again",
            f"JSON 文件在第 {error.lineno} 行处损坏，请重新导出名册。",
        ) from None
    kind, items = _items(document)
    bounds.check_rows(len(items))
    records = (item for item in enumerate(items, start=1))
    return kind, name, [(number, _flat(item)) for number, item in records if item]


def _items(document: object) -> tuple[str, list[object]]:
    if isinstance(document, list):
        return "JSON", document
    if isinstance(document, Mapping):
        if document.get("type") == "Feature":
            return "GeoJSON", [document]
        features = document.get("features")
        if isinstance(features, list):
            return "GeoJSON", features
        lists = [value for value in document.values() if isinstance(value, list) and value]
        if lists:
            return "JSON", max(lists, key=len)
    raise Unreadable(
        "The JSON holds no list; export it as GeoJSON FeatureCollection",
        "JSON 文件中没有名册，请导出为 GeoJSON FeatureCollection。",
    )


def _flat(item: object) -> dict[str, str]:
    if not isinstance(item, Mapping):
        return {}
    properties, geometry = item.get("properties"), item.get("geometry")
    is_feature = item.get("type") == "Feature" or "geometry" in item
    cells = {"@id": _shown(item["id"])} if is_feature and "id" in item else {}
    source = properties if isinstance(properties, Mapping) else {} if is_feature else item
    cells |= {str(key): _shown(value) for key, value in source.items()}
    return cells | (_place(geometry) if is_feature else {})


def _shown(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "; ".join(value)
    return json.dumps(value, ensure_ascii=False)


def _place(geometry: object) -> dict[str, str]:
    """Give the position of a Point; lines and areas are no place of a device."""
    if isinstance(geometry, Mapping) and geometry.get("type") == "Point":
        numbers = geometry.get("coordinates")
        if isinstance(numbers, list) and len(numbers) >= 2:
            return {"lon": _shown(numbers[0]), "lat": _shown(numbers[1])}
    return {}


def read_kml(root: Element) -> list[Record]:
    """Give the placemarks as records: name, description, extended data, position."""
    placemarks = [element for element in root.iter() if markup.local(element) == "Placemark"]
    bounds.check_rows(len(placemarks))
    return [(number, dict(_kml_cells(mark))) for number, mark in enumerate(placemarks, start=1)]


def _kml_cells(mark: Element) -> Iterator[tuple[str, str]]:
    if identity := mark.attrib.get("id"):
        yield "@id", identity
    for element in mark.iter():
        text = (element.text or "").strip()
        match markup.local(element):
            case "name" | "description" | "address" | "phoneNumber" as name if text:
                yield name, text
            case "Data":
                value = next((child for child in element if markup.local(child) == "value"), None)
                yield element.attrib.get("name", ""), ("" if value is None else value.text) or ""
            case "SimpleData":
                yield element.attrib.get("name", ""), text
            case "Point":
                yield from _kml_point(element)
            case _:
                pass


def _kml_point(point: Element) -> Iterator[tuple[str, str]]:
    for element in point:
        if markup.local(element) == "coordinates":
            numbers = (element.text or "").strip().split(",")
            if len(numbers) >= 2:
                yield from zip(("lon", "lat"), (part.strip() for part in numbers), strict=False)
