"""Eight bytes of an array as one word, from any place: what hashing spends its time on.

numba has no unaligned load, and eight indexed bytes cost eight checks of sign.
"""

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray


def _intrinsic(function: Any) -> Any:
    """Make an LLVM intrinsic; what numba returns is no function that a type checker knows."""
    return intrinsic(function)


@_intrinsic
def load_word(typing_context: Any, data: Any, at: Any) -> Any:
    """Return the little-endian word at `data[at:at + 8]`; the caller keeps it inside the array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.gep(array.data, [arguments[1]])
        word = ir.IntType(64)
        loaded = builder.load(builder.bitcast(place, word.as_pointer()))
        loaded.align = 1
        return loaded

    return types.uint64(data, types.intp), generate


@_intrinsic
def load_byte(typing_context: Any, data: Any, at: Any) -> Any:
    """Return `data[at]` without asking for its sign; the caller keeps it inside the array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.load(builder.gep(array.data, [arguments[1]]))

    return types.uint8(data, types.intp), generate


@_intrinsic
def text_marks(typing_context: Any, data: Any, at: Any) -> Any:
    """Return a bit for each of the 32 bytes at `data[at:]` that is no plain text of JSON.

    That is a quote, a backslash, a control character or a byte above 127. The caller keeps the
    32 bytes inside the array; they are compared at once.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        kind = ir.VectorType(ir.IntType(8), 32)
        place = builder.gep(array.data, [arguments[1]])
        block = builder.load(builder.bitcast(place, kind.as_pointer()))
        block.align = 1
        quote, backslash, blank = (ir.Constant(kind, [ord(mark)] * 32) for mark in '"\\ ')
        # Signed, a byte above 127 is less than a blank too.
        marks = builder.or_(
            builder.icmp_signed("<", block, blank),
            builder.or_(
                builder.icmp_signed("==", block, quote),
                builder.icmp_signed("==", block, backslash),
            ),
        )
        bits = builder.bitcast(marks, ir.IntType(32))
        return builder.zext(bits, ir.IntType(64))

    return types.uint64(data, types.intp), generate


@_intrinsic
def trailing_zeros(typing_context: Any, word: Any) -> Any:
    """Return how many zero bits end a word; 64 for none set."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), generate


@numba.njit(inline="always")
def load_tail(data: NDArray[np.uint8], at: int, count: int) -> np.uint64:
    """Return the `count` (0 to 8) bytes at `data[at:]` as a word filled up with zeros."""
    if count == 0:
        return np.uint64(0)
    if at + 8 <= data.size:
        return np.uint64(load_word(data, at) & (~np.uint64(0) >> np.uint64(64 - 8 * count)))
    word = np.uint64(0)
    for k in range(count):
        word |= np.uint64(data[at + k]) << np.uint64(8 * k)
    return word
