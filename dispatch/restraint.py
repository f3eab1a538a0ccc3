"""PURE. What of a person speaks against asking: papers, quiet hours, the alert budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time

from dispatch import matching, states


def is_quiet(begins: time | None, ends: time | None, at: time) -> bool:
    """Say whether a local time lies within quiet hours, which may pass over midnight."""
    if begins is None or ends is None or begins == ends:
        return False
    return begins <= at < ends if begins < ends else at >= begins or at < ends


#: One thing that speaks against asking somebody, with what its words need.
Against = tuple[matching.Reason, Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Load:
    """What speaks for leaving somebody in peace.

    `asked` counts the alerts of the last day; None where no budget holds: for the very nearest and
    for whom an operator names.
    """

    is_quiet: bool
    asked: int | None


def hold_back(
    policy: matching.Policy, kind: states.Kind, load: Load
) -> tuple[matching.Reason | None, Mapping[str, object]]:
    """Say why somebody who could be asked is left in peace, if so."""
    if load.is_quiet and kind not in policy.breakthrough:
        return matching.Reason.QUIET_HOURS, {}
    return over_budget(policy, load.asked) or (None, {})


def over_budget(policy: matching.Policy, asked: int | None) -> Against | None:
    """Say that somebody has been asked enough for a day, if so."""
    if asked is None or asked < policy.alert_budget_day:
        return None
    args = {"asked": asked, "budget": policy.alert_budget_day}
    return matching.Reason.ALERT_BUDGET_USED, args


def papers(
    policy: matching.Policy, born_on: date | None, valid_until: date | None, *, today: date
) -> list[Against]:
    """Say what about a person's papers forbids asking; a missing date of birth does not."""
    found: list[Against] = []
    if valid_until is None:
        found.append((matching.Reason.NO_CERTIFICATE, {}))
    elif valid_until < today:
        args = {"expired_on": valid_until.isoformat()}
        found.append((matching.Reason.CERTIFICATE_EXPIRED, args))
    if born_on is not None and _age(born_on, today) < policy.youngest:
        found.append((matching.Reason.UNDER_AGE, {"youngest": policy.youngest}))
    return found


def _age(born_on: date, today: date) -> int:
    had_birthday = (today.month, today.day) >= (born_on.month, born_on.day)
    return today.year - born_on.year - (0 if had_birthday else 1)
