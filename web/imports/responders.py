"""The rows of a list of volunteers as the roster takes them, and what is wrong with the others."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from dispatch import responder_import
from dispatch.certificates import Proof
from dispatch.responder_import import Outcome, ResponderRow
from web.imports import aed_columns, mapping, report, unusable
from web.imports.aed_columns import BadCell
from web.imports.profile import Profile
from web.imports.report import Rejected, Said
from web.imports.sheet import Sheet
from web.imports.unusable import Unusable

_PHONE = re.compile(r"\+?\d{5,20}")
_OLDEST = timedelta(days=366 * 120)
_PROOF = ("kind", "number", "issuer", "issued_on", "expires_on")
_KINDS: Mapping[str, tuple[str, ...]] = {
    "first_aid": ("救护员证", "救护员", "初级救护员", "红十字救护员证", "急救证", "first aid"),
    "cpr": ("心肺复苏(cpr+aed)证", "心肺复苏证", "心肺复苏", "cpr+aed", "cpraed"),
    "instructor": ("救护师资", "师资证", "instructor"),
    "doctor": ("医师执业证", "医师", "医生", "doctor"),
    "nurse": ("护士执业证", "护士", "nurse"),
}
_SKILLS: Mapping[str, tuple[str, ...]] = {
    "cpr": ("心肺复苏", "cpr"),
    "aed": ("aed", "除颤"),
    "first_aid": ("急救", "救护", "包扎", "first aid"),
}
_REFUSED = {
    Outcome.CODE_TAKEN: Said(
        "this number belongs to somebody with another name", "该编号属于另一位姓名不同的志愿者"
    ),
    Outcome.USERNAME_TAKEN: Said("this user name belongs to somebody else", "该用户名已被他人使用"),
}


def facts(
    sheet: Sheet, profile: Profile, *, today: date
) -> tuple[list[ResponderRow], list[Rejected], list[report.Warning]]:
    """Read every row: what can be used, what cannot and why, and what a person should look at."""
    rows: list[ResponderRow] = []
    rejected: list[Rejected] = []
    twins: dict[tuple[str, ...], int] = {}
    for row in sheet.rows:
        try:
            unusable.refuse_twin(row, twins)
            rows.append(_row(row.number, mapping.values(row, profile), today))
        except Unusable as found:
            rejected.append(Rejected(row.number, found.said))
    return rows, rejected, _warnings(rows, today)


def refused(outcomes: Mapping[int, responder_import.Outcome]) -> list[Rejected]:
    """Give the rows that the roster did not take, with the reason."""
    return [
        Rejected(number, _REFUSED[outcome])
        for number, outcome in outcomes.items()
        if outcome in _REFUSED
    ]


def _row(number: int, texts: Mapping[str, str], today: date) -> ResponderRow:
    said: dict[str, Any] = unusable.read(texts, _READERS)
    name = said.pop("name", None)
    if not name:
        raise Unusable(Said("the name is missing", "缺少姓名"))
    if "born_on" in said and not today - _OLDEST < said["born_on"] < today:
        raise Unusable(Said("the date of birth cannot be right", "出生日期不合理"))
    proof = {key: said.pop(f"certificate_{key}", None) for key in _PROOF}
    return ResponderRow(number, name, said, _proof(proof))


def _proof(said: Mapping[str, Any]) -> Proof | None:
    """Make a certificate of its cells, none where all are empty. Raises Unusable."""
    if not any(said.values()):
        return None
    if said["expires_on"] is None:
        raise Unusable(
            Said(
                "the certificate has no last day; without it nobody is alerted",
                "证书缺少有效期；没有有效期的志愿者不会被通知",
            )
        )
    if said["issued_on"] is not None and said["issued_on"] > said["expires_on"]:
        raise Unusable(Said("the certificate ends before it begins", "证书有效期早于发证日期"))
    return Proof(
        said["kind"] or "first_aid",
        said["expires_on"],
        said["number"],
        said["issuer"],
        said["issued_on"],
    )


def _warnings(rows: list[ResponderRow], today: date) -> list[report.Warning]:
    expired = tuple(row.number for row in rows if row.proof and row.proof.expires_on < today)
    bare = tuple(row.number for row in rows if row.proof is None)
    adult = date(today.year - 18, today.month, min(today.day, 28))
    minors = tuple(row.number for row in rows if row.facts.get("born_on", date.min) > adult)
    found = (
        (
            "certificate_expired", expired,
            Said("certificates have expired: these people are not alerted",
                 "证书已过期：这些志愿者不会被通知"),
        ),
        (
            "no_certificate", bare,
            Said("no certificate: these people are not alerted", "没有证书：这些志愿者不会被通知"),
        ),
        (
            "under_age", minors,
            Said("under eighteen: never alerted", "未满十八岁：不会被通知"),
        ),
    )  # fmt: skip
    return [
        report.Warning(
            code, Said(f"{len(numbers)}: {said.en}", f"{len(numbers)} 人{said.zh}"), numbers
        )
        for code, numbers, said in found
        if numbers
    ]


def _word(_column: str, text: str) -> str:
    return str(aed_columns.value("name", text))


def _phone(_column: str, text: str) -> str:
    plain = re.sub(r"[\s\-().—–]", "", aed_columns.plain(text))
    # A spreadsheet that took the number for a number.
    plain = re.sub(r"\.0$", "", plain)
    if not _PHONE.fullmatch(plain):
        raise BadCell(
            Said(
                f"{text!r} is no telephone number; write digits only",
                f"“{text}”不是电话号码，请只填数字",
            )
        )
    return plain


def _skills(_column: str, text: str) -> tuple[str, ...]:
    words = re.split(r"[,;，；、/|\s]+", aed_columns.plain(text))
    return tuple(dict.fromkeys(_known(word, _SKILLS) for word in words if word))


def _kind(_column: str, text: str) -> str:
    return _known(aed_columns.plain(text), _KINDS)


def _known(word: str, words: Mapping[str, tuple[str, ...]]) -> str:
    """Give our word for what people write, else theirs."""
    folded = word.casefold()
    return next((ours for ours, theirs in words.items() if folded in (ours, *theirs)), word)


def _last_day(column: str, text: str) -> date:
    # What is valid until "2026-05" may be used until that month ends.
    return aed_columns.day(column, text, is_last=True)


_READERS: Mapping[str, unusable.Reader] = {
    "code": _word,
    "name": _word,
    "name_en": _word,
    "phone": _phone,
    "username": _word,
    "skills": _skills,
    "born_on": aed_columns.day,
    "certificate_kind": _kind,
    "certificate_number": _word,
    "certificate_issuer": _word,
    "certificate_issued_on": aed_columns.day,
    "certificate_expires_on": _last_day,
    "note": _word,
}
