"""Records in bulk: what repeats is read once, what varies is cut and converted in columns.

A record that anything stands against (a time of unusual make, an element that cannot be read) is
left to be read by itself, which also says what is wrong with it.
"""

from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.readers import moments
from vigie.readers.fhir import scan
from vigie.readers.fhir.agents import Who
from vigie.readers.fhir.cuts import Cuts, cut
from vigie.readers.fhir.events import BROKEN, Fault, Interpreter
from vigie.readers.fhir.identity import Named
from vigie.readers.fhir.resources import AuditEvent
from vigie.readers.fhir.sheets import Sheet, Told
from vigie.readers.fhir.slots import distinct_rows, joined_elements, plain_times, slot_spans
from vigie.readers.words import Words, from_spans

V = TypeVar("V")
P = ParamSpec("P")
Codes = NDArray[np.int32]
_NOBODY: Final[tuple[tuple[Named | None, int, int], ...]] = ((None, 0, -1),)
_ISO: Final = moments.compile_pattern("")


def read(
    data: NDArray[np.uint8], found: scan.Scan, events: Interpreter
) -> tuple[Sheet | None, NDArray[np.bool_]]:
    """Return the accesses that could be read in bulk, and which lines these were."""
    rows = np.flatnonzero(found.passed)
    froms, tos = found.froms[rows], found.tos[rows]
    times, clocks = _times(data, froms[:, scan.RECORDED], tos[:, scan.RECORDED])
    kinds = _kinds(data, froms, tos, events)
    agents = _agents(data, froms, tos, events)
    cuts = cut(data, froms[:, scan.ENTITY], tos[:, scan.ENTITY])
    stories = _stories(cuts, events)
    sound = (clocks != moments.BAD) & cuts.fits
    for told in (kinds, agents, stories):
        known = np.array([value is not None for value in told.values], np.bool_)
        sound &= known[told.codes]
    chosen = np.flatnonzero(sound)
    taken = np.zeros(len(found.passed), np.bool_)
    taken[rows[chosen]] = True
    if not len(chosen):
        return None, taken
    whos, sessions = _split(_at(agents, chosen))
    told = _at(stories, chosen)
    sizes, names, values, requests = _own(cuts, told, chosen)
    ids = from_spans(
        data, froms[chosen, scan.ID] + 1, np.maximum(tos - froms - 2, 0)[chosen, scan.ID]
    )
    sheet = Sheet(
        numbers=np.arange(len(chosen)), kinds=_at(kinds, chosen), whos=whos, stories=told,
        sessions=sessions, ids=ids.array(), requests=requests,
        moments=times[chosen], local=clocks[chosen] == moments.LOCAL,
        sizes=sizes, names=names, values=values,
    )  # fmt: skip
    return sheet, taken


def _at(told: Told, rows: NDArray[np.int64]) -> Told:
    """Return what some records say, without the values that none of them does."""
    used, codes = np.unique(told.codes[rows], return_inverse=True)
    return Told(codes.reshape(-1).astype(np.int32), [told.values[k] for k in used.tolist()])


def _tried(read: Callable[P, V], *args: P.args, **named: P.kwargs) -> V | None:
    try:
        return read(*args, **named)
    except (Fault, *BROKEN):
        return None


