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
_MAX_LINES = 40  # no cell of a list has more; rows that ran together do
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
    first = 2 if told else 1
    try:
        return _NAMES[delimiter], _rows(body, delimiter, first, is_strict=True)
    except csv.Error as error:
        if "end of data" in str(error):
            raise _unclosed() from None
    try:
        # A sign behind a closing quote, as in `"5" wide`, is only untidy.
        return _NAMES[delimiter], _rows(body, delimiter, first, is_strict=False)
    except csv.Error:
        raise _unclosed() from None


def _rows(text: str, delimiter: str, first: int, *, is_strict: bool) -> list[Numbered]:
    rows: list[Numbered] = []
    for number, cells in enumerate(_records(text, delimiter, is_strict=is_strict), start=first):
        if any(cells):
            rows.append((number, cells))
            bounds.check_rows(len(rows))
            bounds.check_columns(len(cells))
            if not is_strict and any(cell.count("\n") > _MAX_LINES for cell in cells):
                raise _unclosed()
    return rows


def _unclosed() -> Unreadable:
    return Unreadable(
        "A quote is opened and never closed, so that rows run together; save the list as XLSX",
        "有未配对的引号导致各行粘连，请将名册另存为 XLSX 格式。",
    )


def _told(text: str) -> tuple[str, str]:
    """Take off the line `sep=;` by which Excel tells its delimiter."""
    line, _, rest = text.partition("\n")
    told = line.strip().lower()
    if told.startswith("sep=") and told[4:5] in _DELIMITERS:
        return told[4:5], rest
    return "", text


def _records(text: str, delimiter: str, *, is_strict: bool = False) -> Iterator[list[str]]:
    yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=is_strict)


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
