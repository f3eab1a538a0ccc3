"""The words in which people write opening hours, cut into tokens.

Chinese (both scripts), Japanese, Slovene and English. Every sign of a text must belong to a token,
or the text counts as unreadable: a word nobody knows may turn the meaning round.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

DAY_MIN = 24 * 60
Span = tuple[int, int]  # minutes of the day; the end may lie in the next day


class Unreadable(ValueError):
    """A text, or a part of one, that cannot be read for certain."""


class Kind(Enum):
    """What a token says."""

    DAYS = auto()
    HOLIDAY = auto()
    REST_DAYS = auto()  # weekends and holidays in one word (例假日)
    WORKDAYS = auto()  # Monday to Friday, holidays left out (工作日, 平日)
    NTH = auto()
    DATES = auto()
    YEAR_END = auto()  # 年末年始: some days round New Year, which ones nobody says
    SPAN = auto()
    UNTIL = auto()
    ALL_DAY = auto()
    CLOSED = auto()
    CLOSED_ON = auto()  # stands before the days: 休館日(…)
    BEGIN = auto()
    END = auto()
    STOP = auto()
    JOIN = auto()
    FILLER = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One word; `days` are numbers from Monday 0, `when` is a selector of `opening_hours`."""

    kind: Kind
    days: frozenset[int] = frozenset()
    when: str = ""
    span: Span = (0, 0)


DAY_NAMES = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ZH = dict(zip("一二三四五六日", range(7), strict=True)) | {"天": 6}
_JA = dict(zip("月火水木金土日", range(7), strict=True))
_SL = ("pon", "tor", "sre", "čet", "pet", "sob", "ned")
_EN = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_TO = r"(?:~|-|至|到|から|まで|do|to)"
_AND = r"(?:、|,|\.|/|・|及び|及|和|與|与|或|in|and)"
_ZH_DAY = r"(?:(?:星期|周|週|礼拜|禮拜)\s*[一二三四五六日天])"
_ZH_MORE = rf"(?:{_ZH_DAY}|[一二三四五六日天])"
_JA_DAY = r"(?:[月火水木金土日](?:曜日|曜)?)"
_SL_DAY = r"(?:(?:pon|tor|sre|čet|pet|sob|ned)[a-zčšž]*\.?)"
_EN_DAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?)"


def _run(first: str, more: str) -> str:
    return rf"{first}(?:\s*(?:{_TO}|{_AND})?\s*{more})*"


_TIME = (
    r"(?:(?P<half{0}>上午|早上|午前|am|下午|晚上|午後|pm)?\s*"
    r"(?:(?P<hour{0}>\d{{1,2}})(?:[:.](?P<minute{0}>\d\d)|[點点時时](?P<clock{0}>\d\d分|半)?整?)"
    r"|(?P<four{0}>\d{{4}})(?!\d)|(?P<bare{0}>\d{{1,2}})\.?(?={1})))"
)
_UR = r"\s*(?:do|-)\s*\d{1,2}\.?\s*(?:ure|h)\b|\s*(?:ure|h)\b"
_NEXT = r"(?:隔日|翌日|次日|隔天|翌)?"
_DATE = r"(?P<m{0}>\d{{1,2}})\s*(?:/|月)\s*(?P<d{0}>\d{{1,2}})日?"

# The longest match wins; among equals the first.
_SPAN = (
    rf"(?:od\s*)?(?<!\d){_TIME.format('a', _UR)}\s*(?:~|-|至|到|から|do|to)\s*{_NEXT}"
    rf"{_TIME.format('b', _UR)}(?:\s*(?:ure|h)\b)?止?"
)
_ALL_DAY = (
    r"24/7|7[x×*]24(?:小时|小時)?|24\s*(?:小时|小時|時間|ur|hours?|hrs?|h)(?:全天候?)?"
    r"|二十四小时|全天候?|全日|全時段|全时段|終日|全時間帯|ves čas|non-?stop"
)
_DATES = rf"{_DATE.format('a')}(?:\s*~\s*(?:{_DATE.format('b')}|(?P<last>\d{{1,2}})))?(?![\d:])"
_NTH = (
    r"(?P<months>偶数月|奇数月|毎月)?の?(?P<nths>第\s*[1-5](?:\s*[・,、]?\s*第?\s*[1-5])*)"
    rf"\s*(?P<nth_day>{_JA_DAY})"
)
_HOLIDAY = (
    r"(?:法定|国家|國定|国定|公众|公眾)(?:節假日|节假日|例假日|假日|假期)|節假日|节假日"
    r"|国民の祝日|祝祭日|祝日|祝(?=は|を|除|も|$|[\s、,)・])"
    r"|(?:dela prosti dnevi in )?prazniki?h?|public holidays?"
)
_CLOSED_ON = r"(?:休館日|休場日|休園日|定休日|休館時間|不開放時間)\s*:?|(?:除了?|razen)(?!外|夕|く)"
_CLOSED = (
    r"[不無无未](?:對外|对外|予)?(?:開放|开放)(?:使用)?|(?:固定)?(?:休館|閉館|闭馆)(?:不開放)?"
    r"|公休|午休|休息|休み|休業|除外|を?除く|外|zaprto|closed|off"
)
_FILLER = (
    r"(?:開放|开放)(?:使用|時間|时间)*|利用可能?|使用可|使用|可取得|対応|全年無休|全年无休|年中無休"
    r"|通年利用可能|全年|dostopni|dostopno|odprto|中午|對外|对外|毎週|每週|每周|均|皆|為|为"
)

