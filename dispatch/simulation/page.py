"""A report as one page that needs nothing else: to read on a screen, to print, to file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined

from dispatch.simulation import charts

_pages = Environment(
    loader=PackageLoader("dispatch.simulation", "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)

#: Figure, factor, decimals, Chinese and English name; what `better` says is drawn in the table.
_ROWS = (
    ("index_valenzuela1997", 100, 2, "生存指数 %（valenzuela1997）", "survival index, %"),
    ("index_waalewijn2001", 100, 2, "生存指数 %（waalewijn2001）", "second model, %"),
    ("volunteer_first", 100, 1, "志愿者先于救护车 %", "volunteer before the ambulance, %"),
    ("aed_first", 100, 1, "AED 先于救护车 %", "AED before the ambulance, %"),
    ("under_5_min", 100, 1, "首人五分钟内到达 %", "first arrival under 5 min, %"),
    ("first_arrival_s_median", 1 / 60, 1, "首人到达（中位）分钟", "first arrival, median, min"),
    ("cpr_s_median", 1 / 60, 1, "倒地至按压（中位）分钟", "collapse to CPR, median, min"),
    ("cpr_s_p90", 1 / 60, 1, "倒地至按压（90 百分位）", "collapse to CPR, 90th, min"),
    ("shock_s_median", 1 / 60, 1, "倒地至电击（中位）分钟", "collapse to shock, median, min"),
    ("shock_s_p90", 1 / 60, 1, "倒地至电击（90 百分位）", "collapse to shock, 90th, min"),
    ("alerts", 1, 1, "每事件通知人数", "alerts an incident"),
    ("accepts", 1, 2, "每事件接受人数", "accepts an incident"),
    ("late", 1, 2, "晚于救护车到达人数", "arrivals after the ambulance"),
    ("alerts_per_volunteer_year", 1, 1, "每名志愿者每年通知", "alerts a volunteer and year"),
    ("nobody_called", 100, 1, "无人被通知 %", "nobody called, %"),
    ("nobody_came", 100, 1, "无人到场 %", "nobody came, %"),
)


def render(report: Mapping[str, Any]) -> str:
    """Return the page as HTML in Chinese and English; the same report gives the same page."""
    table = [
        {
            "zh": zh,
            "en": en,
            "cells": [
                _cell(policy["figures"][name], factor, digits) for policy in report["policies"]
            ],
        }
        for name, factor, digits, zh, en in _ROWS
    ]
    model = f"index_{report['models'][0]}"
    differences = [_cell(policy["difference"][model], 100, 2) for policy in report["policies"]]
    return _pages.get_template("report.html").render(
        report=report,
        table=table,
        differences=differences,
        districts=[part["name"] for part in report["policies"][0]["districts"]],
        charts=charts.draw(report),
        world=orjson.dumps(report["world"], option=orjson.OPT_INDENT_2).decode(),
    )


def _cell(figure: Mapping[str, Any], factor: float, digits: int) -> dict[str, str]:
    """Write a figure and its standard error, a dash where there is none."""
    value, error = figure["value"], figure["se"]
    return {
        "value": "–" if value is None else f"{factor * value:.{digits}f}",
        "error": "" if error is None else f"±{factor * error:.{digits}f}",
    }
