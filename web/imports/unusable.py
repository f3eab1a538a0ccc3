"""Why a row cannot be used: every reason at once, so that nobody mends a sheet cell by cell."""

from collections.abc import Callable, Mapping

from web.imports.aed_columns import BadCell
from web.imports.report import Said
from web.imports.sheet import Row


class Unusable(Exception):
    """The row cannot be used, for these reasons."""

    def __init__(self, *reasons: Said) -> None:
        super().__init__()
        self.said = Said(
            "; ".join(reason.en for reason in reasons), "；".join(reason.zh for reason in reasons)
        )


def refuse_twin(row: Row, seen: dict[tuple[str, ...], int]) -> None:
    """Refuse a row that says in every cell what an earlier one said. Raises `Unusable`."""
    first = seen.setdefault(tuple(row.cells.values()), row.number)
    if first != row.number:
        raise Unusable(
            Said(f"the same as row {first}; delete one", f"与第 {first} 行完全相同，请删除其一")
        )


Reader = Callable[[str, str], object]


def read(texts: Mapping[str, str], readers: Mapping[str, Reader]) -> dict[str, object]:
    """Read every cell that is not empty. Raises `Unusable` with all that is wrong."""
    reasons: list[Said] = []
    found: dict[str, object] = {}
    for name, text in texts.items():
        if text:
            try:
                found[name] = readers[name](name, text)
            except BadCell as bad:
                reasons.append(bad.said)
    if reasons:
        raise Unusable(*reasons)
    return found
