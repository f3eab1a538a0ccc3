"""A list as people hand it over, in whichever format and encoding, as named cells of text."""

import codecs
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from web.imports import bounds, delimited, encoding, features, header, markup, workbook
from web.imports.unreadable import Unreadable

__all__ = ["Row", "Sheet", "Unreadable", "read"]

_SPACES = " \t\r\n\u00a0\u3000\u200b\ufeff"


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `number` is the one that people count in the file, the header included.

    Features and elements count from 1. `surplus` are cells beyond the last named column: what
    stands in such a row may have slipped by a column.
    """

    number: int
    cells: dict[str, str]
    surplus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A list that was read: `format` and `encoding` as people call them, every cell trimmed.

    `left_out` are other sheets of the workbook that hold rows.
    """

    format: str
    encoding: str
    columns: tuple[str, ...]
    rows: list[Row] = field(default_factory=list)
    left_out: tuple[str, ...] = ()


def read(content: bytes, name: str, *, encoding: str | None = None) -> Sheet:
    """Read CSV, TSV, XLSX, GeoJSON, KML or XML, told apart by what is in the file.

    Raises `Unreadable`, which says what to do.
    """
    bounds.check_bytes(len(content))
    _refuse_others(content, name)
    if workbook.is_workbook(content):
        rows, left_out = workbook.read(content)
        return replace(_table("XLSX", "UTF-8", rows), left_out=left_out)
    match _first_sign(content):
        case "{" | "[":
            kind, code, records = features.read_json(content, encoding)
            return _of_records(kind, code, records)
        case "<":
            return _marked_up(content, encoding)
        case _:
            return _text(content, encoding)


def _first_sign(content: bytes) -> str:
    is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    head = content[:200].replace(b"\x00", b"")[2:] if is_wide else content[:200]
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()
    sign = start[:1].decode("ascii", errors="replace")
    # A list without a header may begin with a bracket too; JSON goes on with a name or an object.
    is_json = start[:1] == b"{" or start[1:].lstrip()[:1] in {b"{", b"]", b""}
    return "" if sign == "[" and not is_json else sign


# What people send by mistake, by how it begins, with what to do instead.
_OTHERS = (
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)", "旧版 Excel 工作簿（.xls）"),
    (b"%PDF", "a PDF", "PDF 文件"),
    (b"\x89PNG", "a picture", "图片"),
    (b"\xff\xd8\xff", "a picture", "图片"),
    (b"GIF8", "a picture", "图片"),
    (b"Rar!", "a packed archive", "压缩包"),
    (b"7z\xbc\xaf", "a packed archive", "压缩包"),
    (b"\x1f\x8b", "a packed archive", "压缩包"),
    (b"SQLite format 3", "a database", "数据库文件"),
)


def _refuse_others(content: bytes, name: str) -> None:
    found = next((entry for entry in _OTHERS if content.startswith(entry[0])), None)
    if found is None and content.startswith(b"PK") and not workbook.is_workbook(content):
        found = (b"PK", "a packed archive or another office's file", "压缩包或其他办公软件的文件")
    start = content[:500].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if found is None and start.startswith((b"<!doctype html", b"<html")):
        found = (b"<", "a web page", "网页")
    if found is not None:
        raise Unreadable(
            f"{name} is {found[1]}; save or export the list as XLSX or CSV UTF-8",
            f"{name} 是{found[2]}，请将名册另存或导出为 XLSX 或 CSV UTF-8 格式。",
        )


def _text(content: bytes, told: str | None) -> Sheet:
    text, code = encoding.decode(content, told)
    kind, rows = delimited.read(text.removeprefix("\ufeff"))
    return _table(kind, code, rows)


def _marked_up(content: bytes, told: str | None) -> Sheet:
    root, code = markup.parse(content, told)
    if markup.local(root) == "kml":
        return _of_records("KML", code, features.read_kml(root))
    return _of_records("XML", code, markup.read(root))


def _table(kind: str, code: str, rows: Sequence[tuple[int, list[str]]]) -> Sheet:
    trimmed = [(number, [trim(cell) for cell in cells]) for number, cells in rows]
    columns, body = header.split([row for row in trimmed if any(row[1])])
    found = [_row(number, cells, columns) for number, cells in body]
    return _sheet(Sheet(kind, code, columns, found))


def _row(number: int, cells: Sequence[str], columns: tuple[str, ...]) -> Row:
    surplus = tuple(cell for cell in cells[len(columns) :] if cell)
    return Row(number, dict(zip(columns, cells, strict=False)), surplus)


def _of_records(kind: str, code: str, records: Iterable[tuple[int, dict[str, str]]]) -> Sheet:
    """Make a sheet of records that name their own cells."""
    rows = [
        Row(number, {key: trim(value) for key, value in cells.items() if key})
        for number, cells in records
    ]
    columns = dict.fromkeys(key for row in rows for key in row.cells)
    bounds.check_columns(len(columns))
    return _sheet(Sheet(kind, code, tuple(columns), rows))


def _sheet(found: Sheet) -> Sheet:
    if not found.rows:
        raise Unreadable(
            "The file holds no rows below the header", "文件中除表头外没有任何数据行。"
        )
    return found


def trim(cell: str) -> str:
    """Cut spaces off, those of Chinese typing too, and write line ends in one way."""
    return cell.replace("\r\n", "\n").replace("\r", "\n").strip(_SPACES)
