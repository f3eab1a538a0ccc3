"""What a setting is for, in both languages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a setting is for; `golden settings` prints it, and never the value of a secret."""

    en: str
    zh: str
    is_secret: bool = False
