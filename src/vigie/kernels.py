"""How the compiled loops are compiled: once on disk, and without the interpreter's lock.

    @kernel
    def _loop(data, out): ...

A kernel makes no array: it fills those that it is given. So it may also do without numba's counting
of references, which the compiler does not manage to take out of loops that call other kernels: two
locked instructions per call, on a counter that both threads want. The scan of a CSV spent three
fifths of its time there (see docs/benchmarks.md).

Arguments that belong together may be one `NamedTuple` of arrays: in a `kernel` that costs nothing,
in a `compiled` loop a reference is counted wherever one of them is looked at.

Divisions are numpy's, infinite by zero: the check that Python makes keeps loops from becoming
vector instructions.

`_nrt` is the option that numba's own string and sorting loops are compiled with; a kernel that did
make an array would not compile.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numpy.typing import NDArray

# What loops are given; numba compiles them once more for each kind of array that comes.
Flags = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
Int8s = NDArray[np.int8]
Int16s = NDArray[np.int16]
UInt16s = NDArray[np.uint16]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
UInt64s = NDArray[np.uint64]
Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Ints = NDArray[np.signedinteger[Any]]
Records = NDArray[np.void]

Loop = TypeVar("Loop", bound=Callable[..., Any])

# A dictionary, because numba's types do not tell of the last one.
_OPTIONS: Final[dict[str, Any]] = {
    "cache": True, "nogil": True, "error_model": "numpy", "_nrt": False,
}  # fmt: skip


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a loop as the module's text says; no type checker counts what is spread into it."""
    return numba.njit(**_OPTIONS)(function)


def compiled(function: Loop) -> Loop:
    """Compile a loop that makes arrays, such as the one it returns."""
    return cast(Loop, numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def is_kept(loop: Any) -> bool:
    """Say whether a compiled loop lies on disk: a first detection compiles them all."""
    name = f"*.{loop.py_func.__qualname__}-*.nbi"
    return any(Path(loop.stats.cache_path).glob(name))


def inlined(function: Loop) -> Loop:
    """Compile some lines into each kernel that calls them."""
    return cast(Loop, numba.njit(inline="always")(function))


@inlined
def told(valid: Bytes, i: int) -> bool:
    """Say whether the bit of a place says that it holds something, as Arrow keeps nulls."""
    return bool((valid[i >> 3] >> (i & 7)) & 1)


def _prefetch(typing_context: Any, array: Any, index: Any) -> Any:
    """Ask the memory for a row that a kernel will look at soon; it goes on meanwhile.

    A look-up in a large table waits some hundred nanoseconds, and a branch that depends on it
    keeps the processor from looking ahead by itself.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        fields = context.make_array(array)(context, builder, arguments[0])
        first = context.get_constant(types.intp, 0)
        row = [arguments[1], *[first] * (array.ndim - 1)]
        place = cgutils.get_item_pointer(context, builder, array, fields, row)  # type: ignore[no-untyped-call]
        byte = builder.bitcast(place, ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte.type, number, number, number])
        ask = builder.module.declare_intrinsic("llvm.prefetch", [byte.type], kind)
        to_read, keep, data = number(0), number(3), number(1)
        builder.call(ask, [byte, to_read, keep, data])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


prefetch: Final[Any] = intrinsic(_prefetch)
