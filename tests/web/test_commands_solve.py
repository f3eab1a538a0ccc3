"""`golden solve`: bare cases in a file."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from web import commands
from web.commands.trouble import Trouble

CASE: dict[str, Any] = {
    "id": "both",
    "K": 2,
    "params": {"t0": 3, "tE": 9, "tEd": 10.5, "setup": 1.25, "tby": None, "theta": 0.6},
    "t_direct": [3, None],
    "t_fetch": [None, 5],
    "accept": [0.5, 0.5],
    "aed_ok": [1.0, 0.9],
}


def solve(tmp_path: Path, document: object, *more: str) -> Any:
    file = tmp_path / "cases.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    arguments = ["solve", "dispatch", str(file), *more]
    done = CliRunner().invoke(commands.build(arguments), arguments)
    if done.exception is not None:
        raise done.exception
    return json.loads(done.stdout)


def test_JNT_11_bare_cases_are_solved_as_the_contract_says(tmp_path: Path):
    helped = CASE | {"id": 2, "params": CASE["params"] | {"tby": 0, "theta": 1}}
    dear = CASE | {"id": 3, "lambda": 0.5}
    answers = solve(tmp_path, {"cases": [CASE, helped, dear, CASE | {"K": 0}] * 6}, "--json")
    assert [sorted(answer) for answer in answers] == [["id", "ms", "roles", "value"]] * 24
    both, cpr, nobody, none = answers[:4]
    assert (both["id"], both["roles"]) == ("both", [1, 2])
    assert both["value"] == pytest.approx(0.107146, abs=1e-6)
    assert (cpr["id"], cpr["roles"]) == (2, [0, 2]), "with full CPR nobody is worth going straight"
    assert nobody["roles"] == none["roles"] == [0, 0]
    assert nobody["value"] == pytest.approx(0.052725, abs=1e-6)


def test_JNT_11_another_model_may_be_named(tmp_path: Path):
    (answer,) = solve(tmp_path, {"cases": [CASE]}, "--model", "lexicographic")
    assert answer["value"] == pytest.approx(-(3 + 5.0) - 0.001 * (3 + 8.5875), abs=1e-9)
    with pytest.raises(Trouble, match="valenzuela1997"):
        solve(tmp_path, {"cases": [CASE]}, "--model", "crystal")


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("{", "not JSON"),
        ([CASE], '"cases"'),
        ({"cases": [1]}, "case 0: must be an object"),
        ({"cases": [CASE | {"K": 1.5}]}, "'both': K must be a whole number"),
        ({"cases": [CASE | {"lambda": -1}]}, "lambda must not be negative"),
        ({"cases": [CASE | {"params": None}]}, "params must be an object"),
        ({"cases": [CASE | {"params": {"t0": 3}}]}, "tE must be a number"),
        ({"cases": [CASE | {"params": CASE["params"] | {"tEd": 8}}]}, "must not come before tE"),
        ({"cases": [CASE | {"params": CASE["params"] | {"theta": 2}}]}, "theta must be between"),
        ({"cases": [CASE | {"accept": [0.5]}]}, "of one length"),
        ({"cases": [CASE | {"accept": [0.5, None]}]}, "accept holds None"),
        ({"cases": [CASE | {"aed_ok": [0.5, 1.2]}]}, "aed_ok must be between 0 and 1"),
        ({"cases": [CASE | {"t_fetch": "soon"}]}, "t_fetch must be a list"),
    ],
)
def test_JNT_11_a_bad_file_is_refused_and_says_why(tmp_path: Path, document: object, says: str):
    with pytest.raises(Trouble) as refused:
        solve(tmp_path, document)
    assert says in refused.value.en
    assert "cases.json" in refused.value.zh
