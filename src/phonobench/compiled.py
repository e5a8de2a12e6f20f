"""How numeric kernels are compiled: by numba on the first call, releasing the lock, kept on disk where possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """The function, compiled. The result is kept beside the source or in the user's cache folder.

    Where neither can be written (a read-only installation) it is compiled once in every process.
    """
    try:
        made = njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:
        made = njit(nogil=True, error_model="numpy")(function)
    return cast(F, made)  # a dispatcher, which is called as the function is
