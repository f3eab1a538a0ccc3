"""The description of the HTTP interface is complete and true."""

from __future__ import annotations

import httpx
import orjson
from callers import Enrol, alerted, opened
from fastapi import FastAPI

from web.api import board

#: The contract's table of paths, as far as this version goes.
CONTRACT = {
    "/session": {"post", "get", "delete"},
    "/incidents": {"get", "post"},
    "/incidents/{id}": {"get", "patch"},
    "/incidents/{id}/plan": {"get"},
    "/incidents/{id}/alert": {"post"},
    "/incidents/{id}/stand-down": {"post"},
    "/incidents/{id}/close": {"post"},
    "/incidents/{id}/reopen": {"post"},
    "/incidents/{id}/ambulance": {"post"},
    "/incidents/{id}/timeline": {"get", "post"},
    "/incidents/{id}/allocation": {"get"},
    "/alerts/{id}": {"get"},
    "/alerts/{id}/seen": {"post"},
    "/alerts/{id}/accept": {"post"},
    "/alerts/{id}/decline": {"post"},
    "/assignments/{id}/{step}": {"post"},
    "/me": {"get", "put"},
    "/me/duty": {"get", "put"},
    "/me/position": {"get", "put"},
    "/me/places": {"get", "put"},
    "/nearest/aeds": {"get"},
    "/nearest/responders": {"get"},
    "/nearest/depots": {"get"},
    "/aeds": {"get", "post"},
    "/aeds/{id}": {"get", "patch", "delete"},
    "/aeds/{id}/checks": {"get", "post"},
    "/aeds/{id}/reports": {"get", "post"},
    "/responders": {"get", "post"},
    "/teams": {"get", "post"},
    "/orgs": {"get", "post"},
    "/depots": {"get", "post"},
    "/items": {"get", "post"},
    "/lots": {"get", "post"},
    "/movements": {"get", "post"},
    "/reservations": {"get", "post"},
    "/coverage": {"get"},
    "/board": {"get"},
    "/asyncapi.json": {"get"},
}


async def test_every_path_of_the_contract_is_described(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/api/v1/openapi.json")
    described: dict[str, set[str]] = {}
    for path, verbs in answer.json()["paths"].items():
        parts = [
            "{id}" if part.endswith("_id}") else part
            for part in path.removeprefix("/api/v1").split("/")
        ]
        described["/".join(parts)] = set(verbs)
    missing = {path: verbs - described.get(path, set()) for path, verbs in CONTRACT.items()}
    assert {path: verbs for path, verbs in missing.items() if verbs} == {}


async def test_every_operation_says_what_it_does_and_how_it_refuses(app: FastAPI) -> None:
    for path, verbs in app.openapi()["paths"].items():
        for verb, operation in verbs.items():
            assert operation["summary"], (verb, path)
            assert operation.get("description"), (verb, path)
            if path.startswith("/api/v1/") and path != "/api/v1/asyncapi.json":
                assert "default" in operation["responses"], (verb, path)
                assert "422" not in operation["responses"], (verb, path)


async def test_every_reference_leads_somewhere(app: FastAPI) -> None:
    text = orjson.dumps(app.openapi()).decode()
    named = {piece.partition('"')[0] for piece in text.split('"#/components/schemas/')[1:]}
    assert named <= set(app.openapi()["components"]["schemas"])


async def test_the_board_is_as_described(enrol: Enrol, volunteer: Enrol) -> None:
    operator = await enrol("operator")
    await volunteer()
    incident = await opened(operator)
    await alerted(operator, incident)
    found = board.BoardAnswer.model_validate((await operator.http.get("/api/v1/board")).json())
    assert set(found.board.incidents) == {incident["id"]}
    assert int(found.topics["org:red"].seq) == 2
    figures = await operator.http.get("/api/v1/board/figures")
    assert board.FiguresAnswer.model_validate(figures.json()).on_duty == 1
