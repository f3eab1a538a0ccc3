"""What can go wrong in dispatch, without a word of HTTP.

DispatchError
├── NotFound            the thing is not there (or not yours to see)
├── Conflict            the present state forbids it; carries that state
│   ├── StaleVersion        somebody changed it since you read it
│   ├── StepOutOfOrder      this step does not follow the present one
│   ├── AlertOver           the alert was answered, timed out or stood down
│   ├── IncidentClosed      the incident takes no more steps
│   ├── AmbulanceUnknown    a medical incident cannot close without its 120 state
│   ├── StockShort          not that much is available
│   ├── StockExpired        the goods have expired since they were reserved
│   ├── NotFirstToExpire    another lot expires earlier, and no reason was given
│   ├── SecondPerson        who did the first half may not do the second
│   ├── PlanOutdated        the incident changed since the plan was made: plan again
│   ├── NobodyToAlert       none of the named people can be asked
│   ├── SimulationMissing   no simulation report is about exactly this policy
│   ├── PolicyNotDraft      only a draft can be published
│   ├── PolicyNotPublished  only a published policy can be retired
│   ├── NameTaken           another one carries this name or code already
│   └── StillGoing          people are on their way for the incident that would be merged
└── Malformed           a value that no state would accept
    ├── BadPolicy           a field of a policy document is wrong; names it
    └── KeyReused           the Idempotency-Key was used with another body
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class DispatchError(Exception):
    """Base of everything that an action may refuse with."""

    code = "unavailable"

    def __init__(self, detail: str = "", *, state: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail or (type(self).__doc__ or "").strip())
        self.detail = detail
        self.state = dict(state) if state is not None else None


class NotFound(DispatchError):
    """There is no such thing, or it is not yours to see."""

    code = "not_found"


class Conflict(DispatchError):
    """The present state does not allow this."""

    code = "conflict"


class StaleVersion(Conflict):
    """Somebody changed it since you read it."""

    code = "stale_version"


class StepOutOfOrder(Conflict):
    """This step does not follow the present one."""

    code = "step_out_of_order"


class AlertOver(Conflict):
    """The alert was answered, timed out or stood down."""

    code = "alert_over"


class IncidentClosed(Conflict):
    """The incident is closed and takes no more steps."""

    code = "incident_closed"


class AmbulanceUnknown(Conflict):
    """A medical incident cannot be closed while its ambulance state is unknown."""

    code = "ambulance_unknown"


class StockShort(Conflict):
    """Not that much is available."""

    code = "stock_short"


class StockExpired(Conflict):
    """The goods have expired since they were reserved."""

    code = "stock_expired"


class NotFirstToExpire(Conflict):
    """Another lot of the depot expires earlier; taking this one needs a reason."""

    code = "not_first_to_expire"


class SecondPerson(Conflict):
    """Somebody else must do this: it takes two people."""

    code = "second_person"


class PlanOutdated(Conflict):
    """The incident changed since the plan was made; plan again."""

    code = "plan_outdated"


class NobodyToAlert(Conflict):
    """None of the named people can be asked now."""

    code = "nobody_to_alert"


class SimulationMissing(Conflict):
    """No simulation report is about exactly this policy; simulate it first."""

    code = "simulation_missing"


class PolicyNotDraft(Conflict):
    """Only a draft can be published; make a new version."""

    code = "policy_not_draft"


class PolicyNotPublished(Conflict):
    """Only a published policy can be retired."""

    code = "policy_not_published"


class NameTaken(Conflict):
    """Another one carries this name or code already."""

    code = "name_taken"


class StillGoing(Conflict):
    """People are on their way for this call; stand them down, or merge the other way round."""

    code = "still_going"


class Malformed(DispatchError):
    """The value cannot be right in any state."""

    code = "malformed"


class BadPolicy(Malformed):
    """A field of the policy document is wrong."""

    code = "bad_policy"


class KeyReused(Malformed):
    """This Idempotency-Key was used before with another body."""

    code = "key_reused"
