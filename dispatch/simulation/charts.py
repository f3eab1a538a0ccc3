"""Charts of a report as SVG; the words in them are text, so that the page's fonts show them."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from xml.sax import saxutils

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

#: Told apart on paper too: a colour, a line and a mark for each policy.
_COLOURS = ("#b3261e", "#1f5fa8", "#2e7d32", "#7b3fa0", "#9a6700", "#00797a", "#5f6368")
_LINES = ("-", "--", "-.", ":", "-", "--", "-.")
_MARKS = ("o", "s", "^", "D", "v", "P", "X")
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "golden-minutes",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#d9d9d9",
    "axes.axisbelow": True,
}
#: The first policy is ours or the one that is to be published: its line is thick.
_WIDE, _THIN = 2.6, 1.4

Report = Mapping[str, Any]


def draw(report: Report) -> dict[str, str]:
    """Return the charts of a report by name, each an `<svg>` element."""
    charts = {
        "alerts": _alerts(report),
        "arrival": _arrival(report),
        "bars": _bars(report),
    }
    if len(report["policies"][0]["districts"]) > 1:
        charts["districts"] = _districts(report)
    return charts


def _alerts(report: Report) -> str:
    """Draw the survival index against alerts an incident: up and to the left is better."""
    with _figure("_x alerts", "_y index", (7.2, 4.2)) as (axes, words):
        for place, policy in enumerate(report["policies"]):
            alerts, index = _figure_of(policy, "alerts"), _index(report, policy)
            axes.errorbar(
                max(alerts["value"], 0.5), 100 * index["value"], yerr=100 * (index["se"] or 0.0),
                color=_COLOURS[place % 7], marker=_MARKS[place % 7], markersize=8, capsize=3,
                linestyle="none", label=policy["name"],
            )  # fmt: skip
        axes.set_xscale("log")
        axes.set_xticks([1, 2, 5, 10, 20, 50, 100], [str(n) for n in (1, 2, 5, 10, 20, 50, 100)])
        axes.minorticks_off()
        axes.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
        words |= {
            "_x alerts": "每事件通知人数 · alerts an incident (log)",
            "_y index": "生存指数 · survival index, %",
        }
        return _svg(axes, words)


def _arrival(report: Report) -> str:
    """Draw by when the first one is there, in which share of the incidents."""
    minutes = [at / 60 for at in report["arrival_curve_s"]]
    with _figure("_x minutes", "_y share", (7.2, 4.2)) as (axes, words):
        for place, policy in enumerate(report["policies"]):
            axes.plot(
                minutes, [100 * share for share in policy["arrival_curve"]],
                color=_COLOURS[place % 7], linestyle=_LINES[place % 7],
                linewidth=_THIN if place else _WIDE, label=policy["name"],
            )  # fmt: skip
        axes.axvline(5, color="#333333", linewidth=0.8)
        axes.set_xlim(0, minutes[-1])
        axes.set_ylim(0, 100)
        axes.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
        words |= {
            "_x minutes": "通知后分钟 · minutes after the alert",
            "_y share": "首人已到的事件占比 · first one there, %",
        }
        return _svg(axes, words)


_BARS = (
    ("under_5_min", 100.0, "五分钟内到达 % · under 5 min"),
    ("alerts_per_volunteer_year", 1.0, "每人每年通知 · alerts a volunteer and year"),
    ("nobody_called", 100.0, "无人被通知 % · nobody called"),
)


def _bars(report: Report) -> str:
    """Draw three figures side by side, one bar for each policy."""
    policies = report["policies"]
    names = [policy["name"] for policy in policies]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(10.0, 0.42 * len(names) + 1.2), layout="constrained")
        parts = figure.subplots(1, len(_BARS), sharey=True)
        words = {}
        for axes, (name, factor, title) in zip(parts, _BARS, strict=True):
            found = [_figure_of(policy, name) for policy in policies]
            axes.barh(
                names, [factor * item["value"] for item in found],
                xerr=[factor * (item["se"] or 0.0) for item in found],
                color=[_COLOURS[place % 7] for place in range(len(names))], height=0.62, capsize=2,
            )  # fmt: skip
            axes.set_title(f"_t {name}", fontsize=10)
            words[f"_t {name}"] = title
        parts[0].invert_yaxis()
        return _svg(parts[0], words)


def _districts(report: Report) -> str:
    """Draw the share under five minutes of each district."""
    policies = report["policies"]
    names = [part["name"] for part in policies[0]["districts"]]
    with _figure("_x under", "_y district", (7.2, 0.5 * len(names) + 1.6)) as (axes, words):
        for place, policy in enumerate(policies):
            axes.plot(
                [100 * part["figures"]["under_5_min"]["value"] for part in policy["districts"]],
                range(len(names)), color=_COLOURS[place % 7], marker=_MARKS[place % 7],
                linestyle="none", markersize=7, label=policy["name"],
            )  # fmt: skip
        labels = [f"_d{number}".ljust(_width(name), "x") for number, name in enumerate(names)]
        axes.set_yticks(range(len(names)), labels)
        axes.invert_yaxis()
        axes.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
        words |= {
            **dict(zip(labels, names, strict=True)),
            "_x under": "五分钟内到达的事件占比 · under 5 min, %",
            "_y district": "",
        }
        return _svg(axes, words)


def _width(words: str) -> int:
    """Return how many letters take as much room; a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in words)


@contextmanager
def _figure(
    across: str, up: str, size: tuple[float, float]
) -> Iterator[tuple[Axes, dict[str, str]]]:
    """Give axes, and a table of the words to put in place of the marks in them.

    matplotlib measures words with its own font, which has no Chinese; the marks stand for them.
    """
    with mpl.rc_context(_STYLE):
        axes = Figure(figsize=size, layout="constrained").subplots()
        axes.set_xlabel(across)
        axes.set_ylabel(up)
        yield axes, {}


def _svg(axes: Axes, words: Mapping[str, str]) -> str:
    drawn = io.StringIO()
    figure = axes.figure
    figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})  # type: ignore[union-attr]  # a subfigure is never used
    text = drawn.getvalue()
    text = text[text.index("<svg") :]
    for mark in sorted(words, key=len, reverse=True):
        text = text.replace(f">{mark}<", f">{saxutils.escape(words[mark])}<")
    return text


def _figure_of(policy: Report, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = policy["figures"][name]
    return found


def _index(report: Report, policy: Report) -> Mapping[str, Any]:
    models: Sequence[str] = report["models"]
    return _figure_of(policy, f"index_{models[0]}")
