"""What happens when an incident changes between the plan and the sending."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import psycopg
import pytest
from callers import Enrol, code_of, key, opened
from fastapi import FastAPI

from geo import walking
from geo.position import Position
from web import idempotency

_CHANGE = "update incident set version = version + 1 where id = %s"
_LOCK = "select from incident where id = %s for no key update nowait"


class _Disturbed(walking.WalkingNetwork):
    """No streets; while people are measured, something happens to the incident."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__([], speed_mps=1.4)
        self._happens = happens

    def times(
        self, origin: Position, targets: Sequence[Position], **how: Any
    ) -> list[walking.Travel | None]:
        self._happens()
        return super().times(origin, targets, **how)


@pytest.mark.parametrize(
    ("changes", "status"), [(idempotency.TRIES - 1, 201), (idempotency.TRIES, 409)]
)
async def test_ALR_10_an_outdated_plan_is_made_again_without_the_lock(
    app: FastAPI, database: str, enrol: Enrol, volunteer: Enrol, *, changes: int, status: int
) -> None:
    operator, _ = await enrol(), await volunteer()
    # Not a cardiac arrest, for which AEDs would be measured too: one call a plan.
    incident = await opened(operator, kind="trauma")
    plans = 0

    def happens() -> None:
        nonlocal plans
        plans += 1
        with psycopg.connect(database) as other:
            other.execute(_LOCK, [UUID(incident["id"])])
            if plans <= changes:
                other.execute(_CHANGE, [UUID(incident["id"])])

    app.state.network = _Disturbed(happens)
    path = f"/api/v1/incidents/{incident['id']}/alert"
    answer = await operator.http.post(path, json={}, headers=key())
    assert answer.status_code == status, answer.text
    assert plans == idempotency.TRIES
    if status == 409:
        assert code_of(answer) == (409, "plan_outdated")
    else:
        assert len(answer.json()["alerts"]) == 1
