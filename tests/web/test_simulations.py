"""Simulations over HTTP and on the command line, on Poisson fields and on a real place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import factories
import orjson
import pytest
import sqlalchemy as sa
from callers import Enrol, Member, code_of, key
from typer.testing import CliRunner

from dispatch import db, matching, tables
from dispatch import store as dispatch_store
from dispatch.settings import Settings
from dispatch.simulation import job, jobs, outcome, places, run, working
from dispatch.simulation.registry import Registry
from dispatch.simulation.world import World
from geo import tables as geo_tables
from geo.position import Position
from web import commands
from web.api import simulations as routes

SMALL = {"incidents": 4, "seed": 7, "compare": ["nearest-10"]}
#: A Monday noon, and the midnight of the next day.
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


async def _draft(admin: Member, **document: Any) -> dict[str, Any]:
    body = {"name": "ours", "document": document}
    answer = await admin.http.post("/api/v1/policies", json=body, headers=key())
    draft: dict[str, Any] = answer.json()
    return draft


async def _ask(admin: Member, policy: str, **body: Any) -> dict[str, Any]:
    answer = await admin.http.post(
        f"/api/v1/policies/{policy}/simulate", json={**SMALL, **body}, headers=key()
    )
    assert answer.status_code == 202, answer.text
    asked: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == f"/api/v1/simulations/{asked['id']}"
    routes.SimulationShape.model_validate(asked)
    return asked


async def _take(store: db.Database, *, now: datetime | None = None) -> UUID | None:
    async with store.transaction() as conn:
        return await jobs.take(conn, now=now or datetime.now(UTC))


async def test_SIM_7_a_policy_is_simulated_then_published(
    enrol: Enrol, store: db.Database, settings: Settings
) -> None:
    admin, operator = await enrol("admin"), await enrol("operator")
    draft = await _draft(admin, price=0.001)
    address = f"/api/v1/policies/{draft['id']}"
    assert code_of(await admin.http.post(f"{address}/publish")) == (409, "simulation_missing")
    asked = await _ask(admin, draft["id"])
    assert (asked["status"], asked["done"], asked["report"]) == ("queued", 0, None)
    taken = await _take(store)
    assert str(taken) == asked["id"]
    assert await _take(store) is None
    assert taken is not None
    report = await job.work(store, settings, taken)
    shown = (await operator.http.get(f"/api/v1/simulations/{asked['id']}")).json()
    assert (shown["status"], shown["done"], shown["report"]) == ("done", 4, str(report))
    published = await admin.http.post(f"{address}/publish")
    assert published.json()["report"] == str(report)


async def test_SIM_7_a_report_is_read_as_figures_and_as_a_page(
    enrol: Enrol, store: db.Database, settings: Settings
) -> None:
    admin, elsewhere = await enrol("admin"), await enrol("admin", "blue")
    draft = await _draft(admin)
    reports = []
    for _ in range(2):
        await _ask(admin, draft["id"])
        taken = await _take(store)
        assert taken is not None
        reports.append(await job.work(store, settings, taken))
    address = f"/api/v1/simulation-reports/{reports[0]}"
    first, second = [
        routes.ReportShape.model_validate((await admin.http.get(where)).json())
        for where in (address, f"/api/v1/simulation-reports/{reports[1]}")
    ]
    assert first.body == second.body
    assert first.policies == ["ours", "nearest-10"]
    assert first.digests[0] == draft["digest"]
    page = await admin.http.get(address, headers={"Accept": "text/html,*/*"})
    assert page.headers["Content-Type"].startswith("text/html")
    assert "sandbox" in page.headers["Content-Security-Policy"]
    assert page.text == (await admin.http.get(address, params={"format": "html"})).text
    assert "策略模拟报告" in page.text
    listed = (await admin.http.get("/api/v1/simulation-reports")).json()
    assert [item["id"] for item in listed["items"]] == [str(one) for one in reversed(reports)]
    assert (await elsewhere.http.get(address)).status_code == 404
    assert (await elsewhere.http.get("/api/v1/simulation-reports")).json()["items"] == []


@pytest.mark.parametrize("wrong", [{"setting": "mars"}, {"compare": ["luck"]}])
async def test_SIM_7_what_cannot_be_simulated_is_named(enrol: Enrol, wrong: dict[str, Any]) -> None:
    admin = await enrol("admin")
    draft = await _draft(admin)
    answer = await admin.http.post(
        f"/api/v1/policies/{draft['id']}/simulate", json=wrong, headers=key()
    )
    assert code_of(answer) == (422, "malformed")


async def test_SIM_7_only_who_may_change_a_policy_asks_for_one(enrol: Enrol) -> None:
    admin, operator = await enrol("admin"), await enrol("operator")
    draft = await _draft(admin)
    answer = await operator.http.post(
        f"/api/v1/policies/{draft['id']}/simulate", json=SMALL, headers=key()
    )
    assert answer.status_code == 403


async def test_SIM_8_a_simulation_whose_process_is_gone_is_taken_again(
    enrol: Enrol, store: db.Database
) -> None:
    admin = await enrol("admin")
    asked = await _ask(admin, (await _draft(admin))["id"])
    now = datetime.now(UTC)
    assert str(await _take(store, now=now)) == asked["id"]
    assert await _take(store, now=now + jobs.LEASE) is None
    async with store.transaction() as conn:
        await jobs.note(conn, UUID(asked["id"]), done=2, now=now + jobs.LEASE)
    assert await _take(store, now=now + 2 * jobs.LEASE) is None
    again = await _take(store, now=now + 2 * jobs.LEASE + timedelta(seconds=1))
    assert str(again) == asked["id"]


async def test_SIM_8_without_a_place_it_fails_and_says_why(
    enrol: Enrol, store: db.Database, settings: Settings
) -> None:
    admin = await enrol("admin")
    asked = await _ask(admin, (await _draft(admin))["id"], world="here")
    taken = await _take(store)
    assert taken is not None
    assert await job.work(store, settings, taken) is None
    shown = (await admin.http.get(f"/api/v1/simulations/{asked['id']}")).json()
    assert (shown["status"], shown["report"]) == ("failed", None)
    assert "no people and streets" in shown["error"]


async def test_SIM_8_the_runner_works_off_a_simulation_in_a_process_of_its_own(
    enrol: Enrol, store: db.Database, settings: Settings
) -> None:
    admin = await enrol("admin")
    asked = await _ask(admin, (await _draft(admin))["id"])
    now = datetime.now(UTC)
    assert str(await working.work_one(store, settings, now=now)) == asked["id"]
    shown = (await admin.http.get(f"/api/v1/simulations/{asked['id']}")).json()
    assert shown["status"] == "done", shown
    assert await working.work_one(store, settings, now=now) is None


# ---- a real place


async def _place(store: db.Database) -> str:
    """Make a place: two who live near the harbour, one at work by day, one far; two AEDs."""
    now = datetime.now(UTC)
    async with store.transaction() as conn:
        scene = await factories.make_scene(conn, people=4, now=now)
        for number, person in enumerate(scene.responders):
            metres, hours = ((100, None), (300, None), (200, "Mo-Fr 08:00-18:00"), (9_000, None))[
                number
            ]
            await conn.execute(
                sa.insert(tables.place).values(
                    id=dispatch_store.new_id(), responder_id=person, hours=hours,
                    kind="work" if hours else "home",
                    position=factories.north_of(factories.HARBOUR, metres).ewkb(),
                )
            )  # fmt: skip
        await factories.make_aed(
            conn, scene.org_id, position=factories.north_of(factories.HARBOUR, 50),
            hours="Mo-Fr 09:00-17:00", now=now,
        )  # fmt: skip
        await _demand(conn, [factories.HARBOUR])
    return scene.org_code


async def _demand(conn: Any, spots: Sequence[Position]) -> None:
    dataset = await conn.scalar(
        sa.insert(geo_tables.dataset)
        .values(
            name="town", title_zh="镇", title_en="Town", source="s", sha256="0", attribution="a",
            west=7.4, south=43.7, east=7.5, north=43.8, centre=spots[0].ewkb(),
            imported_at=datetime.now(UTC),
        )
        .returning(geo_tables.dataset.c.id)
    )  # fmt: skip
    for spot in spots:
        await conn.execute(
            sa.insert(geo_tables.demand_point).values(
                dataset_id=dataset, cell="8a", position=spot.ewkb()
            )
        )


async def _read(store: db.Database, code: str, folder: Path, **more: Any) -> Registry:
    async with store.snapshot() as conn:
        path = await conn.scalar(sa.select(tables.org.c.path).where(tables.org.c.code == code))
        return await places.read(
            conn, path, walking_dir=folder, speed_mps=1.4167, now=datetime.now(UTC), **more
        )


async def test_SIM_9_people_are_where_they_declared_to_be_and_aeds_open_by_their_hours(
    store: db.Database, tmp_path: Path
) -> None:
    registry = await _read(store, await _place(store), tmp_path)
    spot = registry.spots[0]
    past = replace(registry, is_replay=True, spots=[replace(spot, at=NOON, ambulance_s=400.0)])
    by_day = past.case_of(World(), 1, 0).ground
    assert sorted(by_day.line_m.round()) == [100, 200, 300]
    assert (by_day.direct_s == pytest.approx(by_day.line_m * 1.35 / 1.4167, rel=1e-3)) is True
    assert sorted(by_day.aed_line_m.round()) == [50, 60, 120]
    assert by_day.ambulance_s == 400.0
    midnight = NOON + timedelta(hours=12)
    at_night = replace(past, spots=[replace(spot, at=midnight)]).case_of(World(), 1, 0).ground
    assert sorted(at_night.line_m.round()) == [100, 300]
    assert sorted(at_night.aed_line_m.round()) == [60, 120]


async def test_SIM_9_a_real_place_is_played_the_same_twice(
    store: db.Database, tmp_path: Path
) -> None:
    registry = await _read(store, await _place(store), tmp_path)
    policies = tuple(matching.SHIPPED[name] for name in ("expected-survival", "nearest-10"))
    request = run.Request(policies, places.world_of(World(), registry), registry, 7, 12)
    played = run.simulate(request)
    assert (played.numbers == run.simulate(request).numbers).all()
    assert played.numbers[:, :, outcome.COLUMNS.index("alerts")].max() <= 3
    assert places.load_per_alert(request) == registry.incidents_year / 4


async def test_SIM_9_past_incidents_are_replayed_but_no_exercise(
    store: db.Database, tmp_path: Path
) -> None:
    code = await _place(store)
    async with store.transaction() as conn:
        org = await conn.scalar(sa.select(tables.org.c.id).where(tables.org.c.code == code))
        await factories.make_incident(conn, org, exercise=True, now=datetime.now(UTC))
    registry = await _read(store, code, tmp_path, is_replay=True)
    (spot,) = registry.spots
    assert registry.is_replay
    assert spot.at is not None
    assert registry.case_of(World(), 1, 0).ground.alert_at == spot.at


# ---- the command


def _golden(*words: str) -> Any:
    return CliRunner().invoke(commands.build(["simulate"]), ["simulate", *words])


def test_SIM_10_the_command_prints_the_same_twice_and_writes_a_page(tmp_path: Path) -> None:
    html = tmp_path / "report.html"
    words = (
        "--policy", "nearest-10", "--policy", "three-and-replace", "--incidents", "6",
        "--seed", "7", "--processes", "1", "--density", "10,4", "--json",
    )  # fmt: skip
    first, second = _golden(*words, "--html", str(html)), _golden(*words)
    assert first.exit_code == 0, first.output
    assert first.stdout == second.stdout
    body = orjson.loads(first.stdout)
    assert [policy["name"] for policy in body["policies"]] == ["nearest-10", "three-and-replace"]
    assert "nearest-10" in html.read_text(encoding="utf-8")


def test_SIM_10_a_policy_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_bytes(orjson.dumps({"name": "mine", "chooser": "nearest", "wave_size": 2}))
    found = _golden("--policy", str(file), "--incidents", "2", "--processes", "1")
    assert found.exit_code == 0, found.output
    assert "mine" in found.output


@pytest.mark.parametrize(
    "words",
    [("--policy", "luck"), ("--density", "ten"), ("--setting", "mars")],
    ids=["policy", "density", "setting"],
)
def test_SIM_10_what_is_wrong_is_said(words: tuple[str, str]) -> None:
    found = _golden(*words)
    assert found.exit_code != 0
    assert words[1] in str(found.exception) or words[0] in str(found.exception)


def test_SIM_10_a_place_that_is_not_there_is_said(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOLDEN_DATABASE_URL", database)
    monkeypatch.setenv("GOLDEN_DATA_DIR", str(tmp_path))
    nowhere = _golden("--world", "here", "--org", "nowhere")
    assert "There is no organisation nowhere" in str(nowhere.exception)
