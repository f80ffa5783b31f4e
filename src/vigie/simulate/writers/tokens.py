"""Opaque numbers of requests and sessions, as servers give them.

The world counts its accesses and sessions; a log that showed these counts would tell what only
the simulator knows.
"""

from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_HEX: Final = np.frombuffer(b"0123456789abcdef", np.uint8)
_UUID_SHAPE: Final = (8, 4, 4, 4, 12)


def mixed(values: NDArray[Any], seed: int) -> NDArray[np.uint64]:
    """Mix 64-bit numbers so that order and distance are lost (splitmix64's finaliser)."""
    with np.errstate(over="ignore"):
        state = values.astype(np.uint64) + np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15)
        state += np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        final: NDArray[np.uint64] = state ^ (state >> np.uint64(31))
    return final


def _digits(values: NDArray[np.uint64]) -> NDArray[np.uint8]:
    raw = values.astype(">u8").view(np.uint8).reshape(-1, 8)
    return _HEX[np.stack([raw >> 4, raw & 15], axis=2).reshape(-1, 16)]


def _texts(letters: NDArray[np.uint8]) -> pa.Array:
    count, width = letters.shape
    offsets = np.arange(count + 1, dtype=np.int32) * width
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(letters))]
    return pa.Array.from_buffers(pa.string(), count, buffers)


def token(values: NDArray[Any], seed: int) -> pa.Array:
    """Return 16 hexadecimal digits for each number, the same for the same number.

    >>> len(token(np.array([1]), 7)[0].as_py())
    16
    """
    return _texts(_digits(mixed(values, seed)))


def uuid(values: NDArray[Any], seed: int) -> pa.Array:
    """Return a text in the form of a UUID of version 4 for each number.

    >>> import uuid as standard
    >>> standard.UUID(uuid(np.array([1]), 7)[0].as_py()).version
    4
    """
    digits = np.concatenate(
        [_digits(mixed(values, seed)), _digits(mixed(values, ~seed & 0xFFFF))], 1
    )
    digits[:, 12] = ord("4")
    digits[:, 16] = _HEX[8 + (digits[:, 16] & 3)]
    letters = np.full((len(values), 36), ord("-"), np.uint8)
    read = write = 0
    for length in _UUID_SHAPE:
        letters[:, write : write + length] = digits[:, read : read + length]
        read, write = read + length, write + length + 1
    return _texts(letters)
