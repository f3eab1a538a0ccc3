"""When a device of a list may be taken: from whatever columns its layout says that in."""

from collections.abc import Mapping

from geo import hours_text

Hours = dict[str, str | None]

_FORM = "星期一至星期五 {} 至 {}<br>星期六 {} 至 {}<br>星期日 {} 至 {}<br>備註:{}"
_FORM_PARTS = (
    "weekday_start", "weekday_end", "saturday_start", "saturday_end", "sunday_start", "sunday_end",
)  # fmt: skip
_NOTHING = frozenset({"", "-", "EMPTY", "無", "无", "なし"})


def read(texts: Mapping[str, str], style: str) -> Hours:
    """Give the columns `hours` and `hours_note`, none of them if the list says nothing of hours.

    Prose that cannot be read for certain becomes a note, and the hours stay unknown.
    """
    if style == "golden":
        return {key: texts[key] or None for key in ("hours", "hours_note") if key in texts}
    said = {key: "" if text in _NOTHING else text for key, text in texts.items()}
    if "weekday_start" in said:
        return _form(said)
    if any(said.get(key) for key in ("hours_days", "hours_start", "hours_end")):
        return _parts(said)
    if "hours" in said or "hours_note" in said or "hours_days" in said:
        return _prose(said)
    return {}


def _form(said: Mapping[str, str]) -> Hours:
    """Read the columns of Taiwan's registry as the one cell that they were before."""
    parts = [said.get(key, "")[:5] for key in _FORM_PARTS]
    note = said.get("hours_note", "")
    if not any(parts):
        return _prose({"hours_note": note})
    hours = hours_text.to_osm(_FORM.format(*parts, note))
    days = ("周一至周五", "周六", "周日")
    spans = zip(days, parts[::2], parts[1::2], strict=True)
    shown = "; ".join(f"{day} {start}-{end}" for day, start, end in spans if start or end)
    return _told(hours, note, "; ".join(text for text in (shown, note) if text))


def _parts(said: Mapping[str, str]) -> Hours:
    days, start, end, note = (
        said.get(key, "") for key in ("hours_days", "hours_start", "hours_end", "hours_note")
    )
    hours = hours_text.from_parts(days, start, end, note)
    clock = "-".join(_clock(text) for text in (start, end) if text)
    return _told(hours, note, " ".join(text for text in (days, clock, note) if text))


def _clock(text: str) -> str:
    """Show a time that a program wrote as an instant of the first day of spreadsheets."""
    return text[11:16] if text.startswith("1899-12-30T") else text


def _prose(said: Mapping[str, str]) -> Hours:
    told, note = said.get("hours", ""), said.get("hours_note", "")
    if told:
        hours = hours_text.to_osm(told)
        return _told(hours, note, "; ".join(text for text in (_shown(told), note) if text))
    return _told(hours_text.to_osm(note) if note else None, "", note)


def _shown(text: str) -> str:
    """Write a cell with line ends of the web in one line."""
    return "; ".join(" ".join(part.split()) for part in text.replace("<br>", "\n").splitlines())


def _told(hours: str | None, note: str, prose: str) -> Hours:
    """Keep the remark beside hours that were read, all the prose beside hours that were not."""
    return {"hours": hours, "hours_note": (note if hours else prose) or None}