def _times(
    data: NDArray[np.uint8], froms: Codes, tos: Codes
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    starts, sizes = froms + 1, tos - froms - 2
    found, clocks = moments.parse(data, starts, sizes, _ISO)
    clocks[~plain_times(data, starts, sizes)] = moments.BAD
    return found, clocks


def _kinds(data: NDArray[np.uint8], froms: Codes, tos: Codes, events: Interpreter) -> Told:
    joined, starts, sizes = joined_elements(data, froms, tos, len(scan.CODES))
    words = from_spans(joined, starts, sizes)
    return Told(words.codes, [_tried(events.kind_of, _coded(text)) for text in _bytes(words)])


def _coded(text: bytes) -> AuditEvent:
    """Return an event that has nothing but its codes."""
    parts = zip(scan.CODES, map(msgspec.Raw, text.split(b"\0")), strict=True)
    return msgspec.structs.replace(AuditEvent(), **dict(parts))


def _bytes(words: Words) -> list[bytes]:
    found: list[bytes] = words.words.view(pa.binary()).to_pylist()
    return found


def _agents(data: NDArray[np.uint8], froms: Codes, tos: Codes, events: Interpreter) -> Told:
    starts = froms[:, scan.AGENT]
    words = from_spans(data, starts, tos[:, scan.AGENT] - starts)
    # Without agents the code is -1: the last of the list.
    texts = [*_bytes(words), b""]
    whos = [_tried(events.who_of, msgspec.Raw(text), {}) for text in texts]
    return Told(np.where(words.codes < 0, len(texts) - 1, words.codes), whos)


def _split(agents: Told) -> tuple[Told, pa.Array]:
    """Part the accounts from the ids of their tokens."""
    places: dict[int, int] = {}
    whos: list[Who] = []
    for who, _ in agents.values:
        if id(who) not in places:
            places[id(who)] = len(whos)
            whos.append(who)
    codes = np.array([places[id(who)] for who, _ in agents.values], np.int32)
    return Told(codes[agents.codes], whos), agents.texts(session for _, session in agents.values)


def _stories(cuts: Cuts, events: Interpreter) -> Told:
    """Read each distinct pair of a list of entities and the query in it."""
    skeletons, queries = [*_bytes(cuts.skeletons), b""], [*_bytes(cuts.queries), b""]
    wide = len(queries)
    left = np.where(cuts.skeletons.codes < 0, len(skeletons) - 1, cuts.skeletons.codes)
    asked = np.where(cuts.queries.codes < 0, wide - 1, cuts.queries.codes)
    pairs, places = np.unique(left.astype(np.int64) * wide + asked, return_inverse=True)
    told = [(skeletons[pair // wide], queries[pair % wide]) for pair in pairs.tolist()]
    stories = [_tried(events.story_of, *pair) for pair in told]
    return Told(places.reshape(-1).astype(np.int32), stories)


def _own(
    cuts: Cuts, stories: Told, chosen: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Told, pa.Array, pa.Array]:
    """Return what each record has of its own: the patients of each, and the request's id."""
    texts = _Texts(len(cuts.ids))
    named: dict[Named | None, int] = {None: 0}
    slots: list[tuple[int, int, int, int]] = []
    requests: list[tuple[int, int, int]] = []
    firsts = [0]
    for story in stories.values:
        request, _, slot = story.request
        requests.append((slot, *texts.span(request if slot < 0 else None)))
        told: tuple[tuple[Named | None, int, int], ...] = story.patients or _NOBODY
        for each, _, place in told:
            bare = msgspec.structs.replace(each, value="") if each else None
            name = named.setdefault(bare, len(named))
            slots.append((name, place, *texts.span(each.value if each and place < 0 else None)))
        firsts.append(len(slots))
    data = np.concatenate([cuts.ids, np.frombuffer(texts.joined, np.uint8)])
    begins, bases = cuts.offsets[chosen], np.array(firsts, np.int64)
    sizes = np.diff(bases)[stories.codes]
    parents = np.repeat(np.arange(len(chosen)), sizes)
    nth = np.arange(len(parents)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    table = np.array(slots, np.int64)[bases[stories.codes[parents]] + nth]
    values = from_spans(data, *slot_spans(cuts, begins[parents], *table[:, 1:].T))
    asked = np.array(requests, np.int64)[stories.codes]
    names = table[:, 0].astype(np.int32)
    kept = distinct_rows(sizes, names, values.codes)
    sizes = np.bincount(parents[kept], minlength=len(chosen))
    return (
        sizes,
        Told(names[kept], list(named)),
        values.at(kept).array(),
        from_spans(data, *slot_spans(cuts, begins, *asked.T)).array(),
    )


class _Texts:
    """Texts that are the same in many records, appended to the ids that vary."""

    def __init__(self, start: int) -> None:
        self._start = start
        self.joined = bytearray()

    def span(self, text: str | None) -> tuple[int, int]:
        """Return where `text` will stand; nothing stands nowhere."""
        place = self._start + len(self.joined)
        said = (text or "").encode()
        self.joined += said
        return place, len(said)
