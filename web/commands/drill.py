"""`golden drill`: play exercises with simulated phones and say whether any alert was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from dispatch import db, errors
from web.commands import installation, options
from web.commands.trouble import Trouble
from web.drill import play, roster, verdict
from web.drill.journal import Journal

_STEPS = (
    ("opened", "接报", "created_at"),
    ("alerted", "通知", "first_alert_at"),
    ("accepted", "接受", "first_accept_at"),
    ("AED collected", "已取AED", "aed_collected_at"),
    ("on scene", "到场", "first_on_scene_at"),
    ("with patient", "施救", "with_patient_at"),
    ("handed over", "移交120", "handed_over_at"),
    ("closed", "结案", "closed_at"),
)
#: The steps that the last line of `--demo` names.
_CHAIN = frozenset({"opened", "alerted", "accepted", "AED collected", "on scene", "closed"})


def drill(
    *,
    phones: Annotated[int, typer.Option(min=1, max=5000, help="Simulated phones. 手机数。")] = 60,
    incidents: Annotated[int, typer.Option(min=1, help="Incidents. 事件数。")] = 5,
    rate: Annotated[float, typer.Option(min=0.01, help="Incidents a second. 每秒事件数。")] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed plays the same drill. 随机种子。")] = 1,
    speed: Annotated[
        float, typer.Option(min=0.1, max=200, help="Phones move so much faster. 移动倍速。")
    ] = 20.0,
    org: Annotated[str, typer.Option(help="Demo organisation that plays. 演示机构。")] = "demo",
    demo: Annotated[
        bool, typer.Option("--demo", help="One incident, told step by step. 逐步讲述一次事件。")
    ] = False,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
) -> None:
    """Play incidents against the running system; always marked as exercise. 始终标记为演练。"""
    place = installation.find(data_dir)
    console = Console(stderr=as_json, highlight=False)
    try:
        judged, played = asyncio.run(
            _drill(
                place, console, org, phones, incidents=1 if demo else incidents,
                rate=rate, seed=seed, speed=speed,
            )
        )  # fmt: skip
    except errors.DispatchError as refused:
        raise Trouble(str(refused), "演练无法进行，见上文说明。") from refused
    if as_json:
        options.print_json(judged.json())
    elif demo:
        _tell(console, played.incidents[0], speed)
    else:
        _show(console, judged, speed)
    if judged.lost or judged.duplicated:
        raise typer.Exit(1)


async def _drill(
    place: installation.Installation,
    console: Console,
    org: str,
    phones: int,
    *,
    incidents: int,
    rate: float,
    seed: int,
    speed: float,
) -> tuple[verdict.Verdict, play.Played]:
    engine = db.make_engine(place.settings.database_url, pool_size=2)
    database = db.Database(engine, None)
    try:
        async with database.transaction() as conn:
            called = await roster.call_up(conn, org, phones=phones, seed=seed, now=_now())
        game = play.Game(
            base_url=f"http://127.0.0.1:{place.settings.port}",
            org_code=org,
            phones=called.phones,
            operator_token=called.operator_token,
            incidents=incidents,
            rate_per_s=rate,
            seed=seed,
            speed=speed,
            places=called.places,
        )
        with _progress(console) as bar:
            task = bar.add_task("exercise 演练", total=incidents)
            played = await play.play(
                game, on_progress=lambda done, _: bar.update(task, completed=done)
            )
        async with database.transaction() as conn:
            await roster.send_home(conn, called, now=_now())
        async with database.snapshot() as conn:
            alerts = await verdict.read_alerts(conn, [i["id"] for i in played.incidents])
    finally:
        await engine.dispose()
    return _judge(alerts, played, speed), played


def _judge(alerts: list[verdict.SentAlert], played: play.Played, speed: float) -> verdict.Verdict:
    journals: dict[str, Journal] = {phone.who.id: phone.journal for phone in played.phones}
    real, street = play.arrivals(played.incidents, speed)
    return verdict.judge(
        alerts,
        journals,
        incidents=len(played.incidents),
        closed=sum(incident["status"] == "closed" for incident in played.incidents),
        arrivals_s=real,
        street_s=street,
    )


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=console, transient=True,
    )  # fmt: skip


def _show(console: Console, judged: verdict.Verdict, speed: float) -> None:
    table = Table(title="Exercise 演练")
    table.add_column("figure 指标")
    table.add_column("", justify="right")
    latency = judged.latency_ms
    for label, value in (
        ("incidents, closed 事件，已结案", f"{judged.incidents}, {judged.closed}"),
        ("alerts 通知", judged.alerts),
        ("accepted 接受", judged.accepted),
        ("declined, timed out, stood down 拒绝、超时、解除",
         f"{judged.declined}, {judged.timed_out}, {judged.stood_down}"),
        ("reconnects 重连", judged.reconnects),
        ("lost 丢失", judged.lost),
        ("duplicated 重复", judged.duplicated),
        ("alert latency ms p50 / p95 / p99 / max 通知延迟",
         f"{latency.p50} / {latency.p95} / {latency.p99} / {latency.max}"),
        (f"first arrival, median, s: by the clock (×{speed:g}) 首人到场（时钟）",
         judged.first_arrival_s),
        ("first arrival, median, s: on foot 首人到场（步行）", judged.first_arrival_street_s),
    ):  # fmt: skip
        table.add_row(label, str(value))
    console.print(table)


def _tell(console: Console, incident: Mapping[str, Any], speed: float) -> None:
    """Print one incident's steps with the seconds since the call."""
    times = {**incident, "aed_collected_at": _first_collected(incident)}
    opened = datetime.fromisoformat(times["created_at"])
    console.print(f"Exercise 演练 {incident['number']} · {incident['address']}")
    said = []
    for english, chinese, field in _STEPS:
        if times[field] is None:
            continue
        after = (datetime.fromisoformat(times[field]) - opened).total_seconds()
        if english in _CHAIN:
            said.append(english)
        console.print(f"  {after:7.1f} s  {english} {chinese}")
    console.print(" → ".join(said), soft_wrap=True)
    console.print(f"(walking {speed:g} times faster than on foot 移动为步行的 {speed:g} 倍)")


def _first_collected(incident: Mapping[str, Any]) -> str | None:
    times = [going["times"]["aed_collected_at"] for going in incident["assignments"]]
    return min((time for time in times if time), default=None)


def _now() -> datetime:
    return datetime.now(UTC)
