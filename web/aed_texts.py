"""PURE  What the server-rendered AED page says of a device, from what the public API answered."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Facts = Mapping[str, Any]
Words = Mapping[str, Any]

SOON = timedelta(minutes=15)
_DAY = re.compile(r"\b(Mo|Tu|We|Th|Fr|Sa|Su|PH)\b")
#: Names that say nothing; the address says more.
_NO_NAMES = {"AED", "DAE"}


@dataclass(frozen=True, slots=True)
class Way:
    """A walk: whole minutes rounded up, its length in words, and whether it is a guess."""

    minutes: int
    way: str
    is_estimate: bool
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """One device in words; an empty text is left out."""

    id: str
    name: str
    where: str
    lon: float
    lat: float
    usable: str
    state: str
    now: str
    access: str
    closure: str
    hours: str
    hours_note: str
    trust: str
    cabinet: str
    child_pads: str
    phone: str
    tel: str
    checked: str
    is_invented: bool
    photos: Sequence[Facts]


def show(facts: Facts, words: Words, *, zone: ZoneInfo, now: datetime) -> Shown:
    """Put a device into words; `zone` is that of its place."""
    lon, lat = facts["position"]["coordinates"][:2]
    phone = (facts.get("phone") or "").split(";")[0].strip()
    return Shown(
        id=facts["id"],
        name=_name(facts),
        where=_where(facts, words),
        lon=lon,
        lat=lat,
        usable=facts["usable"],
        state=state(facts, now),
        now=now_text(facts, words, zone=zone, now=now),
        access=words["access"].get(facts["access"], ""),
        closure=facts.get("closed_note") or "",
        hours=hours_text(facts.get("hours") or "", words),
        hours_note=facts.get("hours_note") or "",
        trust=_trust(facts, words),
        cabinet=words["cabinet"].get(facts.get("cabinet") or "", ""),
        child_pads=words["child_pads"] if facts.get("has_child_pads") else "",
        phone=phone,
        tel=re.sub(r"[^0-9+*#]", "", phone),
        checked=_checked(facts, words, zone),
        is_invented=bool(facts.get("is_invented")),
        photos=_photos(facts),
    )


def state(facts: Facts, now: datetime) -> str:
    """Say how the device is drawn: usable, soon, closed, unknown or out."""
    if facts["status"] != "in_service":
        return "out"
    if facts["usable"] != "yes":
        return "unknown" if facts["usable"] == "unknown" else "closed"
    until = _time(facts.get("usable_until"))
    is_soon = until is not None and until - now <= SOON
    return "soon" if is_soon or facts["access"] in {"staff", "members"} else "usable"


def now_text(facts: Facts, words: Words, *, zone: ZoneInfo, now: datetime) -> str:
    """Say whether it can be taken now and until when, or why not, in the time of its place."""
    said, reason = words["now"], facts["usable_reason"]
    until = _time(facts.get("usable_until"))
    when = "" if until is None else _when(until.astimezone(zone), now.astimezone(zone), words)
    if facts["usable"] == "yes":
        if reason == "always_open":
            return str(said["always"])
        return str(said["until"].format(time=when) if when else said["open"])
    pattern = {"closed": "opens", "closed_temporarily": "closed_until"}.get(reason)
    if facts["usable"] == "no" and pattern and when:
        return str(said[pattern].format(time=when))
    return str(words["reasons"].get(reason, words["states"]["unknown"]))


def hours_text(hours: str, words: Words) -> str:
    """Write opening hours with the names of the days as people know them."""
    days = {**words["days"], "PH": words["holidays"]}
    named = _DAY.sub(lambda found: str(days[found.group()]), hours)
    return named.replace("24/7", words["reasons"]["always_open"])


def way(properties: Facts, words: Words, origin: str = "") -> Way:
    """Put a walk into words."""
    seconds, metres = properties["travel_s"], properties["distance_m"]
    is_near = metres < 1000
    number = f"{round(metres / 10) * 10}" if is_near else f"{metres / 1000:.1f}"
    length = words["metres" if is_near else "kilometres"].format(n=number)
    return Way(
        max(1, math.ceil(seconds / 60)), length, properties["eta_source"] == "estimate", origin
    )


def _name(facts: Facts) -> str:
    name, address = str(facts["name"]), facts.get("address")
    return str(address) if address and name.strip().upper() in _NO_NAMES else name


def _where(facts: Facts, words: Words) -> str:
    floor = facts.get("floor")
    if floor and re.fullmatch(r"-?\d+", floor):
        floor = words["floor"].format(n=floor)
    address = facts.get("address")
    indoor = facts.get("indoor")
    inside = "" if indoor is None else words["indoor" if indoor else "outdoor"]
    carrier = facts.get("carrier")
    said = [
        None if address == _name(facts) else address,
        floor or inside,
        facts.get("entrance"),
        facts.get("location_note"),
        words["carrier"].format(name=carrier) if carrier else None,
    ]
    return " · ".join(part for part in said if part)


def _checked(facts: Facts, words: Words, zone: ZoneInfo) -> str:
    at = _time(facts.get("verified_at"))
    if at is None:
        return str(words["not_checked"])
    return str(words["checked"].format(day=at.astimezone(zone).date().isoformat()))


def _trust(facts: Facts, words: Words) -> str:
    """Say what is in doubt; that nobody ever checked is said elsewhere."""
    trust = facts.get("trust") or ""
    is_said = trust == "ageing" and facts.get("verified_at") is None
    return "" if is_said else str(words["trust"].get(trust, ""))


def _photos(facts: Facts) -> list[Facts]:
    """Order the photos: the surroundings, to find the place, then the cabinet."""
    photos: list[Facts] = list(facts.get("photos") or [])
    return sorted(photos, key=lambda photo: photo["kind"] != "surroundings")


def _when(until: datetime, now: datetime, words: Words) -> str:
    """Give the hour, with the day when it is not today."""
    clock = f"{until:%H:%M}"
    if until.date() == now.date():
        return clock
    if until - now < timedelta(days=6):
        return f"{list(words['days'].values())[until.weekday()]} {clock}"
    return f"{until:%Y-%m-%d} {clock}"


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
