"""How the compiled loops are compiled: once on disk, and without the interpreter's lock.

    @kernel
    def _loop(data, out): ...

A kernel makes no array: it fills those that it is given. So it may also do without numba's counting
of references, which the compiler does not manage to take out of loops that call other kernels: two
locked instructions per call, on a counter that both threads want. The scan of a CSV spent three
fifths of its time there (see docs/benchmarks.md).

`_nrt` is the option that numba's own string and sorting loops are compiled with; a kernel that did
make an array would not compile.
"""

from collections.abc import Callable
from typing import Any, Final

import numba

# A dictionary, because numba's types do not tell of the last one.
_OPTIONS: Final[dict[str, Any]] = {"cache": True, "nogil": True, "_nrt": False}


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a loop as the module's text says."""
    return numba.njit(**_OPTIONS)(function)
