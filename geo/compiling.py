"""Compile loops, and keep what was compiled until the source of any loop beside it changes.

numba keeps a compiled function until its own file changes. What it calls from other files is
compiled into it, and would stay as it was after an upgrade in place; so here the kernels of a
folder (`*_kernel.py`, and what lays out their arrays, `*_arrays.py` and `*_tier.py`) go stale
together.
"""

import functools
import hashlib
from pathlib import Path

import numba
from numba.core import caching, config


class _Together:
    """Where the compiled form of a function is kept, with the digest that it belongs to."""

    _py_file: str

    def get_source_stamp(self) -> str:
        """Return a digest of all the kernels beside this one."""
        return _digest(Path(self._py_file).parent)


class Told(_Together, caching.UserProvidedCacheLocator):
    """In the folder that NUMBA_CACHE_DIR names."""


class Beside(_Together, caching.InTreeCacheLocator):
    """Beside the source."""


class Apart(_Together, caching.UserWideCacheLocator):
    """In a folder of the user, where the source cannot be written beside."""


@functools.cache
def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    kinds = ("kernel", "arrays", "tier")
    for file in sorted(file for kind in kinds for file in folder.glob(f"*_{kind}.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


config.CACHE_LOCATOR_CLASSES = ",".join(  # type: ignore[attr-defined]  # set at run time
    f"{__name__}.{place.__name__}" for place in (Told, Beside, Apart)
)
#: Compile a function when it is first called; it works beside other threads.
compiled = numba.njit(cache=True, nogil=True)
#: The same, with divisions by zero that give infinity as in numpy.
compiled_like_numpy = numba.njit(cache=True, nogil=True, error_model="numpy")
