"""Merging, sources, disasters and attachments over HTTP."""

from __future__ import annotations

import asyncio
import io
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from callers import Enrol, call, code_of, key, opened
from PIL import Image
from waiting import until

from dispatch import db
from dispatch import disasters as places
from web import unpacking
from web.api import attachments, disasters, incident_values

INCIDENTS = "/api/v1/incidents"


def _with_place() -> bytes:
    written = io.BytesIO()
    notes = Image.Exif()
    notes.get_ifd(0x8825)[1] = "N"  # the camera's place
    notes[0x010F] = "Camera"
    Image.new("RGB", (40, 30), "green").save(written, "JPEG", exif=notes)
    return written.getvalue()


async def test_INC_19_a_picture_loses_its_place_unless_an_operator_asks_for_the_original(
    enrol: Enrol,
) -> None:
    operator, auditor = await enrol("operator"), await enrol("auditor")
    incident = await opened(operator)
    at = f"{INCIDENTS}/{incident['id']}/attachments"
    sent = await operator.http.post(
        at, params={"name": "door.jpg"}, content=_with_place(),
        headers={**key(), "Content-Type": "image/jpeg"},
    )  # fmt: skip
    assert sent.status_code == 201, sent.text
    kept = attachments.AttachmentShape.model_validate(sent.json())
    shown = await auditor.http.get(f"{at}/{kept.id}")
    assert Image.open(io.BytesIO(shown.content)).getexif() == {}
    original = await operator.http.get(f"{at}/{kept.id}", params={"original": "true"})
    assert Image.open(io.BytesIO(original.content)).getexif()[0x010F] == "Camera"
    refused = await auditor.http.get(f"{at}/{kept.id}", params={"original": "true"})
    assert code_of(refused) == (403, "not_allowed")
    paper = await operator.http.post(
        at, content=b"MZ", headers={**key(), "Content-Type": "application/exe"}
    )
    assert code_of(paper) == (422, "malformed")


async def test_INC_20_who_waits_to_unpack_a_picture_holds_no_connection(
    enrol: Enrol, store: db.Database
) -> None:
    operator = await enrol("operator")
    incident = await opened(operator)
    pool = store.engine.pool
    async with unpacking.TURN:
        sent = asyncio.create_task(
            operator.http.post(
                f"{INCIDENTS}/{incident['id']}/attachments", content=_with_place(),
                headers={**key(), "Content-Type": "image/jpeg"},
            )
        )  # fmt: skip
        await until(lambda: unpacking.TURN._waiters)
        assert isinstance(pool, sa.AsyncAdaptedQueuePool)
        assert pool.checkedout() == 0
    assert (await sent).status_code == 201


async def test_INC_16_values_are_told_and_chosen_in_any_datum(enrol: Enrol) -> None:
    operator = await enrol("operator")
    incident = await opened(operator)
    at = f"{INCIDENTS}/{incident['id']}/values"
    for body, status in (
        ({"field": "patients", "source": "caller", "value": 3}, 201),
        ({"field": "patients", "source": "caller", "value": "many"}, 422),
        ({"field": "position", "source": "device", "value": {"lon": 7.42, "lat": 43.73}}, 201),
        ({"field": "position", "source": "device", "value": "here"}, 422),
        ({"field": "floor", "source": "responder", "value": "5"}, 201),
    ):
        answer = await operator.http.post(at, json=body, headers=key())
        assert answer.status_code == status, answer.text
    told = incident_values.ValueList.model_validate((await operator.http.get(at)).json()).items
    patients = next(value for value in told if value.field == "patients")
    await operator.http.post(f"{at}/{patients.id}/choose")
    assert (await operator.http.get(f"{INCIDENTS}/{incident['id']}")).json()["patients"] == 3


async def test_INC_14_a_second_call_is_suggested_merged_and_taken_apart(enrol: Enrol) -> None:
    operator = await enrol("operator")
    first, second = await opened(operator), await opened(operator)
    at = f"{INCIDENTS}/{second['id']}"
    found = (await operator.http.get(f"{at}/duplicates")).json()["items"]
    assert [item["id"] for item in found] == [first["id"]]
    merged = await operator.http.post(f"{at}/merge", json={"into": first["id"]})
    assert (merged.json()["disposition"], merged.json()["merged_into"]) == (
        "duplicate", first["id"],
    )  # fmt: skip
    apart = await operator.http.post(f"{at}/unmerge")
    assert (apart.json()["status"], apart.json()["merged_into"]) == ("received", None)


async def test_INC_17_a_disaster_over_http(enrol: Enrol) -> None:
    operator = await enrol("operator")
    answer = await operator.http.post(
        "/api/v1/disasters", headers=key(),
        json={"name": "台风", "kind": "flood", "command": [{"post": "指挥", "name": "李"}]},
    )  # fmt: skip
    disaster = disasters.DisasterShape.model_validate(answer.json())
    ids = [
        (await operator.http.post(INCIDENTS, json=call(), headers=key())).json()["id"]
        for _ in range(2)
    ]
    for incident in ids:
        put = await operator.http.put(
            f"{INCIDENTS}/{incident}/disaster", json={"disaster": disaster.id}
        )
        assert put.json()["disaster"] == disaster.id
    at = f"/api/v1/disasters/{disaster.id}"
    shown = disasters.DisasterDetail.model_validate((await operator.http.get(at)).json())
    assert (shown.totals.incidents, shown.totals.by_status) == (2, {"received": 2})
    listed = (await operator.http.get(f"{at}/incidents")).json()["items"]
    assert {item["id"] for item in listed} == set(ids)
    closed = await operator.http.post(f"{at}/close")
    assert closed.json()["closed_at"] is not None
    late = await operator.http.put(f"{INCIDENTS}/{ids[0]}/disaster", json={"disaster": None})
    assert late.json()["disaster"] is None


async def test_INC_16_a_token_without_the_right_to_call_back_gets_no_phone_number(
    enrol: Enrol,
) -> None:
    operator, narrow = await enrol("operator"), await enrol("operator", scopes=("incident",))
    incident = await opened(operator)
    at = f"{INCIDENTS}/{incident['id']}/values"
    body = {"field": "caller_phone", "source": "caller", "value": "13800000000"}
    told = (await operator.http.post(at, json=body, headers=key())).json()
    for member, expected in ((operator, "13800000000"), (narrow, None)):
        said = (await member.http.get(at)).json()["items"]
        assert [item["value"] for item in said if item["id"] == told["id"]] == [expected]
        chosen = await member.http.post(f"{at}/{told['id']}/choose")
        assert chosen.json()["value"] == expected


async def test_INC_17_nobody_sees_more_incidents_under_a_disaster_than_without(
    enrol: Enrol, store: db.Database
) -> None:
    operator, stranger = await enrol("operator"), await enrol("operator", "elsewhere")
    answer = await operator.http.post(
        "/api/v1/disasters", headers=key(), json={"name": "台风", "kind": "flood"}
    )
    disaster = answer.json()["id"]
    mine, theirs = await opened(operator), await opened(stranger)
    async with store.transaction() as conn:
        for incident in (mine, theirs):
            await places.place(
                conn, UUID(incident["id"]), UUID(disaster), by=operator.id, now=datetime.now(UTC)
            )
    at = f"/api/v1/disasters/{disaster}"
    listed = (await operator.http.get(f"{at}/incidents")).json()["items"]
    assert [item["id"] for item in listed] == [mine["id"]]
    for body in ({"name": None}, {"command": None}):
        wrong = await operator.http.patch(at, json=body, headers={"If-Match": '"1"'})
        assert code_of(wrong)[0] == 422
