"""How large a list may be: far above any county's, far below what stops a server."""

from web.imports.unreadable import Unreadable

MAX_BYTES = 32 * 1024 * 1024
MAX_UNPACKED = 160 * 1024 * 1024
MAX_ROWS = 100_000
MAX_COLUMNS = 400


def check_bytes(size: int) -> None:
    """Refuse a file that is empty or too large. Raises `Unreadable`."""
    if size == 0:
        raise Unreadable("The file is empty", "文件为空。")
    if size > MAX_BYTES:
        raise Unreadable(
            f"The file is larger than {MAX_BYTES >> 20} MB; split the list",
            f"文件超过 {MAX_BYTES >> 20} MB，请拆分名册后再导入。",
        )


def check_rows(count: int) -> None:
    """Refuse more rows than one list may have. Raises `Unreadable`."""
    if count > MAX_ROWS:
        raise Unreadable(
            f"The list has more than {MAX_ROWS:,} rows; split it",
            f"名册超过 {MAX_ROWS:,} 行，请拆分后再导入。",
        )


def check_columns(count: int) -> None:
    """Refuse a row with more cells than any sheet needs. Raises `Unreadable`."""
    if count > MAX_COLUMNS:
        raise Unreadable(
            f"A row has more than {MAX_COLUMNS} cells; delete the columns that are not needed",
            f"某行超过 {MAX_COLUMNS} 个单元格，请删除不需要的列。",
        )
