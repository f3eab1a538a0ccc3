"""What the tags of a ferry say: who may board, how long one waits and sails.

Ferries are `route=ferry` ways on which `foot`, or else `access`, is neither forbidden nor private.
Relations and timetables (`opening_hours`) are not read.
"""

import re
from collections.abc import Mapping

BOARDING_S = 600.0  # waiting, where the map does not say how often it goes
SPEED_MPS = 10 / 3.6  # where the map does not say how long it takes

_SHUT = frozenset(
    {"no", "military", "use_sidepath", "private", "residents", "permit", "employees", "members"}
)
_LONGEST_S = 86_400.0
_CLOCK = re.compile(r"(\d{1,3})(?::(\d{2}))?(?::(\d{2}))?")
_ISO = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")


def is_ferry(tags: Mapping[str, str]) -> bool:
    """Tell whether people on foot may board a way with these tags."""
    return tags.get("route") == "ferry" and tags.get("foot", tags.get("access")) not in _SHUT


def boarding_s(tags: Mapping[str, str]) -> float:
    """Give the seconds that one waits at a pier: half the interval."""
    interval_s = seconds(tags.get("interval"))
    return BOARDING_S if interval_s is None else interval_s / 2


def sailing_s(tags: Mapping[str, str], metres: float) -> float:
    """Give the seconds from the first node of the way to its last."""
    duration_s = seconds(tags.get("duration"))
    return metres / SPEED_MPS if duration_s is None else duration_s


def seconds(text: str | None) -> float | None:
    """Read 20 (minutes), 00:20, 00:20:00 or PT20M; None for anything else, and for nothing."""
    text = (text or "").strip()
    clock, iso = _CLOCK.fullmatch(text), _ISO.fullmatch(text)
    if clock is not None:
        first, second, third = (int(part) if part else 0 for part in clock.groups())
        hours, minutes = (0, first) if clock[2] is None else (first, second)
        found = hours * 3600 + minutes * 60 + third
    elif iso is not None:
        hours, minutes, rest = (int(part) if part else 0 for part in iso.groups())
        found = hours * 3600 + minutes * 60 + rest
    else:
        return None
    return float(found) if 0 < found <= _LONGEST_S else None
