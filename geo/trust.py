"""PURE  How far what the registry says of a device may be believed at a time.

Trust ages by itself and falls when somebody doubts; a look at the device restores it.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from geo import usability
from geo.usability import ConditionRow, Reason

#: A look that is older than this says less.
FRESH_FOR = timedelta(days=90)


class Trust(StrEnum):
    """What to think of the record, from the best to the worst."""

    VERIFIED = "verified"
    AGEING = "ageing"
    SUSPECT = "suspect"
    DEAD = "dead"


_DEAD = frozenset({Reason.OUT_OF_SERVICE, Reason.WITHDRAWN, Reason.EXPIRED})


def of(row: ConditionRow, at: datetime) -> Trust:
    """Judge a device at a time by the columns of `usability.CONDITION_COLUMNS`.

    Hours, access, closures and being taken are no matter of trust: the record says them itself.
    """
    conditions = usability.conditions(row)
    if usability.against(conditions, at) in _DEAD:
        return Trust.DEAD
    if usability.doubt(conditions, at) is not None:
        return Trust.SUSPECT
    is_fresh = row.verified_at is not None and at <= row.verified_at + FRESH_FOR
    return Trust.VERIFIED if is_fresh else Trust.AGEING
