"""PURE. Phone numbers as gateways want them."""

from __future__ import annotations

import re

_MOBILE = re.compile(r"1[3-9]\d{9}")
_ABROAD = re.compile(r"\+?(?:00)?([1-9]\d{6,14})")


def dialable(text: str) -> str | None:
    """Write a number as Aliyun takes it: a Chinese mobile plain, others with their country.

    Returns None for what cannot be dialled.
    """
    plain = re.sub(r"[\s()\-.·]", "", text)
    national = re.sub(r"^(?:\+|00)86", "", plain)
    if _MOBILE.fullmatch(national):
        return national
    if not plain.startswith(("+", "00")) or national != plain:
        return None
    found = _ABROAD.fullmatch(plain)
    return None if found is None else found[1]
