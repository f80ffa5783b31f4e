"""SipHash-2-4 with a 128-bit result, over many byte spans at once.

A keyed pseudo-random function made for short inputs: here it names the lines of a log. A log has
tens of millions of lines, too many for a Python call each, so it is a compiled loop.

Source: J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF" (2012), and the
128-bit variant of the authors' reference implementation, whose vectors the tests use.
"""

import numpy as np
from numpy.typing import NDArray

from vigie.hashing.unaligned import load_tail, load_word
from vigie.kernels import Bytes, Int64s, UInt64s, inlined, kernel


@inlined
def _left(x: np.uint64, b: int) -> np.uint64:
    return (x << np.uint64(b)) | (x >> np.uint64(64 - b))


@inlined
def _round(
    v0: np.uint64, v1: np.uint64, v2: np.uint64, v3: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    v0 += v1
    v2 += v3
    v1 = _left(v1, 13) ^ v0
    v3 = _left(v3, 16) ^ v2
    v0 = _left(v0, 32)
    v2 += v1
    v0 += v3
    v1 = _left(v1, 17) ^ v2
    v3 = _left(v3, 21) ^ v0
    v2 = _left(v2, 32)
    return v0, v1, v2, v3


@kernel
def _hash_spans(
    data: Bytes, starts: Int64s, ends: Int64s, k0: np.uint64, k1: np.uint64, out: UInt64s
) -> None:
    for i in range(starts.size):
        start, end = starts[i], ends[i]
        length = end - start
        v0 = k0 ^ np.uint64(0x736F6D6570736575)
        v1 = k1 ^ np.uint64(0x646F72616E646F6D) ^ np.uint64(0xEE)
        v2 = k0 ^ np.uint64(0x6C7967656E657261)
        v3 = k1 ^ np.uint64(0x7465646279746573)
        at = start
        for _ in range(length // 8):
            word = load_word(data, at)
            at += 8
            v3 ^= word
            v0, v1, v2, v3 = _round(v0, v1, v2, v3)
            v0, v1, v2, v3 = _round(v0, v1, v2, v3)
            v0 ^= word
        word = np.uint64(length & 0xFF) << np.uint64(56) | load_tail(data, at, end - at)
        v3 ^= word
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        v0 ^= word
        v2 ^= np.uint64(0xEE)
        for _ in range(4):
            v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        out[i, 0] = v0 ^ v1 ^ v2 ^ v3
        v1 ^= np.uint64(0xDD)
        for _ in range(4):
            v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        out[i, 1] = v0 ^ v1 ^ v2 ^ v3


def hash_spans(
    data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64], key: bytes
) -> NDArray[np.uint64]:
    """Hash `data[starts[i]:ends[i]]` for every i under a 16-byte key.

    Returns an array of shape (n, 2); its bytes, row by row, are the 16-byte results.

    >>> data = np.frombuffer(bytes(range(15)), np.uint8)
    >>> digest = hash_spans(data, np.array([0]), np.array([15]), bytes(range(16)))
    >>> digest.astype("<u8").tobytes().hex()
    '5493e99933b0a8117e08ec0f97cfc3d9'
    """
    k0, k1 = np.frombuffer(key, "<u8", count=2)
    out = np.empty((len(starts), 2), np.uint64)
    _hash_spans(data, starts.astype(np.int64), ends.astype(np.int64), k0, k1, out)
    return out


def hash_rows(rows: NDArray[np.uint8], key: bytes) -> NDArray[np.uint64]:
    """Hash each row of a two-dimensional byte array under a 16-byte key."""
    count, width = rows.shape
    starts = np.arange(count, dtype=np.int64) * width
    return hash_spans(np.ascontiguousarray(rows).reshape(-1), starts, starts + width, key)
