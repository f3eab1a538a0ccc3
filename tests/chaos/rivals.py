"""PURE. Wing and Gong's search for an order of rival accepts that explains their answers.

The object is a room with so many places. An accept that was answered 2xx has taken one (again: the
same one), a refusal as "covered" found all taken, an unknown one may have happened or not.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.chaos.history import INFO, OK

#: When it was invoked, when it returned, who, and how it was answered.
Op = tuple[float, float, str, str]


def is_linearizable(operations: Sequence[Op], places: int) -> bool:
    """Say whether some order that respects real time explains every answer."""
    ops = sorted(set(operations))
    done: set[tuple[frozenset[int], frozenset[str]]] = set()

    def search(left: frozenset[int], inside: frozenset[str]) -> bool:
        if all(ops[i][3] == INFO for i in left):
            return True
        if (left, inside) in done:
            return False
        done.add((left, inside))
        first_return = min(ops[i][1] for i in left)
        for i in left:
            invoked, _, who, how = ops[i]
            if invoked > first_return:
                continue
            for after in _after(inside, who, how, places):
                if search(left - {i}, after):
                    return True
        return False

    return search(frozenset(range(len(ops))), frozenset())


def _after(inside: frozenset[str], who: str, how: str, places: int) -> list[frozenset[str]]:
    """Say who is inside after an operation, in each way in which it can be explained."""
    enters = who in inside or len(inside) < places
    if how == OK:
        return [inside | {who}] if enters else []
    if how == INFO:
        return [inside, inside | {who}] if enters else [inside]
    return [inside] if len(inside) >= places and who not in inside else []
