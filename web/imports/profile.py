"""Which column of a layout is which field of a kind of list."""

from collections.abc import Mapping
from dataclasses import dataclass

Columns = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Field:
    """One field that a kind of list has; `aliases` are headers that people give it.

    What stands in a column of a secret field is shown to nobody.
    """

    name: str
    en: str
    zh: str
    aliases: tuple[str, ...] = ()
    is_required: bool = False
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """A layout: the column of each field, or several of which the first that is filled counts.

    Lists of one `source` recognise each other's rows. A sheet has this layout if it has all of
    `marks` (else all columns named here), and where `sign` is given, if the first row's cell of
    that column fits the pattern. `style` names what reads the layout's own ways. `en` and `zh` are
    what people call it.
    """

    name: str
    kind: str
    columns: Columns
    source: str = "list"
    marks: tuple[str, ...] = ()
    sign: tuple[str, str] | None = None
    style: str = ""
    en: str = ""
    zh: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", dict(self.columns))

    def named(self) -> frozenset[str]:
        """List the columns that are named here."""
        return frozenset(
            column
            for told in self.columns.values()
            for column in ((told,) if isinstance(told, str) else told)
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """A layout that somebody chose by its name; `columns` are those of one that an office keeps."""

    name: str
    columns: Columns | None = None
