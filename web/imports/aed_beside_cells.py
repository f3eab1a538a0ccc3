"""The cells of a row that stay beside its record: custodians, and the code of the cabinet."""

from collections.abc import Mapping

from geo.aed_beside import Beside
from geo.aed_custodians import Custodian
from web.imports import aed_columns
from web.imports.aed_columns import BadCell
from web.imports.report import Said

CODE = "cabinet_code"
_PARTS = ("unit", "name", "phone", "email")
_RANKS = (1, 2)
FIELDS = (CODE, *(f"custodian_{rank}_{part}" for rank in _RANKS for part in _PARTS))
_LONGEST_CODE = 40


def read(texts: Mapping[str, str]) -> Beside:
    """Read what a row says; empty cells say nothing. Raises `BadCell`, without the code."""
    people = tuple(one for rank in _RANKS if (one := _custodian(texts, rank)) is not None)
    code = aed_columns.plain(texts.get(CODE, ""))
    if len(code) > _LONGEST_CODE:
        raise BadCell(
            Said(
                f"the code of the cabinet has {len(code)} characters; at most {_LONGEST_CODE} fit",
                f"箱柜密码有 {len(code)} 个字符，最多 {_LONGEST_CODE} 个",
            )
        )
    return Beside(people, code or None)


def _custodian(texts: Mapping[str, str], rank: int) -> Custodian | None:
    """Read one of the two; a unit alone answers under its own name."""
    said = {part: _word(f"custodian_{rank}_{part}", texts) for part in _PARTS}
    if not any(said.values()):
        return None
    name = said["name"] or said["unit"]
    if name is None:
        raise BadCell(
            Said(
                f"custodian {rank} has neither name nor unit",
                f"第{'一二'[rank - 1]}责任人缺少姓名或单位",
            )
        )
    return Custodian(rank, said["unit"], name, said["phone"], said["email"])


def _word(column: str, texts: Mapping[str, str]) -> str | None:
    found = aed_columns.value(column, texts.get(column, "").strip())
    return None if found is None else str(found)
