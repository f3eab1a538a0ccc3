"""`golden doctor`: what is wrong with an installation, and how to mend it."""

from dataclasses import asdict

import typer

from web.commands import check_channels, check_machine, check_servers, installation
from web.commands.finding import Finding, State
from web.commands.options import DataDir, Json, print_json

_MARKS = {State.OK: "  ok  ", State.BAD: "WRONG ", State.SKIPPED: "  --  "}


def doctor(*, json: Json = False, data_dir: DataDir = None) -> None:
    """Check everything that can keep the system from running; status 1 when something is wrong.

    检查安装中的问题并说明修复方法；有问题时退出状态为 1。
    """
    place = installation.find(data_dir)
    checks_made = (check_machine, check_servers, check_channels)
    findings = [found for part in checks_made for found in part.check(place)]
    is_well = not any(found.state is State.BAD for found in findings)
    if json:
        checks = [asdict(found) for found in findings]
        print_json({"ok": is_well, "data_dir": str(place.data_dir), "checks": checks})
    else:
        for found in findings:
            _print(found)
    if not is_well:
        raise typer.Exit(1)


def _print(found: Finding) -> None:
    mark = typer.style(_MARKS[found.state], fg="red" if found.state is State.BAD else None)
    typer.echo(f"{mark} {found.en} {found.zh}" if found.en != found.zh else f"{mark} {found.en}")
    if found.mend is None:
        return
    typer.echo(f"       → {found.mend.en}")
    if found.mend.zh != found.mend.en:
        typer.echo(f"       → {found.mend.zh}")
