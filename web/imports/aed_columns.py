"""The columns of a list of AEDs as we write it, and how a text becomes the value of a column."""

import calendar
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import available_timezones

from web.imports.report import Said

#: What `golden export aeds` writes, in this order. Never the code of a cabinet, nor custodians.
EXPORTED = (
    "id", "name", "address", "floor", "entrance", "location_note", "indoor", "phone", "lon", "lat",
    "source_crs", "raw_lon", "raw_lat", "accuracy_m", "position_method", "access", "hours",
    "hours_note", "time_zone", "closed_from", "closed_until", "closed_note", "cabinet", "brand",
    "model", "serial", "pads_expire_on", "child_pads_expire_on", "has_child_pads",
    "battery_expires_on", "installed_on", "acquired", "donor", "carrier", "moved_at", "status",
    "verified_at", "check_every_days", "source", "source_ref", "is_invented",
)  # fmt: skip
#: An empty cell of these says nothing; of others it says that there is none.
NEVER_EMPTY = frozenset(
    {"name", "access", "cabinet", "status", "time_zone", "source_crs", "source", "is_invented"}
)
_MAX_WORD, _MAX_TEXT = 200, 4000
_LONG = {"location_note", "hours_note", "closed_note"}


class BadCell(ValueError):
    """A cell cannot be what its column says; `said` tells what to write."""

    def __init__(self, said: Said) -> None:
        super().__init__(said.en)
        self.said = said


def value(column: str, text: str, *, is_ours: bool = False) -> object:
    """Read the text of one column; an empty one is None. Raises `BadCell`.

    Words that the registry itself wrote (`is_ours`) are taken as they are.
    """
    if not text:
        return None
    if column in _READERS:
        return _READERS[column](column, text)
    return text if is_ours else _words(column, text)


def _words(column: str, text: str) -> str:
    plain = "".join(sign for sign in text if sign in "\n\t" or unicodedata.category(sign) != "Cc")
    most = _MAX_TEXT if column in _LONG else _MAX_WORD
    if len(plain) > most:
        raise BadCell(
            Said(
                f"{column} has {len(plain)} characters; at most {most} fit",
                f"{column} 有 {len(plain)} 个字符，最多 {most} 个。",
            )
        )
    return plain


def plain(text: str) -> str:
    """Fold what is typed full-width or in other signs of one meaning."""
    return unicodedata.normalize("NFKC", text).strip()


_TURNS = re.compile(
    r"(?P<head>[NSEWnsew]|北纬|南纬|东经|西经|北緯|南緯|東経|西経|東經|西經)?\s*"
    r"(?P<degrees>[-+]?\d+(?:\.\d+)?)\s*[°度]\s*"
    r"(?:(?P<minutes>\d+(?:\.\d+)?)\s*['′分]\s*)?(?:(?P<seconds>\d+(?:\.\d+)?)\s*(?:\"|″|''|秒)\s*)?"
    r"(?P<tail>[NSEWnsew])?"
)
_NEGATIVE = {"s", "w", "南纬", "西经", "南緯", "西経", "西經"}


def number(column: str, text: str) -> float:
    """Read a number: a decimal comma, degrees with minutes and seconds too. Raises `BadCell`."""
    folded = plain(text).replace("−", "-").replace("’", "'").replace("”", '"')
    turns = _TURNS.fullmatch(folded)
    if turns is not None:
        return _degrees(turns)
    try:
        found = float(folded.replace(",", ".") if folded.count(",") == 1 else folded)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise BadCell(Said(f"{column} {text!r} is no number", f"{column} “{text}”不是数字。"))
    return found


def _degrees(turns: re.Match[str]) -> float:
    degrees = float(turns["degrees"])
    size = abs(degrees) + float(turns["minutes"] or 0) / 60 + float(turns["seconds"] or 0) / 3600
    side = (turns["head"] or turns["tail"] or "").lower()
    return -size if degrees < 0 or side in _NEGATIVE else size


_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?|月)?(?:[T ]\d{1,2}:\d\d.*)?")
_SOLID_DAY = re.compile(r"(\d{4})(\d\d)(\d\d)")


