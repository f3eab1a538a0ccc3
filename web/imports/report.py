"""What an import did or would do, and what is wrong with which row, in two languages."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence in both languages."""

    en: str
    zh: str

    def __str__(self) -> str:
        return f"{self.en} {self.zh}"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that cannot be used, by its number in the file."""

    row: int
    reason: Said


@dataclass(frozen=True, slots=True)
class Warning:  # noqa: A001 - the word of the interface; nobody warns in Python's way here
    """Something odd that a person should look at; the rows were taken all the same.

    `proposal` says what may have been meant, where that is plain.
    """

    code: str
    text: Said
    rows: tuple[int, ...] = ()
    proposal: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one list."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: Sequence[Rejected] = field(default_factory=tuple)
    warnings: Sequence[Warning] = field(default_factory=tuple)

    def as_json(self) -> dict[str, object]:
        """Give the public form: three counts, and each rejected row with its reason."""
        rejected = sorted(self.rejected, key=lambda entry: entry.row)
        return {
            "added": self.added,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "rejected": [{"row": entry.row, "reason": str(entry.reason)} for entry in rejected],
        }
