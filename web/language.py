"""In which of the two languages to answer: ?lang, then the person's, then Accept-Language."""

from __future__ import annotations

from typing import Literal

from starlette.requests import HTTPConnection

Language = Literal["zh", "en"]


def of(request: HTTPConnection) -> Language:
    """Choose the language of an answer."""
    asked = request.query_params.get("lang", "")
    caller = getattr(request.state, "caller", None)
    own = "" if caller is None else caller.person.language
    accepted = request.headers.get("accept-language", "")
    settings = getattr(request.app.state, "settings", None)
    default = "zh" if settings is None else settings.language_default
    return next(found for text in (asked, own, accepted, default) if (found := _read(text)))


def _read(text: str) -> Language | None:
    """Find the first tag that is one of ours; browsers send the best one first."""
    for part in text.split(","):
        tag = part.split(";")[0].strip().lower()
        if tag.startswith("zh"):
            return "zh"
        if tag.startswith("en"):
            return "en"
    return None
