"""Keyed BLAKE2b with a 128-bit result, over many short texts at once.

The same function as `hashlib.blake2b(prefix + text, key=…, person=…, digest_size=16)`, in a
compiled loop: a log names millions of patients, too many for a Python call each. The block that
holds the key is compressed once.

Source: RFC 7693 (the compression function and its constants).
"""

import numpy as np
import pyarrow as pa

from vigie.hashing.unaligned import load_word
from vigie.kernels import Bytes, Int64s, UInt64s, inlined, kernel

_INITIAL = np.array(
    [
        0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
        0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
    ],
    np.uint64,
)  # fmt: skip
_ORDER = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    ],
    np.uint8,
)  # fmt: skip
_BLOCK = 128


def hash_texts(texts: pa.Array, key: bytes, prefix: bytes = b"", person: bytes = b"") -> bytes:
    """Return the 16-byte hashes of `prefix + text`, joined, for a string array without nulls.

    >>> import hashlib
    >>> found = hash_texts(pa.array(["12345"]), bytes(32), b"hospital:")
    >>> found == hashlib.blake2b(b"hospital:12345", key=bytes(32), digest_size=16).digest()
    True
    """
    if not len(texts):
        return b""
    texts = texts.cast(pa.large_string())
    buffers = texts.buffers()
    offsets = np.frombuffer(buffers[1], np.int64)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(buffers[2] or b"", np.uint8)
    head = np.frombuffer(key.ljust(_BLOCK, b"\0") + prefix, np.uint8)
    parameters = np.zeros(8, np.uint64)
    parameters[0] = 0x01010000 | len(key) << 8 | 16
    parameters[6:] = np.frombuffer(person.ljust(16, b"\0"), "<u8")
    out = np.empty((len(texts), 2), np.uint64)
    room, block = np.empty(40, np.uint64), np.empty(128, np.uint8)
    _hash_texts(data, offsets, head, _INITIAL ^ parameters, _INITIAL, _ORDER, room, block, out)
    return out.astype("<u8").tobytes()


@inlined
def _right(x: np.uint64, b: int) -> np.uint64:
    return (x >> np.uint64(b)) | (x << np.uint64(64 - b))


@inlined
def _mix(v: UInt64s, a: int, b: int, c: int, d: int, x: np.uint64, y: np.uint64) -> None:
    v[a] = v[a] + v[b] + x
    v[d] = _right(v[d] ^ v[a], 32)
    v[c] = v[c] + v[d]
    v[b] = _right(v[b] ^ v[c], 24)
    v[a] = v[a] + v[b] + y
    v[d] = _right(v[d] ^ v[a], 16)
    v[c] = v[c] + v[d]
    v[b] = _right(v[b] ^ v[c], 63)


@kernel
def _compress(
    state: UInt64s, block: Bytes, length: int, last: bool, v: UInt64s, m: UInt64s, initial: UInt64s,
    order: Bytes,
) -> None:  # fmt: skip
    for k in range(16):
        m[k] = load_word(block, 8 * k)
    for k in range(8):
        v[k], v[k + 8] = state[k], initial[k]
    v[12] ^= np.uint64(length)
    if last:
        v[14] ^= ~np.uint64(0)
    for turn in range(12):
        s = order[turn]
        _mix(v, 0, 4, 8, 12, m[s[0]], m[s[1]])
        _mix(v, 1, 5, 9, 13, m[s[2]], m[s[3]])
        _mix(v, 2, 6, 10, 14, m[s[4]], m[s[5]])
        _mix(v, 3, 7, 11, 15, m[s[6]], m[s[7]])
        _mix(v, 0, 5, 10, 15, m[s[8]], m[s[9]])
        _mix(v, 1, 6, 11, 12, m[s[10]], m[s[11]])
        _mix(v, 2, 7, 8, 13, m[s[12]], m[s[13]])
        _mix(v, 3, 4, 9, 14, m[s[14]], m[s[15]])
    for k in range(8):
        state[k] ^= v[k] ^ v[k + 8]


@kernel
def _hash_texts(
    data: Bytes, offsets: Int64s, head: Bytes, begun: UInt64s, initial: UInt64s, order: Bytes,
    room: UInt64s, block: Bytes, out: UInt64s,
) -> None:  # fmt: skip
    v, m, state = room[:16], room[16:32], room[32:]
    _compress(begun, head, 128, False, v, m, initial, order)
    prefix = head.size - 128
    for i in range(offsets.size - 1):
        for k in range(8):
            state[k] = begun[k]
        size = prefix + offsets[i + 1] - offsets[i]
        source = offsets[i] - prefix
        at = 0
        while True:
            for k in range(128):
                place = at + k
                if place < prefix:
                    block[k] = head[128 + place]
                elif place < size:
                    block[k] = data[source + place]
                else:
                    block[k] = 0
            at += 128
            last = at >= size
            _compress(state, block, 128 + min(at, size), last, v, m, initial, order)
            if last:
                break
        out[i, 0], out[i, 1] = state[0], state[1]
