"""Which column of a layout is which field of a kind of list."""

from collections.abc import Mapping
from dataclasses import dataclass

Columns = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Field:
    """One field that a kind of list has; `aliases` are headers that people give it."""

    name: str
    en: str
    zh: str
    aliases: tuple[str, ...] = ()
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """A layout: the column of each field, or several of which the first that is filled counts.

    Lists of one `source` recognise each other's rows. A sheet has this layout if it has all of
    `marks` (else all columns named here), and where `sign` is given, if the first row's cell of
    that column fits the pattern. `style` names what reads the layout's own ways.
    """

    name: str
    kind: str
    columns: Columns
    source: str = "list"
    marks: tuple[str, ...] = ()
    sign: tuple[str, str] | None = None
    style: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", dict(self.columns))

    def named(self) -> frozenset[str]:
        """List the columns that are named here."""
        return frozenset(
            column
            for told in self.columns.values()
            for column in ((told,) if isinstance(told, str) else told)
        )
