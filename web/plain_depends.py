"""Depend on a plain function without a thread.

FastAPI sends every dependency that is not a coroutine to a thread, and the reply waits until that
thread and this one have taken turns: twenty times the work of looking at a header.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def at_once(give: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Wrap a function that never waits so that `Depends` calls it in the event loop."""

    @wraps(give)
    async def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        return give(*args, **kwargs)

    return asked
