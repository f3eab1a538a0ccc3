"""Excel workbooks, with numbers and dates as people see them."""

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from web.imports import bounds
from web.imports.unreadable import Unreadable

Numbered = tuple[int, list[str]]
_MAX_EMPTY = 2_000
# openpyxl lets out whatever a broken file makes it trip over.
_TRIPS = (
    ArithmeticError, AssertionError, AttributeError, EOFError, InvalidFileException, LookupError,
    NotImplementedError, OSError, RuntimeError, SyntaxError, TypeError, ValueError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
_FAILED = re.compile(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!)")


def is_workbook(content: bytes) -> bool:
    """Tell whether the content is an .xlsx file rather than another packed file."""
    return content.startswith(b"PK") and b"xl/" in content


def read(content: bytes) -> tuple[list[Numbered], tuple[str, ...]]:
    """Give the rows that hold something, with their numbers, of the fullest visible sheet.

    And the names of other visible sheets that look like lists too.

    Raises `Unreadable`.
    """
    _check_size(content)
    try:
        with warnings.catch_warnings():
            # What openpyxl leaves out (drop-downs, styles) is nothing that a list says.
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            sheets = [
                (sheet.title, list(_rows(sheet))) for sheet in book.worksheets if _is_shown(sheet)
            ]
            book.close()
    except _TRIPS as error:
        raise Unreadable(
            "The workbook is damaged or locked by a password; open it and save it again as XLSX",
            "工作簿已损坏或设有密码，请打开后重新另存为 XLSX 格式。",
        ) from error
    title, rows = max(sheets, key=lambda each: len(each[1]), default=("", []))
    others = (name for name, lines in sheets if name != title and _is_list(lines))
    return rows, tuple(others)


def _is_list(rows: Sequence[Numbered]) -> bool:
    """Tell a list from a cover: two rows of several cells."""
    return sum(len(cells) > 1 for _, cells in rows) >= 2


def _is_shown(sheet: object) -> bool:
    return isinstance(sheet, ReadOnlyWorksheet) and sheet.sheet_state == "visible"


def _check_size(content: bytes) -> None:
    """Refuse a packed file that would unpack to very much."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            size = sum(entry.file_size for entry in packed.infolist())
    except zipfile.BadZipFile:
        raise Unreadable(
            "The workbook is damaged; save it again as XLSX",
            "工作簿已损坏，请重新另存为 XLSX 格式。",
        ) from None
    if size > bounds.MAX_UNPACKED:
        raise Unreadable(
            "The workbook unpacks to too much; copy the list alone into a new workbook",
            "工作簿解压后过大，请将名册单独复制到新的工作簿中。",
        )


def _rows(sheet: ReadOnlyWorksheet) -> Iterator[Numbered]:
    # Some programs write a wrong size; without it the rows themselves count.
    sheet.reset_dimensions()
    found = empty = 0
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        texts = [shown(cell.value, str(cell.number_format or "")) for cell in cells]
        while texts and not texts[-1].strip():
            texts.pop()
        if texts:
            found, empty = found + 1, 0
            bounds.check_rows(found)
            bounds.check_columns(len(texts))
            yield number, texts
        else:
            empty += 1
            # Formatting of whole columns leaves a million rows with nothing in them.
            if empty > _MAX_EMPTY:
                return


def shown(value: object, number_format: str = "General") -> str:
    """Write a cell as people see it: no `.0` behind whole numbers, no time behind plain dates."""
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return _number(value, number_format)
        case datetime() | date() | time() | timedelta():
            return _moment(value)
        case _:
            text = str(value)
            # What a formula shows when it fails is no value.
            return "" if _FAILED.fullmatch(text) else text


def _number(value: float, number_format: str) -> str:
    # Codes such as 0420 are numbers shown with a fixed count of digits.
    if re.fullmatch(r"0{2,}", number_format) and float(value).is_integer():
        return f"{int(value):0{len(number_format)}d}"
    return str(value) if isinstance(value, int) else f"{value:.15g}"


def _moment(value: date | time | timedelta) -> str:
    if isinstance(value, timedelta):
        minutes = round(value.total_seconds() / 60)
        return f"{minutes // 60}:{minutes % 60:02d}"
    if isinstance(value, datetime):
        is_day = value.time() == time()
        return value.date().isoformat() if is_day else value.isoformat(sep=" ", timespec="minutes")
    return value.isoformat(timespec="minutes") if isinstance(value, time) else value.isoformat()
