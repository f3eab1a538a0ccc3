"""What is wrong with a field, said in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geo import position
from web.language import Language

#: By pydantic's error type; `{…}` are the limits that the error carries.
_WORDS: Mapping[str, tuple[str, str]] = {
    "missing": ("is missing", "缺少此字段"),
    "extra_forbidden": ("does not exist", "不存在此字段"),
    "json_invalid": ("is not JSON", "不是有效的 JSON"),
    "string_type": ("must be text", "必须是文本"),
    "string_too_short": ("is too short (least {min_length})", "太短（最少 {min_length}）"),
    "string_too_long": ("is too long (most {max_length})", "太长（最多 {max_length}）"),
    "string_pattern_mismatch": ("has letters that are not allowed", "含有不允许的字符"),
    "too_short": ("has too few entries (least {min_length})", "条目太少（最少 {min_length}）"),
    "too_long": ("has too many entries (most {max_length})", "条目太多（最多 {max_length}）"),
    "int_type": ("must be a whole number", "必须是整数"),
    "int_parsing": ("must be a whole number", "必须是整数"),
    "int_from_float": ("must be a whole number", "必须是整数"),
    "float_type": ("must be a number", "必须是数字"),
    "float_parsing": ("must be a number", "必须是数字"),
    "finite_number": ("must be a finite number", "必须是有限的数字"),
    "bool_type": ("must be true or false", "必须是 true 或 false"),
    "bool_parsing": ("must be true or false", "必须是 true 或 false"),
    "greater_than": ("must be more than {gt}", "必须大于 {gt}"),
    "greater_than_equal": ("must be at least {ge}", "必须不小于 {ge}"),
    "less_than": ("must be less than {lt}", "必须小于 {lt}"),
    "less_than_equal": ("must be at most {le}", "必须不大于 {le}"),
    "enum": ("must be one of {expected}", "必须是以下之一：{expected}"),
    "literal_error": ("must be one of {expected}", "必须是以下之一：{expected}"),
    "uuid_type": ("must be an id", "必须是编号"),
    "uuid_parsing": ("must be an id", "必须是编号"),
    "datetime_type": ("must be an RFC 3339 time", "必须是 RFC 3339 时间"),
    "datetime_parsing": ("must be an RFC 3339 time", "必须是 RFC 3339 时间"),
    "datetime_from_date_parsing": ("must be an RFC 3339 time", "必须是 RFC 3339 时间"),
    "timezone_aware": ("must name its offset from UTC", "必须带有时区"),
    "date_type": ("must be a date", "必须是日期"),
    "date_from_datetime_parsing": ("must be a date", "必须是日期"),
    "list_type": ("must be a list", "必须是列表"),
    "dict_type": ("must be an object", "必须是对象"),
    "model_type": ("must be an object", "必须是对象"),
    "model_attributes_type": ("must be an object", "必须是对象"),
    "position": ("is no possible position", "不是有效的坐标"),
    "too_many_pairs": (
        "asks for {pairs} pairs, more than {most}: send fewer sources or targets at once",
        "共 {pairs} 对，超过 {most} 对：请减少每次的起点或终点",
    ),
}
_UNKNOWN = ("is not valid", "不正确")


@dataclass(frozen=True, slots=True)
class Fault:
    """One field and what is wrong with it."""

    field: str
    kind: str
    limits: Mapping[str, object]
    detail: str = ""

    def message(self, language: Language) -> str:
        """Say what is wrong in one language."""
        if self.detail and language == "en":
            return self.detail
        en, zh = _WORDS.get(self.kind, _UNKNOWN)
        return (zh if language == "zh" else en).format_map(_Limits(self.limits))


class _Limits(dict[str, object]):
    def __missing__(self, _key: str) -> str:
        return "?"


def read(fault: Mapping[str, Any]) -> Fault:
    """Turn one of pydantic's errors into ours; what was sent is never repeated."""
    context = fault.get("ctx", {})
    cause = context.get("error")
    place = [str(part) for part in fault["loc"] if part not in {"body", "query", "path", "header"}]
    if isinstance(cause, position.BadPosition):
        inner = [] if cause.field in place else [cause.field]
        return Fault(".".join(place + inner) or cause.field, "position", {}, str(cause))
    if isinstance(cause, ValueError):
        return Fault(".".join(place), fault["type"], {}, str(cause))
    return Fault(".".join(place) or "body", fault["type"], context)


def of_position(error: position.BadPosition) -> Fault:
    """Name the field of a position that was refused after the models."""
    return Fault(error.field, "position", {}, str(error))


_POSITION_FIELDS = frozenset({"lon", "lat", "position"})


def code(faults: Sequence[Fault]) -> str:
    """Choose the stable code: the most particular of what is wrong."""
    if any(fault.kind == "extra_forbidden" for fault in faults):
        return "unknown_field"
    if any(
        fault.kind == "position" or fault.field.split(".")[-1] in _POSITION_FIELDS
        for fault in faults
    ):
        return "bad_position"
    return "malformed"
