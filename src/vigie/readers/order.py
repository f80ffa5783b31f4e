"""What order would have told, kept before pseudonyms erase it.

A sweep reads patients in the order of their numbers or of their names. Two gaps remember that
without keeping either: how far the identifier stands from the account's previous one, and how far
the name stands from the account's previous one in the alphabet.
"""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.events import GAP_BEYOND
from vigie.kernels import Bytes, Flags, Floats, Floats32, Int32s, Int64s, kernel
from vigie.readers.words import Words, from_array

NAME_GAP_LIMIT: Final = 0.05
_LETTERS: Final = 11
"""27 to the power 11 is what a double holds exactly."""
_NIR_KINDS: Final = frozenset({"nir", "nia", "ins", "ins_test", "ins_demo"})


class Order:
    """The previous identifier and name of each account in one file.

    Made once per file and fed with its rows in order: how the file is cut never shows.
    """

    def __init__(self) -> None:
        self._pairs: dict[tuple[str, str], int] = {}
        self._numbers = np.zeros(0, np.int64)
        self._accounts: dict[str, int] = {}
        self._positions = np.zeros(0, np.float64)

    def id_gaps(
        self, accounts: pa.Array, values: pa.Array, authorities: pa.Array | str, kind: str = ""
    ) -> pa.Array:
        """Return the signed distance of each identifier to the account's previous one.

        Text arrays of equal length. Numbers of one authority only are compared; a value without
        a number has no gap and leaves the previous one in place.

        >>> who, ids = pa.array(["a"] * 4), pa.array(["0012", "0014", "x", "13"])
        >>> Order().id_gaps(who, ids, "hospital").to_pylist()
        [None, 2, None, -1]
        """
        number, known = numbers(values, kind)
        who = from_array(accounts)
        if isinstance(authorities, str):
            slots = self._slots(who, authorities)
        else:
            slots = self._mixed_slots(who, from_array(authorities))
        slots = np.where(known, slots, -1).astype(np.int32)
        grown = np.full(len(self._pairs) - len(self._numbers), _NEVER)
        self._numbers = np.concatenate([self._numbers, grown])
        gaps = np.zeros(len(slots), np.int32), np.ones(len(slots), np.bool_)
        _id_gaps(slots, number, self._numbers, GAP_BEYOND, *gaps)
        return pa.array(gaps[0], mask=gaps[1])

    def name_gaps(self, accounts: pa.Array, surnames: pa.Array, given: pa.Array) -> pa.Array:
        """Return the signed distance of each name to the account's previous one, A to Z being 1.

        >>> who = pa.array(["a", "a"])
        >>> gaps = Order().name_gaps(who, pa.array(["Abel", "Adam"]), pa.array(["Zoé", None]))
        >>> gaps.is_null().to_pylist(), round(gaps[1].as_py(), 5)
        ([True, False], 0.00254)
        """
        positions = name_positions(surnames, given)
        who = from_array(accounts)
        table = [self._accounts.setdefault(w, len(self._accounts)) for w in who.words.to_pylist()]
        slots = who.spread(np.array(table, np.int32), -1)
        grown = np.full(len(self._accounts) - len(self._positions), np.nan)
        self._positions = np.concatenate([self._positions, grown])
        gaps = np.zeros(len(slots), np.float32), np.ones(len(slots), np.bool_)
        _name_gaps(slots, positions, self._positions, NAME_GAP_LIMIT, *gaps)
        return pa.array(gaps[0], mask=gaps[1])

    def _slots(self, who: Words, authority: str) -> NDArray[np.int32]:
        table = [self._slot(account, authority) for account in who.words.to_pylist()]
        return who.spread(np.array(table, np.int32), -1)

    def _mixed_slots(self, who: Words, given: Words) -> NDArray[np.int32]:
        wide = max(len(given.words), 1)
        joint = who.codes.astype(np.int64) * wide + given.codes
        joint[(who.codes < 0) | (given.codes < 0)] = -1
        pairs, places = np.unique(joint, return_inverse=True)
        accounts, authorities = who.words.to_pylist(), given.words.to_pylist()
        table = [
            self._slot(accounts[pair // wide], authorities[pair % wide]) if pair >= 0 else -1
            for pair in pairs.tolist()
        ]
        return np.array(table, np.int32)[places]

    def _slot(self, account: str, authority: str) -> int:
        return self._pairs.setdefault((account, authority), len(self._pairs))


def numbers(values: pa.Array, kind: str = "") -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the number in each identifier, and whether there is one.

    The last run of at most 18 digits, after any letters; of a NIR the 13 characters without the
    key, Corsica counted as INSEE counts it (2A is 19, 2B is 18).

    >>> numbers(pa.array(["IPP0042", "12-3x", "253072B07300470"]), "")[0].tolist()
    [42, 0, 7300470]
    >>> numbers(pa.array(["253072B07300470"]), "nir")[0].tolist()
    [2530718073004]
    """
    words = from_array(values)
    texts = words.words.cast(pa.large_string())
    buffers = texts.buffers()
    offsets = np.frombuffer(buffers[1], np.int64)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(buffers[2] or b"", np.uint8)
    found, known = np.zeros(len(texts), np.int64), np.zeros(len(texts), np.bool_)
    _numbers(data, offsets, kind in _NIR_KINDS, found, known)
    return words.spread(found, 0), words.spread(known, False)


def fold(values: pa.Array) -> pa.Array:
    """Return names without accents, case or punctuation, one blank between words.

    >>> fold(pa.array(["d’Œuvre-Légaré ", None])).to_pylist()
    ['D OEUVRE LEGARE', None]
    """
    if pa.types.is_dictionary(values.type):
        return pa.DictionaryArray.from_arrays(values.indices, fold(values.dictionary))
    plain = pc.utf8_normalize(pc.utf8_upper(values.cast(pa.string())), form="NFKD")
    for pattern, fresh in (("\\p{Mn}+", ""), ("Œ", "OE"), ("Æ", "AE"), ("[^\\p{L}\\p{N}]+", " ")):
        plain = pc.replace_substring_regex(plain, pattern=pattern, replacement=fresh)
    return pc.utf8_trim_whitespace(plain)


def name_positions(surnames: pa.Array, given: pa.Array) -> NDArray[np.float64]:
    """Return where each name stands in the alphabet, from 0 to 1, NaN without a surname.

    >>> name_positions(pa.array(["Zoé", "A"]), pa.array(["", "B"])).round(3).tolist()
    [0.984, 0.037]
    """
    last, first = from_array(surnames), from_array(given)
    pairs = last.codes.astype(np.int64) * (len(first.words) + 1) + first.codes + 1
    pairs[last.codes < 0] = -1
    distinct, places = np.unique(pairs, return_inverse=True)
    kept = distinct[distinct >= 0]
    wide = len(first.words) + 1
    left = fold(last.words).take(pa.array(kept // wide))
    chosen = kept % wide - 1
    right = fold(first.words).take(pa.array(chosen, mask=chosen < 0)).fill_null("")
    texts = pc.binary_join_element_wise(left, right, " ").cast(pa.large_string())
    offsets = np.frombuffer(texts.buffers()[1], np.int64)[: len(texts) + 1]
    data = np.frombuffer(texts.buffers()[2] or b"", np.uint8)
    found = np.zeros(len(texts), np.float64)
    _positions(data, offsets, _LETTERS, found)
    return np.concatenate([np.full(len(distinct) - len(kept), np.nan), found])[places]


_NEVER: Final = np.int64(-(2**63))


@kernel
def _id_gaps(
    slots: Int32s, numbers: Int64s, previous: Int64s, beyond: int, gaps: Int32s, missing: Flags
) -> None:
    for i in range(slots.size):
        slot = slots[i]
        if slot < 0:
            continue
        before = previous[slot]
        previous[slot] = numbers[i]
        if before >= 0:
            gaps[i] = max(-beyond, min(beyond, numbers[i] - before))
            missing[i] = False


@kernel
def _name_gaps(
    slots: Int32s, positions: Floats, previous: Floats, limit: float, gaps: Floats32, missing: Flags
) -> None:
    for i in range(slots.size):
        slot = slots[i]
        if slot < 0 or np.isnan(positions[i]):
            continue
        before = previous[slot]
        previous[slot] = positions[i]
        if not np.isnan(before):
            gap = np.rint((positions[i] - before) * 1e5) / 1e5 + 0.0  # no minus zero
            gaps[i] = max(-limit, min(limit, gap))
            missing[i] = False


@kernel
def _numbers(data: Bytes, offsets: Int64s, national: bool, found: Int64s, known: Flags) -> None:
    for i in range(found.size):
        start, end = offsets[i], offsets[i + 1]
        if national and end - start == 15:
            found[i], known[i] = _national(data, start)
            continue
        at = end
        while at > start and 48 <= data[at - 1] <= 57:
            at -= 1
        if not 0 < end - at <= 18:
            continue
        value = np.int64(0)
        for k in range(at, end):
            value = value * 10 + (data[k] - 48)
        found[i], known[i] = value, True


@kernel
def _national(data: Bytes, start: int) -> tuple[np.int64, bool]:
    value = np.int64(0)
    for k in range(13):
        mark = data[start + k]
        if k == 6 and mark in (65, 66) and data[start + 5] == 50:
            # 2A is counted 19 and 2B 18: the 2 before it was already added as a 1.
            value = (value - 1) * 10 + (74 - mark)
        elif 48 <= mark <= 57:
            value = value * 10 + (mark - 48)
        else:
            return np.int64(0), False
    return value, True


@kernel
def _positions(data: Bytes, offsets: Int64s, letters: int, found: Floats) -> None:
    for i in range(found.size):
        scale = 1.0
        for k in range(min(letters, offsets[i + 1] - offsets[i])):
            mark = data[offsets[i] + k]
            scale /= 27.0
            if 65 <= mark <= 90:
                found[i] += (mark - 64) * scale
