"""A list sent in from the console: tried, read otherwise, and taken over once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from callers import code_of, key

from dispatch import db, tables, uploads
from geo import tables as geo_tables
from realtime import log
from tests.web.conftest import Enrol
from web import dependencies
from web.import_shapes import ImportShape, ImportsShape

IMPORTS = "/api/v1/imports"
AEDS = """名称,经度,纬度,备注
市民中心,114.305,30.593,一楼
图书馆,114.310,30.595,
体育馆,,,没有坐标
"""


async def send(member: Any, kind: str, text: str, **query: object) -> Any:
    """Send a list in."""
    query = {"name": "list.csv", **query}
    headers = {**key(), "Content-Type": "application/octet-stream"}
    return await member.http.post(
        f"{IMPORTS}/{kind}", params=query, content=text.encode(), headers=headers
    )


async def count(store: db.Database, table: sa.Table) -> int:
    async with store.snapshot() as conn:
        return int(await conn.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


async def test_LST_7_a_list_is_tried_before_it_is_taken_over_and_only_once(
    enrol: Enrol, store: db.Database
) -> None:
    operator = await enrol("operator")
    sent = await send(operator, "aeds", AEDS)
    assert sent.status_code == 201, sent.text
    body = ImportShape.model_validate(sent.json())
    assert (body.report.added, [row.row for row in body.report.rejected]) == (2, [4])  # type: ignore[union-attr]  # sent in, so tried
    assert [one["properties"]["outcome"] for one in body.preview["features"]] == ["added"] * 2
    assert await count(store, geo_tables.aed) == 0
    path = f"{IMPORTS}/{body.id}"
    applied = await operator.http.post(f"{path}/apply", headers=key())
    assert ImportShape.model_validate(applied.json()).applied_at is not None
    assert await count(store, geo_tables.aed) == 2
    again = await operator.http.post(f"{path}/apply", headers=key())
    assert code_of(again) == (409, "list_applied")
    listed = ImportsShape.model_validate((await operator.http.get(IMPORTS)).json())
    assert [item.report.added for item in listed.items if item.report] == [2]
    second = await send(operator, "aeds", AEDS)
    assert second.json()["report"]["unchanged"] == 2


async def test_LST_8_another_datum_or_mapping_is_a_new_trial(enrol: Enrol) -> None:
    operator = await enrol("operator")
    text = AEDS.replace("名称", "某列")
    sent = ImportShape.model_validate((await send(operator, "aeds", text)).json())
    assert sent.missing == ["name"]
    path = f"{IMPORTS}/{sent.id}"
    refused = await operator.http.post(f"{path}/apply", headers=key())
    assert code_of(refused) == (422, "bad_list")
    mapped = await operator.http.patch(path, json={"columns": {"name": "某列"}, "crs": "gcj02"})
    body = ImportShape.model_validate(mapped.json())
    assert (body.report.added, body.options["crs"]) == (2, "gcj02")  # type: ignore[union-attr]  # tried
    lon = body.preview["features"][0]["geometry"]["coordinates"][0]
    assert abs(lon - 114.305) > 0.004
    wrong = await operator.http.patch(path, json={"columns": {"name": "没有的列"}})
    assert code_of(wrong) == (422, "bad_list")


async def test_LST_9_a_layout_is_kept_and_used_again(enrol: Enrol) -> None:
    operator = await enrol("operator")
    kept = {"kind": "aeds", "name": "旧表", "columns": {"name": "某列"}}
    made = await operator.http.post("/api/v1/import-layouts", json=kept, headers=key())
    assert made.status_code == 201, made.text
    text = AEDS.replace("名称", "某列")
    sent = await send(operator, "aeds", text, layout="旧表")
    assert (sent.json()["missing"], sent.json()["report"]["added"]) == ([], 2)
    missing = await send(operator, "aeds", text, layout="没有")
    assert code_of(missing) == (404, "not_found")
    listed = await operator.http.get("/api/v1/import-layouts", params={"kind": "aeds"})
    assert [one["name"] for one in listed.json()["items"]] == ["旧表"]


async def test_LST_9_another_layout_is_chosen_and_undoes_what_was_mapped(enrol: Enrol) -> None:
    operator = await enrol("operator")
    text = "场所名称,经度,纬度,单位名称\n市民中心,114.305,30.593,红十字会\n"
    sent = ImportShape.model_validate((await send(operator, "aeds", text)).json())
    assert (sent.layout, sent.options["layout"]) == ("county-zh", None)
    assert [one.name for one in sent.layouts if one.fits] == ["county-zh", "guessed"]
    assert set(sent.mapping) == {"name", "lon", "lat"}, "only columns that the list has"
    path = f"{IMPORTS}/{sent.id}"
    mapped = await operator.http.patch(path, json={"columns": {"name": "单位名称", "lat": None}})
    body = mapped.json()
    assert body["mapping"] == {"name": "单位名称", "lon": "经度"}
    columns = {name: body["mapping"].get(name, []) for name in ("name", "lon", "lat")}
    kept = {"kind": "aeds", "name": "单位表", "columns": columns}
    made = await operator.http.post("/api/v1/import-layouts", json=kept, headers=key())
    assert made.json()["columns"] == columns
    for layout, name in ((None, "场所名称"), ("单位表", "单位名称"), ("guessed", "场所名称")):
        body = (await operator.http.patch(path, json={"layout": layout})).json()
        assert (body["options"]["layout"], body["mapping"]["name"]) == (layout, name)
        assert ("lat" in body["mapping"]) == (layout != "单位表")
    other = AEDS.replace("名称", "场所名称")
    again = (await send(operator, "aeds", other, layout="单位表")).json()
    assert (again["layout"], again["mapping"]["name"]) == ("单位表", "场所名称")
    assert [one["code"] for one in again["warnings"]] == ["columns_lacking"]
    assert code_of(await operator.http.patch(path, json={"layout": "没有"})) == (404, "not_found")


SECRET = "S3CRET"
WITH_CODE = f"""场所名称,经度,纬度,箱柜密码,第一责任人,第一责任人电话
市民中心,114.305,30.593,{SECRET},张三,13800000000
图书馆,114.310,30.595,{SECRET * 9},,
"""


async def told(store: db.Database) -> list[log.Event]:
    """Read what the organisation was told."""
    async with store.snapshot() as conn:
        epoch = (await log.position_of(conn, ["org:red"]))["org:red"].epoch
        return await log.read_after(conn, "org:red", epoch, 0, limit=100)


async def test_IMP_14_the_code_comes_in_and_is_shown_nowhere(
    enrol: Enrol, store: db.Database, caplog: Any
) -> None:
    operator = await enrol("operator")
    sent = await send(operator, "aeds", WITH_CODE)
    path = f"{IMPORTS}/{sent.json()['id']}"
    assert [row["箱柜密码"] for row in sent.json()["sample"]] == ["****"] * 2
    hidden = await operator.http.patch(path, json={"columns": {"cabinet_code": None}})
    as_name = await operator.http.patch(path, json={"columns": {"name": "箱柜密码"}})
    back = await operator.http.patch(path, json={"layout": None})
    applied = await operator.http.post(f"{path}/apply", headers=key())
    assert applied.json()["report"]["added"] == 1
    listed = await operator.http.get("/api/v1/aeds", params={"own": True})
    (aed,) = listed.json()["items"]
    async with store.snapshot() as conn:
        code = await conn.scalar(sa.select(geo_tables.aed_code.c.code))
        kept = (await conn.execute(sa.select(tables.import_file))).all()
    assert code == SECRET
    history = await operator.http.get(f"/api/v1/aeds/{aed['id']}/history")
    custodians = await operator.http.get(f"/api/v1/aeds/{aed['id']}/custodians")
    assert [one["phone"] for one in custodians.json()["items"]] == ["13800000000"]
    shown = [one.text for one in (sent, hidden, as_name, back, applied, listed, history)]
    shown += [repr(kept), caplog.text, *(repr(event.value()) for event in await told(store))]
    assert not [text for text in shown if SECRET in text]


async def test_IMP_13_a_list_that_was_taken_over_is_told_once(
    enrol: Enrol, store: db.Database
) -> None:
    operator = await enrol("operator")
    for rows in (2, 30):
        lines = (f"馆{n},{114.3 + n / 100},30.5" for n in range(rows))
        text = "\n".join(("名称,经度,纬度", *lines))
        sent = await send(operator, "aeds", text)
        await operator.http.post(f"{IMPORTS}/{sent.json()['id']}/apply", headers=key())
    events = await told(store)
    assert [event.kind for event in events] == ["aed_changed"] * 2 + ["aeds_imported"]
    bodies: list[Any] = [event.value() for event in events]
    said = bodies[-1]["imported"]
    assert (said["added"], said["changed"]) == (28, 0)
    assert bodies[0]["aed"]["name"] == "馆0"


async def test_LST_10_each_kind_is_for_those_who_may_change_it(enrol: Enrol) -> None:
    operator, keeper, admin = await enrol("operator"), await enrol("keeper"), await enrol("admin")
    people = "姓名,手机,有效期至\n李雷,13800001111,2030-01-01\n"
    assert code_of(await send(operator, "responders", people)) == (403, "not_allowed")
    assert code_of(await send(keeper, "aeds", AEDS)) == (403, "not_allowed")
    sent = await send(admin, "responders", people)
    assert sent.json()["report"]["added"] == 1
    path = f"{IMPORTS}/{sent.json()['id']}"
    for stranger in (operator, await enrol("admin", "blue")):
        assert code_of(await stranger.http.get(path)) == (404, "not_found")
        assert code_of(await stranger.http.post(f"{path}/apply", headers=key())) == (
            404, "not_found",
        )  # fmt: skip
    assert (await keeper.http.get(IMPORTS)).json()["items"] == []


async def test_LST_11_a_file_that_is_no_list_says_what_to_do(enrol: Enrol) -> None:
    operator = await enrol("operator")
    refused = await send(operator, "aeds", "%PDF-1.7 ...", lang="zh")
    assert code_of(refused) == (422, "bad_list")
    assert "CSV" in refused.json()["detail"]


async def test_LST_12_the_file_is_dropped_after_a_day(enrol: Enrol, store: db.Database) -> None:
    operator = await enrol("operator")
    sent = await send(operator, "aeds", AEDS)
    later = dependencies.clock() + timedelta(days=1, minutes=1)
    async with store.transaction() as conn:
        assert await uploads.sweep(conn, now=later) == 1
        kept = await conn.scalar(sa.select(tables.import_file.c.content))
    assert kept is None
    gone = await operator.http.get(f"{IMPORTS}/{sent.json()['id']}")
    assert code_of(gone) == (409, "list_applied")
