"""`golden solve`: the solvers on bare cases in a file, without a running system."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dispatch import joint
from dispatch.joint import bare, survival
from dispatch.supply import bare as supply_bare
from web.commands.options import Json, print_json
from web.commands.trouble import Trouble

app = typer.Typer(help="Solve bare cases in a file. 求解文件中的算例。", no_args_is_help=True)

_MODELS = ", ".join(survival.MODELS)
_FEW = 20  # cases that take no two seconds


@app.callback()
def solve() -> None:
    """Solve bare cases in a file, without a running system. 求解文件中的算例，无需运行系统。"""


@app.command()
def dispatch(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Cases as JSON. 算例文件。")
    ],
    *,
    model: Annotated[
        str, typer.Option(help=f"Survival model: {_MODELS}. 生存模型。")
    ] = survival.VALENZUELA.name,
    _json: Json = False,
) -> None:
    """Say whom to alert, straight or by way of an AED: value and roles of each case, always JSON.

    选择通知对象与角色（直接前往或取 AED）：以 JSON 输出每个算例的目标值与角色。
    """
    if model not in survival.MODELS:
        raise Trouble(
            f"There is no survival model {model!r}. There are: {_MODELS}",
            f"没有名为 {model!r} 的生存模型。可选：{_MODELS}",
        )
    try:
        cases = bare.read(_read(file), survival.MODELS[model])
    except bare.BadCase as problem:
        raise _trouble(file, problem) from None
    joint.warm_up()
    answers = []
    with _progress(len(cases)) as bar:
        task = bar.add_task("cases 算例", total=len(cases))
        for answer in bare.solve(cases):
            answers.append(asdict(answer))
            bar.advance(task)
    print_json(answers)


@app.command()
def stock(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON. 算例文件。")],
    *,
    _json: Json = False,
) -> None:
    """Say which lots go to which needs: flows, shortage and unit-minutes, always JSON.

    选择由哪些批号供应哪些需求：以 JSON 输出数量、缺口与件·分钟。
    """
    try:
        case = supply_bare.read(_read(file))
    except supply_bare.BadCase as problem:
        raise _trouble(file, problem) from None
    print_json(supply_bare.answer(case))


def _read(file: Path) -> object:
    try:
        return json.loads(file.read_bytes())
    except (ValueError, UnicodeDecodeError) as problem:
        raise Trouble(
            f"{file.name} is not JSON ({problem})", f"{file.name} 不是 JSON（{problem}）"
        ) from None


def _trouble(file: Path, problem: ValueError) -> Trouble:
    return Trouble(f"{file.name}: {problem}", f"{file.name} 内容有误：{problem}")


def _progress(cases: int) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=Console(stderr=True), transient=True, disable=cases <= _FEW,
    )  # fmt: skip