_PATTERNS = (
    (Kind.STOP, r"。|;|(?<!\d)\.(?!\d)"),
    (Kind.SPAN, _SPAN),
    (Kind.ALL_DAY, _ALL_DAY),
    (Kind.UNTIL, rf"(?<!\d){_TIME.format('u', _UR)}まで"),
    (Kind.DATES, _DATES),
    (Kind.YEAR_END, r"年末年始"),
    (Kind.NTH, _NTH),
    (Kind.WORKDAYS, r"工作日|上班日|平日|ob delavnikih|delavniki?"),
    (Kind.REST_DAYS, r"例假日|假日"),
    (Kind.HOLIDAY, _HOLIDAY),
    (Kind.DAYS, r"每天|每日|毎日|天天|vsak dan|daily|every day"),
    (Kind.DAYS, r"周末|週末|双休日|土日|六日|六、日|vikend(?:i|om)?"),
    (Kind.DAYS, _run(_ZH_DAY, _ZH_MORE)),
    (Kind.DAYS, r"(?<!\w)" + _run(r"[一二三四五六]", r"[一二三四五六日]") + r"(?=\s*\d)"),
    (Kind.DAYS, _run(_JA_DAY, _JA_DAY)),
    (Kind.DAYS, rf"(?<![^\W\d_]){_run(_SL_DAY, _SL_DAY)}(?![^\W\d_])"),
    (Kind.DAYS, rf"(?<![^\W\d_]){_run(_EN_DAY, _EN_DAY)}(?![^\W\d_])"),
    (Kind.CLOSED_ON, _CLOSED_ON),
    (Kind.CLOSED, _CLOSED),
    (Kind.FILLER, _FILLER),
    (Kind.BEGIN, r"\("),
    (Kind.END, r"\)"),
    (Kind.JOIN, r"及び|及|和|與|与"),
    (Kind.FILLER, r"[\s,、:・/※\-~!?]|は|の|も|in(?= )"),
)

_COMPILED = tuple((kind, re.compile(pattern)) for kind, pattern in _PATTERNS)
_FOLD = str.maketrans("〜–—−‐―･", "~-----・")


def tokens(text: str) -> Iterator[Token]:
    """Cut a text into tokens; raises `Unreadable` at the first sign that belongs to none."""
    folded = fold(text)
    at = 0
    while at < len(folded):
        kind, found = _longest(folded, at)
        at = found.end()
        if kind is not Kind.FILLER:
            yield _token(kind, found)


def fold(text: str) -> str:
    """Bring a text's widths, dashes, case and white space to one form."""
    folded = unicodedata.normalize("NFKC", text).translate(_FOLD).lower()
    return re.sub(r"\s+", " ", folded.replace("--", "-")).strip()


def _longest(text: str, at: int) -> tuple[Kind, re.Match[str]]:
    found = ((kind, pattern.match(text, at)) for kind, pattern in _COMPILED)
    matches = [(kind, match) for kind, match in found if match is not None and match.end() > at]
    if not matches:
        raise Unreadable(text[at:])
    return max(matches, key=lambda pair: pair[1].end())


