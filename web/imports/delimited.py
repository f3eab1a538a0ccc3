"""Text in lines and columns, whatever parts the columns: comma, semicolon, tab, bar."""

import csv
import io
from collections import Counter
from collections.abc import Iterator

from web.imports import bounds
from web.imports.unreadable import Unreadable

Numbered = tuple[int, list[str]]

_DELIMITERS = (",", ";", "\t", "|")
_TRIED = 60
_NAMES = {",": "CSV", ";": "CSV", "\t": "TSV", "|": "CSV"}


def read(text: str) -> tuple[str, list[Numbered]]:
    """Give the name of the format and the rows with their numbers, the first one 1.

    A row with line breaks inside quotes counts once, as a spreadsheet counts it.
    Raises `Unreadable`.
    """
    if "\x00" in text:
        raise Unreadable(
            "The file is not text; save the list as CSV UTF-8 or XLSX",
            "文件不是文本，请将名册另存为 CSV UTF-8 或 XLSX 格式。",
        )
    told, body = _told(text)
    delimiter = told or _sniff(body)
    rows: list[Numbered] = []
    first = 2 if told else 1
    try:
        for number, cells in enumerate(_records(body, delimiter), start=first):
            if any(cells):
                rows.append((number, cells))
                bounds.check_rows(len(rows))
                bounds.check_columns(len(cells))
    except csv.Error as error:
        raise Unreadable(
            f"Near row {len(rows) + 1} the quotes do not match ({error}); save the list as XLSX",
            f"第 {len(rows) + 1} 行附近的引号不配对，请将名册另存为 XLSX 格式。",
        ) from None
    return _NAMES[delimiter], rows


def _told(text: str) -> tuple[str, str]:
    """Take off the line `sep=;` by which Excel tells its delimiter."""
    line, _, rest = text.partition("\n")
    told = line.strip().lower()
    if told.startswith("sep=") and told[4:5] in _DELIMITERS:
        return told[4:5], rest
    return "", text


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _sniff(text: str) -> str:
    """Find what parts the columns: what cuts most rows into the same number of cells."""
    sample = text[:200_000]
    return max(_DELIMITERS, key=lambda delimiter: _evenness(sample, delimiter))


def _evenness(sample: str, delimiter: str) -> int:
    widths: Counter[int] = Counter()
    try:
        for number, cells in enumerate(_records(sample, delimiter)):
            if number == _TRIED:
                break
            widths[len(cells)] += 1
    except csv.Error:
        return 0
    return max(((width - 1) * rows for width, rows in widths.items()), default=0)
