"""Which row of a sheet names the columns: titles, notes and `#` lines may stand before it."""

import re
from collections import Counter
from collections.abc import Sequence

Numbered = tuple[int, list[str]]

_LOOKED_AT = 30
# Numbers, times, telephone numbers, coordinates: no column is called so.
_FIGURES = re.compile(r"[\d\s.,:;()+\-/°'\"]*\d[\d\s.,:;()+\-/°'\"]*")
_MAX_NAME = 200


def split(rows: Sequence[Numbered]) -> tuple[tuple[str, ...], list[Numbered]]:
    """Give the names of the columns and the rows below them.

    A list without names gets the numbers of its columns, from "1".
    """
    body, named = _without_comments(rows)
    if not body:
        return (_names(named, len(named)) if named else ()), []
    if named is None:
        named, body = _header(body)
    return _names(named or [], _width(named, body)), list(body)


def _width(named: Sequence[str] | None, body: Sequence[Numbered]) -> int:
    """Count the columns: those without a name too, if they are used and not just slipped into."""
    widths = [len(cells) for _, cells in body]
    if named is None:
        return max(widths, default=0)
    beyond = sum(width > len(named) for width in widths)
    return max(widths) if beyond * 5 > len(widths) else len(named)


def _without_comments(rows: Sequence[Numbered]) -> tuple[list[Numbered], list[str] | None]:
    """Leave out `#` lines; LinkData's `#property` line among others is the header."""
    has_comments = len(rows) > 1 and all(_is_comment(cells) for _, cells in rows[:2])
    if not has_comments:
        return list(rows), None
    named = next((cells for _, cells in rows if cells[0].strip() == "#property"), None)
    return [row for row in rows if not _is_comment(row[1])], named


def _is_comment(cells: Sequence[str]) -> bool:
    return bool(cells) and cells[0].lstrip().startswith("#")


def _header(rows: list[Numbered]) -> tuple[list[str] | None, list[Numbered]]:
    fullest = max(_filled(cells) for _, cells in rows[:_LOOKED_AT])
    enough = min(fullest, max(2, (fullest + 1) // 2))
    for index, (_, cells) in enumerate(rows[:_LOOKED_AT]):
        if _filled(cells) >= enough:
            if _is_header(cells):
                return cells, rows[index + 1 :]
            return None, rows[index:]
    return None, rows


def _filled(cells: Sequence[str]) -> int:
    return sum(1 for cell in cells if cell.strip())


def _is_header(cells: Sequence[str]) -> bool:
    filled = [cell.strip() for cell in cells if cell.strip()]
    if 2 * len(set(filled)) < len(filled):
        return False
    return not any(_FIGURES.fullmatch(cell) or len(cell) > _MAX_NAME for cell in filled)


def _names(cells: Sequence[str], width: int) -> tuple[str, ...]:
    """Clean the names; one that is missing is its number, one that is double says so."""
    seen: Counter[str] = Counter()
    names = []
    for place in range(1, width + 1):
        cell = cells[place - 1] if place <= len(cells) else ""
        name = " ".join(cell.replace("\ufeff", "").split()) or str(place)
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    while names and len(names) > 1 and names[-1] == str(len(names)) and cells:
        names.pop()
    return tuple(names)
