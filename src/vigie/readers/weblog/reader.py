"""Access logs of web servers, through a route table.

`object` is the route's screen or pattern, never the path; the referer is dropped, for it may hold
identifiers; runs of digits in user agents are masked. A request that no route takes is ignored by
the rule `no_route`, and counted.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Final

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.errors import MappingError, ReadingError
from vigie.language import N_
from vigie.readers.base import Batch, Context, Tally, quarantine_table
from vigie.readers.clock import Clock
from vigie.readers.intake import Chunk, Intake
from vigie.readers.lines import BLANK, FAULTS, split_lines
from vigie.readers.mapping import nearest
from vigie.readers.patients import Patient, Pseudonymiser
from vigie.readers.rows import waist_table
from vigie.readers.sections import read_section
from vigie.readers.times import clock_column
from vigie.readers.weblog.format import Template, compile_template
from vigie.readers.weblog.lines import REASONS, Lines
from vigie.readers.weblog.routes import Found, Route, Routes
from vigie.readers.words import relabelled

_LONG, _TRUNCATED = FAULTS.index("line_too_long"), FAULTS.index("truncated")
_HEAD: Final = re.compile(
    rb'[^\s"]+ \S+ [^\[\n]*\[\d\d?/[A-Z][a-z]{2}/\d{4}:[\d:]{8} [+-]\d{4}\] "'
)
_DIGITS: Final = re.compile(r"\d{9,}")
_MAPPABLE: Final = (
    "account", "on_behalf_of", "professional", "profession", "role", "organisation", "unit",
    "tenant", "realm", "auth_method", "session", "client_app", "network", "via", "device",
    "user_agent", "request_id",
)  # fmt: skip
_USUAL: Final = {
    "account": ("remote_user",),
    "network": ("remote_addr",),
    "user_agent": ("http_user_agent",),
    "bytes": ("body_bytes_sent", "bytes_sent"),
    "request_id": ("request_id", "http_x_request_id", "sent_http_x_request_id"),
}
_OUTCOMES: Final = {
    "401": "serious_failure", "403": "serious_failure", "407": "serious_failure",
    "429": "serious_failure", "4": "minor_failure", "5": "major_failure",
}  # fmt: skip


class WeblogSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[weblog]`: the form of the lines, and which variable is which column of ours."""

    format: str = "combined"
    fields: dict[str, str] = {}


class WeblogReader:
    """Reads one access log."""

    name: ClassVar[str] = "weblog"

    def __init__(self, context: Context) -> None:
        self._context = context
        section = read_section(context, "weblog", WeblogSection)
        self._template = compile_template(section.format, context.mapping_file)
        self._fields = _fields(section.fields, self._template, context.mapping_file)
        self._routes = Routes(context)
        self._pseudonymiser = Pseudonymiser(context)
        self._clock = Clock()

    @classmethod
    def recognises(cls, head: bytes, filename: str) -> float:
        """See whether lines of the head have the common beginning of access logs."""
        lines = head.split(b"\n", 21)[:20]
        seen = sum(bool(_HEAD.match(line)) for line in lines)
        return 0.9 * seen / max(sum(bool(line) for line in lines), 1)

    def read(self, intake: Intake) -> Iterator[Batch]:
        """Read the whole file."""
        held: Chunk | None = None
        for chunk in intake.chunks():
            if held is not None:
                yield self._batch(held, intake, final=False)
            held = chunk
        if held is not None:
            yield self._batch(held, intake, final=True)
        if not intake.size:
            raise ReadingError(
                N_("the file is empty"), where=intake.label, remedy=N_("check how it was exported")
            )

    def _batch(self, chunk: Chunk, intake: Intake, final: bool) -> Batch:
        if chunk.overlong:
            key = self._context.keyring.digest_keys([chunk.digest])[0].as_py()
            refused = [(chunk.first_line, chunk.offset, key, "line_too_long", None)]
            return self._closed(intake.label, 0, {}, refused, Tally(1, 0, {}, 1))
        spans = split_lines(chunk.data, longest=intake.longest_line)
        raw = np.frombuffer(chunk.data, np.uint8)
        faults = spans.faults.copy()
        if final and intake.damage and len(faults) and not chunk.data.endswith(b"\n"):
            faults[-1] = _TRUNCATED
        lines = Lines(raw, spans, faults, self._template, self._context.source.time_zone)
        ring, longs = self._context.keyring, np.flatnonzero(faults == _LONG)
        hashes = ring.record_hashes(chunk.data, spans.starts, spans.ends, longs)
        taken = self._take(lines)
        rows = np.repeat(taken.places, taken.counts)
        columns = self._columns(lines, taken, rows)
        marks = lines.doubts[rows]
        self._clock.mark(lines.at[rows], marks)
        numbers = spans.lines + chunk.first_line
        columns |= {
            "at": lines.at[rows],
            "clock_quality": clock_column(marks),
            "source_line": pa.array(numbers[rows]),
            "line_hash": hashes.take(pa.array(rows)),
        }
        refused = [
            (
                int(numbers[place]),
                int(spans.starts[place]) + chunk.offset,
                hashes[int(place)].as_py(),
                REASONS[lines.faults[place]],
                None,
            )
            for place in np.flatnonzero((lines.faults != 0) & (lines.faults != BLANK))
        ]
        tally = Tally(len(faults), len(taken.places), dict(taken.ignored), len(refused))
        return self._closed(intake.label, len(rows), columns, refused, tally)

    def _closed(
        self, label: str, count: int, columns: dict[str, Any], refused: list[Any], tally: Tally
    ) -> Batch:
        return Batch(
            waist_table(self._context, label, count, columns),
            quarantine_table(self._context, label, refused),
            tally,
        )

    def _take(self, lines: Lines) -> "_Taken":
        """Find the route of each distinct request, and with it what becomes of its lines."""
        requests, finding = lines.requests(self._routes)
        found = [finding(request) for request in requests.words.to_pylist()]
        sound = np.flatnonzero(lines.faults == 0)
        codes = requests.codes[sound]
        ignored: Counter[str] = Counter()
        blank = int((lines.faults == BLANK).sum())
        if blank:
            ignored["blank"] = blank
        rules = [self._rule(one) for one in found]
        per_request = np.bincount(codes[codes >= 0], minlength=len(found))
        for rule, count in zip(rules, per_request.tolist(), strict=True):
            if rule and count:
                ignored[rule] += count
        if (codes < 0).any():
            ignored["no_route"] += int((codes < 0).sum())
        kept = np.array([not rule for rule in rules] + [False])
        return _Taken(sound[kept[codes]], codes[kept[codes]], found, ignored)

    def _rule(self, found: Found | None) -> str:
        if found is None:
            return "no_route"
        ignore = self._routes.table[found.route].ignore
        return "static" if ignore is True else str(ignore or "")

    def _columns(self, lines: Lines, taken: "_Taken", rows: NDArray[np.int64]) -> dict[str, Any]:
        words = {name: lines.words(said).at(rows) for name, said in self._fields.items()}
        changed = {name: words[name].mapped(_CHANGES[name]) for name in words if name in _CHANGES}
        texts = {name: one.array() for name, one in (words | changed).items()}
        requests = texts.pop("request_id", None)
        accounts = texts.get("account", pa.nulls(len(rows), pa.string()))
        patients, codes = taken.patients()
        columns = texts | self._said(taken) | self._pseudonymiser.columns(accounts, patients, codes)
        columns["outcome"] = lines.words("status").mapped(_outcome).at(rows).array()
        if requests is not None:
            columns["request_key"] = self._context.keyring.pseudonyms(requests, "", "request")
        if "bytes" in words:
            sizes = [int(text) for text in words["bytes"].words.to_pylist()]
            columns["bytes"] = words["bytes"].given(sizes, pa.int64())
        return columns

    def _said(self, taken: "_Taken") -> dict[str, Any]:
        """What the route table says of each row."""
        table = self._routes.table
        routes = [one.route if one else 0 for one in taken.found]
        codes = np.repeat(taken.codes, taken.counts)

        def spread(label: Callable[[Route], str]) -> pa.Array:
            return relabelled(codes, [label(table[place]) for place in routes]).array()

        shapes = [one.shape if one else None for one in taken.found]
        return {
            "action": spread(lambda route: route.action or "other"),
            "object": spread(lambda route: route.screen or route.pattern),
            "query_shape": relabelled(codes, shapes).array(),
            "part": pa.array(taken.parts(), pa.int32()),
        }


