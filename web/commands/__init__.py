"""The `golden` program: one command with subcommands, each of them a module of its own.

Only the module of the command that was asked for is imported, so that `golden --help` is quick.
"""

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import typer

from web.commands import trouble


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a subcommand lives, and what the overview says of it.

    One with `parts` is a group of commands in modules of their own.
    """

    module: str
    name: str
    en: str
    zh: str
    parts: Mapping[str, "Entry"] = field(default_factory=dict)

    @property
    def help(self) -> str:
        """Give what the overview says."""
        return f"{self.en} {self.zh}"


_IMPORTS = {
    "osm": Entry(
        "imports",
        "osm",
        "Load streets, walking network, base map, addresses, AEDs, hospitals and fire stations.",
        "导入地图",
    ),
    "aeds": Entry("import_lists", "aeds", "Load a list of AEDs.", "导入 AED 名册"),
    "responders": Entry(
        "import_lists", "responders", "Load a list of volunteers.", "导入志愿者名册"
    ),
    "stock": Entry("import_lists", "stock", "Load a list of lots of relief goods.", "导入物资名册"),
}


COMMANDS = {
    "up": Entry("up", "up", "Start the whole system and serve until Ctrl-C.", "启动整个系统"),
    "down": Entry("up", "down", "Stop the system that `up` started.", "停止系统"),
    "serve": Entry("serve", "serve", "Run one app process.", "运行一个应用进程"),
    "runner": Entry("runner", "runner", "Run one runner process.", "运行一个后台进程"),
    "migrate": Entry("migrate", "migrate", "Bring the schema up.", "升级数据库结构"),
    "settings": Entry("settings", "settings", "List every setting.", "列出所有设置"),
    "doctor": Entry("doctor", "doctor", "Say what is wrong and how to mend it.", "检查并说明问题"),
    "org": Entry("org", "org", "Add organisations.", "管理组织"),
    "user": Entry("user", "user", "Add people who sign in.", "管理用户"),
    "token": Entry("accounts", "token", "Make an API token; printed once.", "生成接口令牌"),
    "link": Entry("accounts", "link", "Make a one-time sign-in link.", "生成一次性登录链接"),
    "import": Entry("", "", "Import a city or a list.", "导入城市或名册", _IMPORTS),
    "export": Entry("exports", "app", "Export lists and templates.", "导出名册与模板"),
    "routing": Entry("routing_build", "app", "Build routing data only.", "仅生成路网数据"),
    "coverage": Entry("coverage", "coverage", "Share of buildings near an AED.", "AED 覆盖率"),
    "solve": Entry("solve", "app", "Solve bare cases in a file.", "求解文件中的算例"),
    "demo": Entry("demo", "demo", "Fill in the demo organisation.", "生成演示数据"),
    "drill": Entry("drill", "drill", "Play incidents with simulated phones.", "模拟演练"),
    "simulate": Entry("simulate", "simulate", "Compare alert policies on a seed.", "模拟比较策略"),
}


def build(arguments: Sequence[str]) -> typer.Typer:
    """Put the program together: real the command that is asked for, the others by their help."""
    program = typer.Typer(
        name="golden",
        help="Golden Minutes: emergency response and AED dispatch. 黄金分钟：急救与 AED 调度。",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    words = [word for word in arguments if not word.startswith("-")]
    _add(program, COMMANDS, words)
    return program


def _add(program: typer.Typer, entries: Mapping[str, Entry], words: Sequence[str]) -> None:
    """Add commands to a group, and load the one that the first word asks for."""
    wanted = words[0] if words else None
    for name, entry in entries.items():
        if name != wanted:
            program.command(name, help=entry.help)(_unused)
        elif entry.parts:
            group = typer.Typer(no_args_is_help=True)
            _add(group, entry.parts, words[1:])
            program.add_typer(group, name=name, help=entry.help)
        else:
            command = _load(entry)
            if isinstance(command, typer.Typer):
                program.add_typer(command, name=name, help=entry.help)
            else:
                program.command(name)(command)


def main() -> None:
    """Run the program with the arguments of this process."""
    try:
        build(sys.argv[1:])()
    except trouble.Trouble as problem:
        typer.echo(f"{problem.en}\n{problem.zh}", err=True)
        raise SystemExit(1) from None


def _load(entry: Entry) -> typer.Typer | Callable[..., None]:
    module = importlib.import_module(f"web.commands.{entry.module}")
    command: typer.Typer | Callable[..., None] = getattr(module, entry.name)
    return command


def _unused() -> None:
    """Stand in for a command that was not asked for; never runs."""
