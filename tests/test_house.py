"""The house rules of CONTRIBUTING.md that no other tool holds."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parent.parent
PACKAGES = ("geo", "realtime", "dispatch", "web")
FORBIDDEN_NAMES = {
    *("utils", "helpers", "common", "core", "base", "manager", "managers", "service"),
    *("services", "models", "schemas", "types", "constants"),
}
#: The clock is read at the edges only; everywhere else `now` is an argument.
CLOCK_READERS = (
    "web/dependencies.py",
    "dispatch/runner.py",
    "dispatch/simulation/job.py",
    "web/commands/",
    "web/drill/",
    "web/live.py",
)
#: The three kinds of loop that must go on whatever happens: each logs, counts, continues.
BROAD_EXCEPT = ("dispatch/runner.py", "realtime/tailer.py", "web/live.py")


def _tracked(pattern: str) -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--", pattern],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return [HOUSE / name for name in listing if (HOUSE / name).exists()]


def _python() -> list[Path]:
    return [path for package in PACKAGES for path in _tracked(f"{package}/*.py")]


def _name(path: Path) -> str:
    return path.relative_to(HOUSE).as_posix()


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body
    if ast.get_docstring(function) is not None:
        body = body[1:]
    if not body:
        return 0
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    return {_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in _python()}


def test_functions_fit_a_screen(trees: dict[str, ast.Module]) -> None:
    long = [
        f"{name}:{function.lineno} {function.name} has {_length(function)} lines"
        for name, tree in trees.items()
        if not name.endswith("_kernel.py")
        for function in _functions(tree)
        if _length(function) > 40
    ]
    assert not long, "\n".join(long)


def test_files_stay_short() -> None:
    scripts = [path for end in ("*.ts", "*.tsx") for path in _tracked(f"web/ui/{end}")]
    long = [
        f"{_name(path)} has {lines} lines"
        for path, limit in [(p, 400) for p in _python()] + [(p, 300) for p in scripts]
        if not path.name.endswith(".gen.ts")
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > limit
    ]
    assert not long, "\n".join(long)


def test_no_module_is_a_junk_drawer() -> None:
    bad = [
        _name(p) for p in _python() if p.stem in FORBIDDEN_NAMES or p.parent.name in FORBIDDEN_NAMES
    ]
    assert not bad


def test_public_functions_say_what_they_do(trees: dict[str, ast.Module]) -> None:
    silent = [
        f"{name}:{node.lineno} {node.name}"
        for name, tree in trees.items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
    ]
    assert not silent, "\n".join(silent)


def test_imports_stand_at_the_top(trees: dict[str, ast.Module]) -> None:
    inner = [
        f"{name}:{node.lineno}"
        for name, tree in trees.items()
        for function in _functions(tree)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not inner, "\n".join(inner)


def test_the_clock_is_read_at_the_edges(trees: dict[str, ast.Module]) -> None:
    readers = [
        f"{name}:{node.lineno}"
        for name, tree in trees.items()
        if not name.startswith(CLOCK_READERS)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in {"now", "utcnow", "today"}
        and isinstance(node.value, ast.Name)
        and node.value.id in {"datetime", "date"}
    ]
    assert not readers, "\n".join(readers)


def test_broad_except_only_in_loops_that_must_go_on(trees: dict[str, ast.Module]) -> None:
    broad = [
        f"{name}:{node.lineno}"
        for name, tree in trees.items()
        if not name.startswith(BROAD_EXCEPT)
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"})
        )
    ]
    assert not broad, "\n".join(broad)


def test_one_commit_site(trees: dict[str, ast.Module]) -> None:
    commits = [
        f"{name}:{node.lineno}"
        for name, tree in trees.items()
        if name.startswith(("dispatch/", "realtime/", "web/api/")) and name != "dispatch/db.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"commit", "begin", "begin_nested"}
    ]
    assert not commits, "\n".join(commits)


def test_every_rule_of_the_spec_is_cited_by_a_test() -> None:
    rules = re.findall(
        r"(?m)^\*\*([A-Z]{2,4}-\d+)\*\*", (HOUSE / "docs/spec.md").read_text(encoding="utf-8")
    )
    tests = "\n".join(
        path.read_text(encoding="utf-8")
        for path in [*_tracked("tests/*.py"), *_tracked("web/ui/*.test.ts")]
    )
    uncited = [rule for rule in rules if rule.replace("-", "_") not in tests and rule not in tests]
    assert rules, "docs/spec.md has no rules"
    assert not uncited, f"no test cites {uncited}"


def test_no_emblem_and_no_foreign_paths() -> None:
    hosts = ["py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "deb." + "debian.org"]
    bad = [
        f"{_name(path)}: {host}"
        for path in _tracked(".")
        if path.suffix in {".py", ".ts", ".tsx", ".md", ".lock", ".json", ".toml", ".sh", ""}
        and path.is_file()
        for host in hosts
        if host in path.read_text(encoding="utf-8", errors="ignore")
    ]
    assert not bad, "\n".join(bad)
