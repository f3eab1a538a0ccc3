"""XML of any make: the element that repeats is the row, its attributes and children the cells."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import defusedxml
from defusedxml import ElementTree

from web.imports import bounds, encoding
from web.imports.unreadable import Unreadable

Record = tuple[int, dict[str, str]]
Path = tuple[str, ...]

_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9_.:-]+)["'][^>]*\?>""")
_PROLOG = re.compile(r"^\ufeff?\s*<\?xml[^>]*\?>")


def parse(content: bytes, told: str | None) -> tuple[Any, str]:
    """Give the root element and the encoding. Raises `Unreadable`."""
    declared = _DECLARED.match(content[:400])
    name = told or (declared.group(1).decode("ascii") if declared else None)
    text, found = encoding.decode(content, name)
    try:
        # Python's parser knows no Chinese encoding: it gets the text without its declaration.
        root = ElementTree.fromstring(_PROLOG.sub("", text, count=1), forbid_dtd=True)
    except ParseError as error:
        raise Unreadable(
            f"The XML breaks off at line {error.position[0]}; export the list again",
            f"XML 文件在第 {error.position[0]} 行处损坏，请重新导出名册。",
        ) from None
    except defusedxml.DefusedXmlException:
        raise Unreadable(
            "The XML holds definitions that are not read for safety; export plain data",
            "XML 文件含有出于安全原因不予读取的定义，请导出纯数据。",
        ) from None
    return root, found


def local(element: Element) -> str:
    """Name an element without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def read(root: Element) -> list[Record]:
    """Give the records with their ordinal numbers. Raises `Unreadable`."""
    by_path: defaultdict[Path, list[Element]] = defaultdict(list)
    for path, element in _walk(root):
        if len(element) or element.attrib:
            by_path[path].append(element)
    rows = by_path[_row_path(by_path)] if by_path else []
    bounds.check_rows(len(rows))
    return [(number, _cells(element)) for number, element in enumerate(rows, start=1)]


def _walk(root: Element) -> Iterator[tuple[Path, Element]]:
    """Yield every element in the order of the file, without going deep into the stack."""
    waiting: list[tuple[Path, Element]] = [((local(root),), root)]
    while waiting:
        path, element = waiting.pop()
        if len(path) > 60:
            raise Unreadable(
                "The XML is nested too deeply to be a list", "XML 嵌套过深，不是名册。"
            )
        yield path, element
        waiting += [((*path, local(child)), child) for child in reversed(element)]


def _row_path(by_path: defaultdict[Path, list[Element]]) -> Path:
    """Choose what repeats, is not part of something that repeats, and says most."""
    repeated = [path for path, elements in by_path.items() if len(elements) > 1]
    outer = [
        path
        for path in repeated
        if not any(path[: len(other)] == other and path != other for other in repeated)
    ]
    if outer:
        return max(outer, key=lambda path: sum(map(_fields, by_path[path])))
    return max(by_path, key=lambda path: max(map(_fields, by_path[path])))


def _fields(element: Element) -> int:
    return len(element.attrib) + sum(not len(child) for child in element)


def _cells(row: Element) -> dict[str, str]:
    """Gather attributes and the texts of all leaves; what repeats is joined by semicolons."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    inner: Counter[str] = Counter()
    for path, element in _walk(row):
        prefix = "/".join(path[1:])
        for key, value in element.attrib.items():
            found["/".join(part for part in (prefix, key.rpartition("}")[2]) if part)].append(value)
        text = (element.text or "").strip()
        if prefix and text and not len(element):
            inner[prefix] += 1
            found[prefix].append(text)
    return {key: "; ".join(value for value in values if value) for key, values in found.items()}