def _token(kind: Kind, found: re.Match[str]) -> Token:
    match kind:
        case Kind.DAYS:
            return Token(kind, days=_days(found.group()))
        case Kind.NTH | Kind.DATES:
            return Token(kind, when=_nth(found) if kind is Kind.NTH else _dates(found))
        case Kind.SPAN:
            return Token(kind, span=span(*_span_ends(found)))
        case Kind.UNTIL | Kind.ALL_DAY:
            return Token(kind, span=(0, _minutes(found, "u") if kind is Kind.UNTIL else DAY_MIN))
    return Token(kind)


def span(begin: int, end: int) -> Span:
    """Make a span of two clock times; raises `Unreadable` where they do not say which is meant."""
    if end % DAY_MIN == DAY_MIN - 1:
        end += 1  # 23:59 is how forms write midnight
    if end == begin - 1:
        return 0, DAY_MIN  # 09:00 to 08:59: round the clock
    is_early = end <= 2 * 60 + 30  # trains, cinemas
    is_night = begin >= DAY_MIN // 2 and end <= DAY_MIN // 2
    if end <= begin and end < DAY_MIN and (is_early or is_night):
        end += DAY_MIN
    if not begin + 10 <= end <= begin + DAY_MIN or begin >= DAY_MIN:
        raise Unreadable  # 08:00 to 05:00 hardly means the small hours
    return begin, end


def _span_ends(found: re.Match[str]) -> tuple[int, int]:
    begin, end = _minutes(found, "a"), _minutes(found, "b")
    # 下午2:00-5:00: the word for the afternoon holds for both ends.
    if found["halfa"] and not found["halfb"] and begin >= DAY_MIN // 2 > end > begin - DAY_MIN // 2:
        end += DAY_MIN // 2
    return begin, end


def _minutes(found: re.Match[str], name: str) -> int:
    four, hour = found["four" + name], found["hour" + name] or found["bare" + name]
    past = found["minute" + name] or (found["clock" + name] or "0").rstrip("分").replace("半", "30")
    hours, minutes = (int(four[:2]), int(four[2:])) if four else (int(hour), int(past))
    if found["half" + name] in ("下午", "晚上", "午後", "pm") and hours < 12:
        hours += 12
    if hours > 36 or minutes > 59:
        raise Unreadable
    return hours * 60 + minutes


_DAY_NUMBERS: dict[str, int] = {
    **_ZH, **_JA, **{n: i for i, n in enumerate(_SL)}, **{n: i for i, n in enumerate(_EN)}
}  # fmt: skip
_ONE_DAY = re.compile(
    rf"(?P<to>{_TO})?\s*{_AND}?\s*(?:星期|周|週|礼拜|禮拜)?\s*"
    r"(?P<day>[一二三四五六天月火水木金土日]|(?:pon|tor|sre|čet|pet|sob|ned"
    r"|mon|tue|wed|thu|fri|sat|sun)[a-zčšž]*\.?)(?:曜日|曜)?"
)
_EVERY = frozenset(range(7))
_WEEKEND = frozenset({5, 6})


def _days(text: str) -> frozenset[int]:
    if text in ("每天", "每日", "毎日", "天天", "vsak dan", "daily", "every day"):
        return _EVERY
    if text in ("周末", "週末", "双休日", "土日", "六日", "六、日") or text.startswith("vikend"):
        return _WEEKEND
    days: list[int] = []
    for found in _ONE_DAY.finditer(text):
        day = found["day"]
        number = _DAY_NUMBERS[day if day in _DAY_NUMBERS else day[:3]]
        if found["to"] and days:
            days += [n % 7 for n in range(days[-1], number + (7 if number < days[-1] else 0))]
        days.append(number)
    return frozenset(days)


def _nth(found: re.Match[str]) -> str:
    nths = ",".join(sorted(set(re.findall(r"[1-5]", found["nths"]))))
    months = {"偶数月": "Feb,Apr,Jun,Aug,Oct,Dec ", "奇数月": "Jan,Mar,May,Jul,Sep,Nov "}
    day = DAY_NAMES[_JA[found["nth_day"][0]]]
    return f"{months.get(found['months'] or '', '')}{day}[{nths}]"


def _dates(found: re.Match[str]) -> str:
    first = _date(found["ma"], found["da"])
    last = found["last"] or found["db"]
    if last is None:
        return first
    until = _date(found["mb"] or found["ma"], last)
    return f"{first}-{until.removeprefix(first[:4])}"


def _date(month: str, day: str) -> str:
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        raise Unreadable
    return f"{_MONTHS[int(month) - 1]} {int(day):02}"
