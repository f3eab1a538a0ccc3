"""Volunteers' phones: who speaks to the API for them, the incident they are asked to come to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import uuid4

import httpx
from playwright.sync_api import Page

from tests.system.whole import Whole

WHERE = "Rue Grimaldi"
PHONE = (360, 640)

Place = tuple[float, float]
People = dict[str, httpx.Client]


def key() -> dict[str, str]:
    """Make a key that no other request has."""
    return {"Idempotency-Key": str(uuid4())}


def sent(answer: httpx.Response) -> dict[str, Any]:
    """Give the body of a request that went well."""
    assert answer.is_success, answer.text
    body: dict[str, Any] = answer.json()
    return body


@contextmanager
def only_on_duty(whole: Whole, names: Sequence[str]) -> Iterator[People]:
    """Speak to the API as the operator and as volunteers, who alone are on duty."""
    whole.close_everything()
    whole.leave_on_duty(names)
    with ExitStack() as stack:
        yield {name: stack.enter_context(whole.client(name)) for name in ("operator", *names)}


def beside_patient(whole: Whole) -> Place:
    """Give a place beside the patient."""
    lon, lat = whole.place_of(WHERE)
    return lon + 0.0002, lat


def some_way_off(whole: Whole) -> Place:
    """Give a place from which somebody would fetch an AED."""
    lon, lat = whole.place_of(WHERE)
    return lon + 0.0007, lat - 0.0004


def come(volunteer: httpx.Client, place: Place) -> str:
    """Be on duty at a place, which ends the rest after the mission before; give the person's id."""
    lon, lat = place
    sent(volunteer.put("/me/duty", json={"duty": "available"}))
    sent(volunteer.put("/me/position", json={"lon": lon, "lat": lat}))
    return str(sent(volunteer.get("/me"))["person"]["id"])


def ask(
    whole: Whole, operator: httpx.Client, ids: Sequence[str], *, exercise: bool = False
) -> tuple[str, list[dict[str, Any]]]:
    """Open an incident to which these are asked; give it and the alerts."""
    lon, lat = whole.place_of(WHERE)
    call = {
        "kind": "cardiac_arrest",
        "position": {"lon": lon, "lat": lat},
        "address": WHERE,
        "ambulance": "notified",
        "exercise": exercise,
    }
    incident = str(sent(operator.post("/incidents", json=call, headers=key()))["id"])
    wanted = {"responders": list(ids)}
    wave = sent(operator.post(f"/incidents/{incident}/alert", json=wanted, headers=key()))
    return incident, wave["alerts"]


def hang(operator: httpx.Client, place: Place, **facts: str) -> str:
    """Hang an AED that is open at every hour."""
    lon, lat = place
    body = {
        "name": "Mairie annexe",
        "position": {"lon": lon, "lat": lat},
        "access": "public",
        "hours": "24/7",
    }
    return str(sent(operator.post("/aeds", json=body | facts, headers=key()))["id"])


def go_offline(phone: Page) -> None:
    """Take the network away."""
    phone.context.set_offline(True)


def go_online(phone: Page) -> None:
    """Give the network back, and let the page hear of it."""
    phone.context.set_offline(False)
    phone.evaluate("window.dispatchEvent(new Event('online'))")