class _Taken:
    """The lines that are accepted, each with the number of its request among `found`."""

    def __init__(
        self,
        places: NDArray[np.int64],
        codes: NDArray[np.int32],
        found: list[Found | None],
        ignored: Counter[str],
    ) -> None:
        self.places, self.codes, self.found, self.ignored = places, codes, found, ignored
        self._per_request = np.array([len(one.patients) if one else 0 for one in found], np.int64)
        self.counts = np.maximum(self._per_request[codes], 1)

    def parts(self) -> NDArray[np.int64]:
        """Number the rows of each line from 0."""
        firsts = np.cumsum(self.counts) - self.counts
        return np.asarray(np.arange(int(self.counts.sum())) - np.repeat(firsts, self.counts))

    def patients(self) -> tuple[list[Patient], NDArray[np.int32]]:
        """Return the distinct patients, and the place of each row's among them."""
        distinct: dict[Patient, int] = {}
        flat = [
            distinct.setdefault(one, len(distinct))
            for found in self.found
            for one in (found.patients if found else ())
        ]
        starts = np.cumsum(self._per_request) - self._per_request
        codes = np.repeat(self.codes, self.counts)
        told = np.array([*flat, -1], np.int32)
        places = np.where(self._per_request[codes] > 0, starts[codes] + self.parts(), -1)
        return list(distinct), told[places]


def _fields(said: dict[str, str], template: Template, where: str) -> dict[str, str]:
    """Which variable gives which column: the usual ones, unless the mapping says otherwise."""
    present = set(template.names)
    usual = {
        name: next(variable for variable in variables if variable in present)
        for name, variables in _USUAL.items()
        if present & set(variables)
    }
    for name, variable in said.items():
        _check_known(name, _MAPPABLE, where)
        _check_known(variable.lstrip("$"), template.names, where)
    return usual | {name: variable.lstrip("$") for name, variable in said.items()}


def _check_known(word: str, known: Sequence[str], where: str) -> None:
    if word in known:
        return
    like = nearest(word, known)
    raise MappingError(
        N_("{word!r} is not known in {section}"),
        where=where,
        remedy=N_("try {nearest!r}") if like else N_("choose one of: {known}"),
        word=word,
        section="[weblog] fields",
        nearest=like,
        known=", ".join(known),
    )


def _first_address(text: str) -> str | None:
    """The client of a list of proxies."""
    return text.partition(",")[0].strip() or None


def _outcome(status: str) -> str:
    return _OUTCOMES.get(status) or _OUTCOMES.get(status[0], "success")


_CHANGES: Final[dict[str, Callable[[str], str | None]]] = {
    "network": _first_address,
    "via": _first_address,
    "user_agent": lambda text: _DIGITS.sub("#", text),
}