def day(column: str, text: str, *, is_last: bool = False) -> date:
    """Read a day; of a month alone the first, or the last. Raises `BadCell`."""
    folded = plain(text)
    found = _DAY.fullmatch(folded) or _SOLID_DAY.fullmatch(folded)
    try:
        if found is not None:
            year, month = int(found[1]), int(found[2])
            end = calendar.monthrange(year, month)[1] if is_last else 1
            return date(year, month, int(found[3] or end))
    except (ValueError, calendar.IllegalMonthError):
        pass
    raise BadCell(
        Said(
            f"{column} {text!r} is no date; write 2026-05-31",
            f"{column} “{text}”不是日期，请写成 2026-05-31。",
        )
    )


def _last_day(column: str, text: str) -> date:
    # What expires "2026-05" may be used until that month ends.
    return day(column, text, is_last=True)


def _instant(column: str, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(plain(text))
    except ValueError:
        found = datetime.combine(day(column, text), datetime.min.time())
    return found if found.tzinfo else found.replace(tzinfo=UTC)


_YES = {"是", "有", "yes", "y", "true", "1", "○", "〇", "室内", "da", "indoor", "対応"}
_NO = {
    "否",
    "无",
    "無",
    "没有",
    "no",
    "n",
    "false",
    "0",
    "×",
    "x",
    "室外",
    "ne",
    "outdoor",
    "非対応",
}


def _flag(column: str, text: str) -> bool:
    word = plain(text).casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise BadCell(
        Said(f"{column} {text!r} is neither yes nor no", f"{column} “{text}”请填“是”或“否”。")
    )


_WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "access": {
        "public": ("公众", "公开", "所有人", "社会公众", "对外开放", "yes"),
        "staff": ("内部", "内部人员", "员工", "工作人员"),
        "members": ("会员", "业主", "住户"),
        "private": ("私人", "不开放", "no"),
        "unknown": ("未知", "不详"),
    },
    "cabinet": {
        "none": ("无", "无箱柜", "没有"),
        "alarmed": ("报警", "报警箱", "报警柜", "有报警"),
        "code": ("密码", "密码箱", "密码柜", "密码锁"),
        "key": ("钥匙", "上锁", "钥匙锁"),
        "unknown": ("未知", "不详"),
    },
    "status": {
        "in_service": ("正常", "在用", "可用", "启用", "运行中"),
        "out_of_service": ("停用", "故障", "维修", "维修中", "损坏", "停用中", "已拆除"),
    },
    "acquired": {
        "purchase": ("购置", "购买", "采购", "自购"),
        "donation": ("捐赠", "受赠"),
        "lease": ("租赁", "租用"),
    },
    "source_crs": {"wgs84": (), "gcj02": (), "bd09": ()},
    "position_method": dict.fromkeys(
        ("survey", "gps", "map", "geocode", "import", "carrier"), ()
    ),
}  # fmt: skip


def _chosen(column: str, text: str) -> str:
    word = plain(text).casefold()
    for chosen, names in _WORDS[column].items():
        if word == chosen or word in names:
            return chosen
    known = ", ".join("/".join((chosen, *names[:1])) for chosen, names in _WORDS[column].items())
    raise BadCell(
        Said(
            f"{column} {text!r} is unknown; one of: {known}",
            f"{column} “{text}”无法识别，可填：{known}",
        )
    )


def _days(column: str, text: str) -> int:
    digits = re.fullmatch(r"(\d{1,4})\s*(?:天|日|days?)?", plain(text))
    if digits is None or not 1 <= int(digits[1]) <= 3660:
        raise BadCell(
            Said(f"{column} {text!r} is no number of days", f"{column} “{text}”不是有效天数。")
        )
    return int(digits[1])


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    # Asking reads a thousand files.
    return frozenset(available_timezones())


def _zone(column: str, text: str) -> str:
    if text not in _zones():
        raise BadCell(
            Said(f"{column} {text!r} is no time zone", f"{column} “{text}”不是有效时区。")
        )
    return text


Reader = Callable[[str, str], object]
_READERS: Mapping[str, Reader] = {
    "indoor": _flag,
    "has_child_pads": _flag,
    "is_invented": _flag,
    "accuracy_m": number,
    "raw_lon": number,
    "raw_lat": number,
    "pads_expire_on": _last_day,
    "child_pads_expire_on": _last_day,
    "battery_expires_on": _last_day,
    "installed_on": day,
    "verified_at": _instant,
    "closed_from": _instant,
    "closed_until": _instant,
    "moved_at": _instant,
    "check_every_days": _days,
    "time_zone": _zone,
    **dict.fromkeys(_WORDS, _chosen),
}
