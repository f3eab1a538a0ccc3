"""What says something of a gateway, and what of a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dispatch.ladder import Channel
from dispatch.refusals import WINDOW, Refusals, is_refusing

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def _after(*answers: str | None) -> tuple[int, int]:
    known = Refusals()
    for why in answers:
        known.note(Channel.SMS, why, now=NOW)
    return dict(known.counts(now=NOW)).get("sms", (0, 0))


def test_WAT_5_a_gateway_that_refuses_every_second_message_is_found() -> None:
    assert not is_refusing(*_after("http_403"))
    assert is_refusing(*_after("http_403", "http_403"))
    assert is_refusing(*_after(None, "timeout", None, "timeout"))
    assert not is_refusing(*_after(None, None, None, "http_500", "http_500"))


def test_WAT_5_a_wrong_number_says_nothing_of_the_gateway() -> None:
    assert _after("bad_number", "gone", "no_device", "isv.MOBILE_NUMBER_ILLEGAL") == (0, 0)


def test_WAT_5_only_the_last_answers_count_and_none_that_is_old() -> None:
    assert _after(*["http_500"] * 30, *[None] * 7) == (7, 3)
    known = Refusals()
    known.note(Channel.SMS, "http_500", now=NOW)
    assert known.counts(now=NOW + WINDOW + timedelta(seconds=1)) == {"sms": (0, 0)}
