"""From the columns of a sheet to the fields of a kind: shipped layouts, guesses, and by hand."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace

from web.imports import aed_profiles, responder_profiles, stock_profiles
from web.imports.profile import Choice, Columns, Field, Profile
from web.imports.report import Said
from web.imports.sheet import Row, Sheet

__all__ = [
    "BadMapping", "Choice", "Field", "Profile", "by_headers", "fields", "find", "fits", "guess",
    "lacking", "missing", "parse", "present_in", "secret_columns", "shipped", "values",
    "with_columns",
]  # fmt: skip

#: Our own sheet, and whatever is known by its headers alone.
OURS, GUESSED = "county-zh", "guessed"
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
    known = [profile for profile in shipped(kind) if fits(profile, sheet)]
    if not known:
        return by_headers(sheet, kind)
    best = max(known, key=lambda profile: len(profile.named() & set(sheet.columns)))
    return _with_headers(best, sheet) if best.name == OURS else best


def _with_headers(ours: Profile, sheet: Sheet) -> Profile:
    """Find the columns of our own sheet that somebody gave another name."""
    found = _headers(sheet, ours.kind)
    used = ours.named() & set(sheet.columns)
    renamed = {
        name: column
        for name, column in found.items()
        if ours.columns[name] not in used and column not in used
    }
    return replace(ours, columns={**ours.columns, **renamed})


def by_headers(sheet: Sheet, kind: str) -> Profile | None:
    """Find each field by its header, whatever layout the sheet has; None without any."""
    found = _headers(sheet, kind)
    return Profile(GUESSED, kind, found) if found else None


def find(sheet: Sheet, kind: str, choice: Choice | None) -> Profile | None:
    """Give the layout that was chosen, else the one that is guessed. Raises `BadMapping`.

    The columns of a kept layout are put over the guess, but for those that the sheet lacks.
    """
    if choice is None:
        return guess(sheet, kind)
    if choice.columns is not None:
        return _kept(sheet, kind, choice.name, choice.columns)
    if choice.name == GUESSED:
        return by_headers(sheet, kind)
    known = {profile.name: profile for profile in shipped(kind)}
    if choice.name not in known:
        raise _unknown("layout", "版式", choice.name, [*known, GUESSED])
    return known[choice.name]


def _kept(sheet: Sheet, kind: str, name: str, columns: Columns) -> Profile:
    present = guess(sheet, kind) or Profile(name, kind, {})
    usable = {field: told for field, told in columns.items() if not told or present_in(sheet, told)}
    return replace(present, name=name, columns=_filled({**present.columns, **usable}))


def present_in(sheet: Sheet, told: str | tuple[str, ...]) -> tuple[str, ...]:
    """List the columns of a field that the sheet has."""
    columns = (told,) if isinstance(told, str) else told
    return tuple(column for column in columns if column in sheet.columns)


def lacking(sheet: Sheet, choice: Choice | None) -> list[str]:
    """List the columns that a kept layout names and the sheet lacks."""
    if choice is None or choice.columns is None:
        return []
    named = Profile(choice.name, "", choice.columns).named()
    return sorted(named - set(sheet.columns))


def _filled(columns: Columns) -> Columns:
    return {name: told for name, told in columns.items() if told}


def secret_columns(sheet: Sheet, profile: Profile) -> frozenset[str]:
    """List the columns of a sheet whose cells are shown to nobody: mapped so, or named so."""
    secrets = {field.name for field in fields(profile.kind) if field.is_secret}
    mapped = replace(
        profile, columns={name: told for name, told in profile.columns.items() if name in secrets}
    )
    keys = {
        _key(name) for field in fields(profile.kind) if field.is_secret for name in _names(field)
    }
    return mapped.named() | {column for column in sheet.columns if _key(column) in keys}


def fits(profile: Profile, sheet: Sheet) -> bool:
    """Tell whether a sheet has what the layout is known by."""
    if not set(profile.marks or profile.named()) <= set(sheet.columns):
        return False
    if profile.sign is None:
        return True
    column, pattern = profile.sign
    return re.search(pattern, sheet.rows[0].cells.get(column, "")) is not None


def _headers(sheet: Sheet, kind: str) -> dict[str, str]:
    """Find each field by its own name and those that people give it; the first fitting wins."""
    by_key: dict[str, str] = {}
    for column in sheet.columns:
        by_key.setdefault(_key(column), column)
    found = {}
    for entry in fields(kind):
        fitting = [by_key[_key(name)] for name in _names(entry) if _key(name) in by_key]
        if fitting:
            found[entry.name] = fitting[0]
    return found


def _names(field: Field) -> tuple[str, ...]:
    return (field.name, field.zh, field.en, *field.aliases)


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
    return replace(present, columns=_filled({**present.columns, **told}))


def _unknown(en: str, zh: str, name: str, known: list[str]) -> BadMapping:
    listed = ", ".join(known)
    return BadMapping(
        Said(
            f"There is no {en} {name!r}; there are: {listed}", f"没有{zh} {name!r}，可用：{listed}"
        )
    )


def missing(profile: Profile, sheet: Sheet) -> list[Field]:
    """List the required fields that the sheet has no column for; tags need none."""
    return [
        field
        for field in fields(profile.kind)
        if field.is_required
        and profile.style != "osm"
        and not present_in(sheet, profile.columns.get(field.name, ()))
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
