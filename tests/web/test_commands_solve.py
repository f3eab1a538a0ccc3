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


HAND: dict[str, Any] = {
    "now": "2026-11-23T04:00:00Z",
    "lots": [
        {"id": "A", "depot": "W1", "item": "quilt", "quantity": 30, "expires": "2026-11-28"},
        {"id": "B", "depot": "W1", "item": "quilt", "quantity": 50, "expires": None},
        {"id": "C", "depot": "W2", "item": "quilt", "quantity": 40,
         "expires": "2026-12-03T00:00:00+08:00"},
        {"id": "D", "depot": "W2", "item": "quilt", "quantity": 20, "expires": "2026-11-22"},
    ],
    "needs": [
        {"id": "I1", "item": "quilt", "quantity": 60, "priority": 1, "use_by_margin_s": 0},
        {"id": "I2", "item": "quilt", "quantity": 50, "priority": 1, "use_by_margin_s": 0},
    ],
    "travel_s": {"W1": {"I1": 600, "I2": 1800}, "W2": {"I1": 1500, "I2": 720}},
    "options": {"max_depots_per_need": None},
}  # fmt: skip


def stock(tmp_path: Path, document: object) -> Any:
    file = tmp_path / "stock.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    done = CliRunner().invoke(commands.build(["solve", "stock"]), ["solve", "stock", str(file)])
    if done.exception is not None:
        raise done.exception
    return json.loads(done.stdout)


def with_need(**more: object) -> dict[str, Any]:
    return HAND | {"needs": [HAND["needs"][0], HAND["needs"][1] | more]}


def with_lot(**more: object) -> dict[str, Any]:
    return HAND | {"lots": [HAND["lots"][0] | more, *HAND["lots"][1:]]}


def test_STK_6_a_bare_case_is_solved_as_the_contract_says(tmp_path: Path):
    answer = stock(tmp_path, HAND)
    assert sorted(answer) == ["flows", "gap", "seconds", "short", "unit_minutes"]
    assert (answer["unit_minutes"], answer["short"], answer["gap"]) == (1380, {}, 0)
    assert sorted(sorted(flow) for flow in answer["flows"]) == [["lot", "need", "quantity"]] * len(
        answer["flows"]
    )
    given = dict.fromkeys("ABCD", 0)
    for flow in answer["flows"]:
        given[flow["lot"]] += flow["quantity"]
    assert given == {"A": 30, "B": 40, "C": 40, "D": 0}


def test_STK_6_the_bare_shortage(tmp_path: Path):
    answer = stock(tmp_path, with_need(quantity=80))
    assert (answer["unit_minutes"], answer["short"]) == (1680, {"I2": 20})


def test_STK_9_a_bare_limit_of_depots(tmp_path: Path):
    answer = stock(tmp_path, HAND | {"options": {"max_depots_per_need": 1}})
    assert answer["short"] == {"I2": 10}, "60 are in one depot alone, and it has 20 more"


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("{", "not JSON"),
        ([], '"now", "lots", "needs" and "travel_s"'),
        (HAND | {"now": "soon"}, "now must be a time"),
        (HAND | {"lots": {}}, '"lots" must be a list'),
        (with_lot(quantity=1.5), "lot 'A': quantity must be a whole number, 0 or more, not 1.5"),
        (with_lot(quantity=-1), "lot 'A': quantity must be a whole number"),
        (with_lot(id="B"), "lot 'B' is there twice"),
        (with_lot(expires="2026-13-01"), "lot 'A': expires must be a time"),
        (with_lot(depot=None), "lot 'A': depot must be a text"),
        (with_need(use_by_margin_s=-1), "need 'I2': use_by_margin_s must be seconds"),
        (with_need(priority="high"), "need 'I2': priority must be a whole number"),
        (with_need(need_by=5), "need 'I2': need_by must be a time"),
        (HAND | {"travel_s": []}, '"travel_s" must be an object'),
        (HAND | {"travel_s": {"W1": 5}}, "travel_s of 'W1' must be an object"),
        (HAND | {"travel_s": {"W1": {"I1": "far"}}}, "travel_s of 'W1' to 'I1' must be seconds"),
        (HAND | {"options": {"max_depots_per_need": 0}}, "must be 1 or more"),
    ],
)
def test_STK_6_a_bad_bare_case_is_refused_and_says_why(tmp_path: Path, document: object, says: str):
    with pytest.raises(Trouble) as refused:
        stock(tmp_path, document)
    assert says in refused.value.en
    assert "stock.json" in refused.value.zh
