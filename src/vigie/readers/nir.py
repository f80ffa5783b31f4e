"""The NIRs that need no second look, a million at a time.

Most numbers of a log are written as they should be. Those that are plainly sound are told here in
a compiled loop; all others go to `identifiers`, one by one.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.kernels import Bytes, Flags, Int64s, kernel


def plainly_sound(texts: pa.Array) -> NDArray[np.bool_]:
    """Say which texts are a NIR of 15 digits in its normal form, without fault or remark.

    Sex 1 or 2, an ordinary month, a department of the mainland other than Corsica or one from 97
    to 99, a right key: for these `identifiers.normalise` changes nothing and `problem` is None.

    >>> plainly_sound(pa.array(["255081416802538", "255081416802539", "x"])).tolist()
    [True, False, False]
    """
    texts = texts.cast(pa.large_string())
    offsets = np.frombuffer(texts.buffers()[1], np.int64)
    offsets = offsets[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(texts.buffers()[2] or b"", np.uint8)
    sound = np.zeros(len(texts), np.bool_)
    _mark_sound(data, offsets, sound)
    return sound


@kernel
def _number(data: Bytes, start: int, end: int) -> np.int64:
    value = np.int64(0)
    for k in range(start, end):
        if not 48 <= data[k] <= 57:
            return np.int64(-1)
        value = value * 10 + (data[k] - 48)
    return value


@kernel
def _mark_sound(data: Bytes, offsets: Int64s, sound: Flags) -> None:
    for i in range(sound.size):
        start = offsets[i]
        if offsets[i + 1] - start != 15:
            continue
        number, key = _number(data, start, start + 13), _number(data, start + 13, start + 15)
        sex, month = number // 10**12, number // 10**8 % 100
        department = number // 10**6 % 100
        sound[i] = (
            number >= 0
            and key >= 0
            and key == 97 - number % 97
            and 1 <= sex <= 2
            and 1 <= month <= 12
            and (1 <= department <= 95 or department >= 97)
        )
