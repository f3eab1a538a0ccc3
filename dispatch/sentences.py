"""PURE. One plain sentence per person of a plan, in Chinese and English: why asked, why not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from dispatch import matching, states

#: Chinese, English.
Words = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a sentence is made from; without `name` it has no subject and can be stored.

    Seconds from now. `aed_until` is the local time at which the AED's place closes ("22:00"), empty
    when it does not close soon; `other` names who is better.
    """

    name: str | None = None
    name_en: str | None = None
    role: states.Role | None = None
    aed: str | None = None
    aed_address: str | None = None
    aed_until: str = ""
    arrives_s: float | None = None
    ambulance_s: float | None = None
    distance_m: float | None = None
    reason: matching.Reason | None = None
    args: Mapping[str, object] = field(default_factory=dict)
    other: str | None = None
    other_en: str | None = None


def say(facts: Facts) -> dict[str, str]:
    """Say why somebody is asked, or why not."""
    zh, en = _asked(facts) if facts.reason is None else _not_asked(facts, facts.reason)
    if facts.name is None:
        return {"zh": zh, "en": en[:1].upper() + en[1:]}
    return {"zh": f"{facts.name}{_space(facts.name)}{zh}", "en": f"{_english(facts)}: {en}"}


def _space(name: str) -> str:
    return " " if name else ""


def _english(facts: Facts) -> str:
    return facts.name_en or facts.name or ""


def _minutes(seconds: float) -> int:
    return max(1, math.floor(seconds / 60 + 0.5))


def _asked(facts: Facts) -> Words:
    zh, en = _errand(facts)
    if facts.arrives_s is None:
        return f"{zh}，到达时间未知", f"{en}, arrival unknown"
    minutes = _minutes(facts.arrives_s)
    gap_zh, gap_en = _gap(facts.arrives_s, facts.ambulance_s)
    return f"{zh}，预计{minutes}分钟到达{gap_zh}", f"{en}, there in about {minutes} min{gap_en}"


def _errand(facts: Facts) -> Words:
    if facts.role is not states.Role.VIA_AED:
        return "直接前往患者处", "goes straight to the patient"
    where = _aed_place(facts)
    zh, en = where or "AED 点", where or "the cabinet"
    if not facts.aed_until:
        return f"先去{zh}取AED", f"fetches the AED at {en}"
    return (
        f"先去{zh}取AED（开放至{facts.aed_until}）",
        f"fetches the AED at {en} (open until {facts.aed_until})",
    )


#: What many registries call each of their AEDs.
_NO_NAMES = frozenset(
    {"", "aed", "dea", "dae", "defibrillator", "除颤仪", "除颤器", "自动体外除颤器"}
)


def _aed_place(facts: Facts) -> str | None:
    """Name where the AED is: by its name, or its address where the name says only what it is."""
    name = (facts.aed or "").strip()
    return (facts.aed_address or None) if name.casefold() in _NO_NAMES else name


def _gap(arrives_s: float, ambulance_s: float | None) -> Words:
    if ambulance_s is None:
        return "", ""
    ahead = ambulance_s - arrives_s
    if abs(ahead) < 30:
        return "，与救护车几乎同时", ", about when the ambulance comes"
    minutes = _minutes(abs(ahead))
    if ahead > 0:
        return f"，比救护车早{minutes}分钟", f", {minutes} min before the ambulance"
    return f"，比救护车晚{minutes}分钟", f", {minutes} min after the ambulance"


_PLAIN: Mapping[matching.Reason, Words] = {
    matching.Reason.OFF_DUTY: ("未值守", "off duty"),
    matching.Reason.SUSPENDED: ("已停用", "suspended"),
    matching.Reason.RESTING: ("正在休息", "resting"),
    matching.Reason.BUSY: (
        "正在其他事件中或已收到其他通知",
        "asked or on the way for another incident",
    ),
    matching.Reason.ALREADY_ALERTED: ("本事件已通知过", "asked for this incident already"),
    matching.Reason.STOOD_DOWN_BEFORE: (
        "本事件中已通知其不必前往",
        "told already not to come to this incident",
    ),
    matching.Reason.NO_CERTIFICATE: ("没有审核通过的证书", "no verified certificate"),
    matching.Reason.CERTIFICATE_EXPIRED: ("证书已过期", "the certificate has expired"),
    matching.Reason.UNDER_AGE: ("未满年龄", "under age"),
    matching.Reason.QUIET_HOURS: ("处于其免打扰时段", "in the person's quiet hours"),
    matching.Reason.NO_POSITION: ("位置未知", "no position is known"),
    matching.Reason.POSITION_STALE: ("位置信息过旧", "the last position is too old"),
    matching.Reason.POSITION_VAGUE: ("位置误差过大", "the position is too uncertain"),
    matching.Reason.CANNOT_BEAT_AMBULANCE: (
        "会晚于救护车到达",
        "would arrive after the ambulance",
    ),
    matching.Reason.CLOSED_AED: (
        "直接前往会晚于救护车，可取的AED到时已关闭",
        "would come after the ambulance, and the AED on the way would be shut",
    ),
    matching.Reason.BEYOND_CAP: (
        "本轮人数已满，其他人更有帮助",
        "this round is full, others help more",
    ),
    matching.Reason.MANY_NEARER: ("已有足够多更近的志愿者", "enough others are nearer"),
}


def _not_asked(facts: Facts, reason: matching.Reason) -> Words:
    zh, en = _why(facts, reason)
    if facts.distance_m is None:
        return f"未通知：{zh}", f"not asked: {en}"
    zh_far, en_far = _far(facts.distance_m)
    return f"未通知：距离{zh_far}，{zh}", f"not asked: {en_far} away, {en}"


def _why(facts: Facts, reason: matching.Reason) -> Words:
    match reason:
        case matching.Reason.ALERT_BUDGET_USED:
            asked = facts.args.get("asked", "?")
            return f"24小时内已通知{asked}次", f"asked {asked} times within 24 hours"
        case matching.Reason.DOMINATED:
            return (
                f"{facts.other or '已有人'}在各方面都不逊于此人",
                f"{facts.other_en or facts.other or 'somebody'} is at least as good in every way",
            )
        case matching.Reason.LOW_GAIN:
            return "再多一人几乎没有帮助", "one more person would hardly help"
        case matching.Reason.TOO_FAR:
            return "步行距离过远", "too far on foot"
        case _:
            return _PLAIN[reason]


def _far(metres: float) -> Words:
    if metres < 995:
        rounded = max(10, round(metres / 10) * 10)
        return f"{rounded}米", f"{rounded} m"
    return f"{metres / 1000:.1f}公里", f"{metres / 1000:.1f} km"
