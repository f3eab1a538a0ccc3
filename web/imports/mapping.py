"""From the columns of a sheet to the fields of a kind: shipped layouts, guesses, and by hand."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace

from web.imports import aed_profiles, responder_profiles, stock_profiles
from web.imports.profile import Columns, Field, Profile
from web.imports.report import Said
from web.imports.sheet import Row, Sheet

__all__ = [
    "BadMapping", "Field", "Profile", "fields", "guess", "missing", "parse", "shipped", "values",
    "with_columns",
]  # fmt: skip

_KINDS: Mapping[str, tuple[tuple[Field, ...], tuple[Profile, ...]]] = {
    "aeds": (aed_profiles.FIELDS, aed_profiles.PROFILES),
    "responders": (responder_profiles.FIELDS, responder_profiles.PROFILES),
    "stock": (stock_profiles.FIELDS, stock_profiles.PROFILES),
}


class BadMapping(ValueError):
    """A mapping names a field or a column that is not there; `said` tells what there is."""

    def __init__(self, said: Said) -> None:
        super().__init__(said.en)
        self.said = said


def fields(kind: str) -> tuple[Field, ...]:
    """List the fields of a kind of list."""
    return _KINDS[kind][0]


def shipped(kind: str) -> tuple[Profile, ...]:
    """List the layouts of a kind that are known from the start."""
    return _KINDS[kind][1]


def guess(sheet: Sheet, kind: str) -> Profile | None:
    """Find the layout of a sheet: the shipped one that explains most of it, else by its headers.

    None when not even one field is found; `missing` names the required ones that were not.
    """
    known = [profile for profile in shipped(kind) if _fits(profile, sheet)]
    if known:
        return max(known, key=lambda profile: len(profile.named() & set(sheet.columns)))
    found = _by_headers(sheet, kind)
    return Profile("guessed", kind, found) if found else None


def _fits(profile: Profile, sheet: Sheet) -> bool:
    if not set(profile.marks or profile.named()) <= set(sheet.columns):
        return False
    if profile.sign is None:
        return True
    column, pattern = profile.sign
    return re.search(pattern, sheet.rows[0].cells.get(column, "")) is not None


def _by_headers(sheet: Sheet, kind: str) -> dict[str, str]:
    """Find each field by its own name and those that people give it; the first fitting wins."""
    by_key: dict[str, str] = {}
    for column in sheet.columns:
        by_key.setdefault(_key(column), column)
    found = {}
    for entry in fields(kind):
        names = (entry.name, entry.zh, entry.en, *entry.aliases)
        fitting = [by_key[_key(name)] for name in names if _key(name) in by_key]
        if fitting:
            found[entry.name] = fitting[0]
    return found


def _key(name: str) -> str:
    """Fold a header: width, case, spaces, stars and remarks in brackets make no difference."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"\([^)]*\)|[\s_\-*:.@#]", "", plain) or plain


def parse(pairs: Iterable[str]) -> dict[str, str | tuple[str, ...]]:
    """Read `field=column` pairs; a field that is named again has several columns.

    An empty column takes the field away. Raises `BadMapping`.
    """
    found: dict[str, tuple[str, ...]] = {}
    for pair in pairs:
        name, sign, column = pair.partition("=")
        if not sign or not name.strip():
            raise BadMapping(
                Said(
                    f"{pair!r} is no mapping; write field=column, such as name=Place",
                    f"{pair!r} 不是有效的对应关系，请写成 字段=列名，例如 name=场所名称。",
                )
            )
        more = (column.strip(),) if column.strip() else ()
        found[name.strip()] = (*found.get(name.strip(), ()), *more)
    return {name: told[0] if len(told) == 1 else told for name, told in found.items()}


def with_columns(profile: Profile | None, kind: str, told: Columns, sheet: Sheet) -> Profile:
    """Put what was mapped by hand over a layout. Raises `BadMapping`."""
    present = profile or Profile("by hand", kind, {})
    known = {field.name for field in fields(kind)} | set(present.columns)
    for name, column in told.items():
        if name not in known:
            raise _unknown("field", "字段", name, sorted(known))
        for one in (column,) if isinstance(column, str) else column:
            if one not in sheet.columns:
                raise _unknown("column", "列", one, list(sheet.columns))
    columns = {name: column for name, column in {**present.columns, **told}.items() if column}
    return replace(present, columns=columns)


def _unknown(en: str, zh: str, name: str, known: list[str]) -> BadMapping:
    listed = ", ".join(known)
    return BadMapping(
        Said(
            f"There is no {en} {name!r}; there are: {listed}", f"没有{zh} {name!r}，可用：{listed}"
        )
    )


def missing(profile: Profile) -> list[Field]:
    """List the required fields that no column was found for; a known layout lacks none."""
    is_known = any(profile.name == known.name for known in shipped(profile.kind))
    return [
        field
        for field in fields(profile.kind)
        if field.is_required and field.name not in profile.columns and not is_known
    ]


def values(row: Row, profile: Profile) -> dict[str, str]:
    """Give the texts of a row by field; a field whose columns are all empty is an empty text."""
    cells = row.cells
    found = {}
    for name, told in profile.columns.items():
        if isinstance(told, str):
            found[name] = cells.get(told, "")
        else:
            found[name] = next((cells[column] for column in told if cells.get(column)), "")
    return found
