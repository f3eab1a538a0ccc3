"""PURE. The words that leave the system: short, in two languages, without any person in them."""

from __future__ import annotations

from dispatch import states
from dispatch.channels.message import Message
from dispatch.ladder import Purpose

_KIND_ZH = {
    states.Kind.CARDIAC_ARREST: "疑似心脏骤停",
    states.Kind.TRAUMA: "受伤",
    states.Kind.CHOKING: "气道梗阻",
    states.Kind.DROWNING: "溺水",
    states.Kind.STROKE: "疑似卒中",
    states.Kind.FIRE: "火情遇险",
    states.Kind.FLOOD: "涉水遇险",
    states.Kind.RELIEF: "需要救助",
    states.Kind.OTHER: "需要急救",
}
_KIND_EN = {
    states.Kind.CARDIAC_ARREST: "suspected cardiac arrest",
    states.Kind.TRAUMA: "injury",
    states.Kind.CHOKING: "choking",
    states.Kind.DROWNING: "drowning",
    states.Kind.STROKE: "suspected stroke",
    states.Kind.FIRE: "fire",
    states.Kind.FLOOD: "flood",
    states.Kind.RELIEF: "relief needed",
    states.Kind.OTHER: "first aid needed",
}
EXERCISE = {"zh": "【演练】", "en": "[EXERCISE] "}


def kind(message: Message) -> str:
    """Say what is the matter, in the person's language."""
    words = _KIND_EN if message.language == "en" else _KIND_ZH
    return words[message.kind]


def distance(message: Message) -> str:
    """Say how far it is, coarsely; "nearby" where nobody knows."""
    if message.distance_m is None:
        return "nearby" if message.language == "en" else "您附近"
    if message.language == "en":
        return f"about {message.distance_m} m from you"
    return f"距您约{message.distance_m}米"


def prefix(message: Message) -> str:
    """Mark an exercise."""
    return EXERCISE["en" if message.language == "en" else "zh"] if message.exercise else ""


def title(message: Message) -> str:
    """Write the first line of a notification."""
    words = {
        Purpose.ALERT: ("急救呼叫", "Emergency call"),
        Purpose.STAND_DOWN: ("任务已解除", "Stand down"),
        Purpose.MISSION: ("您的任务", "Your mission"),
        Purpose.PROBE: ("通知检查", "Notification check"),
        Purpose.SURVEY: ("您还好吗？", "How are you?"),
        Purpose.REMINDER: ("您的急救证书", "Your first-aid certificate"),
    }[message.purpose]
    return prefix(message) + words[message.language == "en"]


_BODIES = {
    Purpose.STAND_DOWN: (
        "您无需前往；如已出发，请停止前往。感谢您的响应。",
        "You are not needed any more. If you are on your way, please stop. Thank you.",
    ),
    Purpose.MISSION: ("请打开链接查看路线。", "Open the link for the way."),
    Purpose.PROBE: ("您可以正常收到呼叫。", "All is well."),
    Purpose.SURVEY: ("请打开应用，轻点一下告诉我们。", "One tap in the app tells us."),
    Purpose.REMINDER: (
        "即将到期或已到期，请打开应用查看。",
        "It ends soon, or has ended. Open the app to see when.",
    ),
}


def body(message: Message) -> str:
    """Write the text under the title, without any link."""
    is_en = message.language == "en"
    if message.purpose is not Purpose.ALERT:
        return _BODIES[message.purpose][is_en]
    if is_en:
        return f"{kind(message).capitalize()}, {distance(message)}. Can you go?"
    return f"{distance(message)}有人{kind(message)}，能否前往？"


def whole(message: Message) -> str:
    """Write a message of one piece, with its link if it has one."""
    if message.language == "en":
        sender = f" ({message.org})" if message.org else ""
        return f"{title(message)}{sender}: {body(message)} {message.link}".rstrip()
    sender = f"（{message.org}）" if message.org else ""
    return f"{title(message)}{sender}：{body(message)} {message.link}".rstrip()
