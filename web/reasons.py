"""Why somebody is not asked, in both languages; the screens have shorter words of their own."""

from __future__ import annotations

from collections.abc import Mapping

from dispatch.matching import Reason
from web.language import Language

_WORDS: Mapping[str, tuple[str, str]] = {
    Reason.OFF_DUTY: ("Off duty", "未值守"),
    Reason.SUSPENDED: ("Suspended", "已停用"),
    Reason.RESTING: ("Resting", "休息中"),
    Reason.BUSY: ("Asked or on the way elsewhere", "正在其他事件中"),
    Reason.ALREADY_ALERTED: ("Already asked for this incident", "本事件已通知过"),
    Reason.NO_CERTIFICATE: ("No verified certificate", "无有效证书"),
    Reason.CERTIFICATE_EXPIRED: (
        "Certificate expired on {expired_on}",
        "证书已于 {expired_on} 到期",
    ),
    Reason.UNDER_AGE: ("Under age", "未满年龄"),
    Reason.NO_POSITION: ("No position known", "位置未知"),
    Reason.POSITION_STALE: ("Last position is too old", "位置信息过旧"),
    Reason.TOO_FAR: ("Too far on foot", "步行距离过远"),
    Reason.BEYOND_CAP: ("Enough others are nearer", "已有足够更近的人员"),
    Reason.MANY_NEARER: ("Enough others are nearer", "已有足够多更近的志愿者"),
    Reason.STOOD_DOWN_BEFORE: ("Told not to come before", "已通知其不必前往"),
    Reason.QUIET_HOURS: ("In their quiet hours", "处于免打扰时段"),
    Reason.ALERT_BUDGET_USED: ("Asked {asked} times in 24 hours", "24 小时内已通知 {asked} 次"),
    Reason.POSITION_VAGUE: ("Position too uncertain", "位置误差过大"),
    Reason.CANNOT_BEAT_AMBULANCE: ("Would come after the ambulance", "会晚于救护车到达"),
    Reason.CLOSED_AED: ("Too late, and the AED is shut then", "来不及，AED 届时已关闭"),
    Reason.DOMINATED: ("Another is at least as good", "有人在各方面都不逊于此人"),
    Reason.LOW_GAIN: ("Would hardly help", "几乎没有帮助"),
}


def text(reason: str | None, args: Mapping[str, object], language: Language) -> str | None:
    """Say a reason; one without words yet is said by its code."""
    if reason is None:
        return None
    en, zh = _WORDS.get(reason, (reason, reason))
    return (zh if language == "zh" else en).format_map(_Known(args))


class _Known(dict[str, object]):
    def __missing__(self, _name: str) -> str:
        return "?"
