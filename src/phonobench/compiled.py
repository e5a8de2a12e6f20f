"""How numeric kernels are compiled: by numba on the first call, releasing the lock, kept on disk where possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, compiled. The result is kept beside the source or in the user's cache folder.

    Where neither can be written (a read-only installation) it is compiled once in every process.
    """
    try:
        return njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:
        return njit(nogil=True, error_model="numpy")(function)
