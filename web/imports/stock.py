"""The rows of a list of relief stock as the ledger takes them, and what is wrong with others."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from dispatch import stock_import
from dispatch.stock_import import ItemFacts, LotRow, Outcome
from web.imports import aed_columns, mapping, report, unusable
from web.imports.aed_columns import BadCell
from web.imports.profile import Profile
from web.imports.report import Rejected, Said
from web.imports.sheet import Sheet
from web.imports.unusable import Unusable

#: More of one lot than this is a slip of the pen.
_MOST = 10_000_000
_REFUSED = {
    Outcome.NO_SUCH_DEPOT: Said(
        "there is no such depot; enter it first, or write its code",
        "没有该仓库，请先建库或填写仓库编号",
    ),
    Outcome.NO_SUCH_ITEM: Said(
        "there is no such item; enter it first, or give its code and unit",
        "没有该物资，请先建档，或填写物资代码和单位",
    ),
    Outcome.TWICE: Said(
        "an earlier row names the same lot; add the quantities up",
        "与前面的行为同一批次，请合并数量",
    ),
    Outcome.LESS_THAN_RECEIVED: Said(
        "more than this was received already; goods that are gone are issued or written off",
        "少于已入库数量；已用或损毁的物资请做出库或报损",
    ),
}


def facts(
    sheet: Sheet, profile: Profile, *, today: date
) -> tuple[list[LotRow], list[Rejected], list[report.Warning]]:
    """Read every row: what can be used, what cannot and why, and what a person should look at."""
    rows: list[LotRow] = []
    rejected: list[Rejected] = []
    for row in sheet.rows:
        try:
            rows.append(_row(row.number, mapping.values(row, profile)))
        except Unusable as found:
            rejected.append(Rejected(row.number, found.said))
    return rows, rejected, _warnings(rows, today)


def refused(outcomes: Mapping[int, stock_import.Outcome]) -> list[Rejected]:
    """Give the rows that the ledger did not take, with the reason."""
    return [
        Rejected(number, _REFUSED[outcome])
        for number, outcome in outcomes.items()
        if outcome in _REFUSED
    ]


def _row(number: int, texts: Mapping[str, str]) -> LotRow:
    said: dict[str, Any] = unusable.read(texts, _READERS)
    missing = [
        Said(f"the {name} is missing", f"缺少{zh}")
        for name, zh in (("depot", "仓库"), ("item", "物资"), ("quantity", "数量"))
        if name not in said
    ]
    if missing:
        raise Unusable(*missing)
    return LotRow(
        number,
        said["depot"],
        said.get("item_code", said["item"]),
        said["quantity"],
        said.get("code"),
        said.get("expires_on"),
        said.get("donor"),
        _new_item(said),
    )


def _new_item(said: Mapping[str, Any]) -> ItemFacts | None:
    if "item_code" not in said or "unit" not in said:
        return None
    name, unit = said["item"], said["unit"]
    return ItemFacts(
        said["item_code"], name, said.get("item_en", name), unit, said.get("unit_en", unit)
    )


def _warnings(rows: list[LotRow], today: date) -> list[report.Warning]:
    expired = tuple(row.number for row in rows if row.expires_on and row.expires_on < today)
    if not expired:
        return []
    said = Said(
        f"{len(expired)} lots have expired: they are not given out",
        f"{len(expired)} 个批次已过期，不会被调拨",
    )
    return [report.Warning("lot_expired", said, expired)]


def _word(_column: str, text: str) -> str:
    return str(aed_columns.value("name", text))


def _quantity(_column: str, text: str) -> int:
    plain = re.sub(r"(?<=\d),(?=\d{3}\b)|\s", "", aed_columns.plain(text))
    plain = re.sub(r"\.0+$", "", plain)
    if not re.fullmatch(r"\d{1,9}", plain) or not 0 < int(plain) <= _MOST:
        raise BadCell(
            Said(
                f"the quantity {text!r} is no whole number above zero",
                f"数量“{text}”不是大于零的整数",
            )
        )
    return int(plain)


def _last_day(column: str, text: str) -> date:
    # What expires "2026-05" may be used until that month ends.
    return aed_columns.day(column, text, is_last=True)


_READERS: Mapping[str, unusable.Reader] = {
    "depot": _word,
    "item": _word,
    "item_code": _word,
    "item_en": _word,
    "unit": _word,
    "unit_en": _word,
    "quantity": _quantity,
    "code": _word,
    "expires_on": _last_day,
    "donor": _word,
}
