"""The lines of one piece of an access log: cut into variables, dated, and judged.

Everything that costs is done once per distinct text; a line that fails is a number in `faults`.
"""

import re
from collections.abc import Callable
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.readers import moments
from vigie.readers.lines import FAULTS, Spans
from vigie.readers.times import to_utc
from vigie.readers.weblog.format import TIMES, Template, cut
from vigie.readers.weblog.routes import Found, Routes
from vigie.readers.words import Words, from_array, from_spans, tidy

REASONS: Final = (*FAULTS, "bad_format", "bad_time", "bad_value")
"""FAULTS of lines, and what else may be wrong in one of a web server."""
_FORMAT, _TIME, _VALUE = (REASONS.index(reason) for reason in REASONS[len(FAULTS) :])
_CHECKED: Final = {
    "status": re.compile("[1-9][0-9]{2}"),
    "body_bytes_sent": re.compile("[0-9]{1,18}"),
    "bytes_sent": re.compile("[0-9]{1,18}"),
}
_QUERIES: Final = ("args", "query_string", "query")


class Lines:
    """One piece; `faults` index REASONS, `at` are microseconds UTC with their `doubts`."""

    def __init__(
        self,
        raw: NDArray[np.uint8],
        spans: Spans,
        faults: NDArray[np.uint8],
        template: Template,
        zone: str,
    ) -> None:
        self._raw, self._names = raw, template.names
        self._starts, self._sizes, fits = cut(raw, spans.starts, spans.ends, template)
        self.faults = faults.copy()
        self._fail(~fits, _FORMAT)
        self._sizes[:, self.faults != 0] = 0
        self.at, self.doubts = self._date(zone)
        for name, form in _CHECKED.items():
            self._check(name, form)
        self._sizes[:, self.faults != 0] = 0

    def words(self, name: str) -> Words:
        """Return a variable, null where the line is at fault or says `-`."""
        if name not in self._names:
            return Words(np.full(len(self.faults), -1, np.int32), pa.array([], pa.string()))
        place = self._names.index(name)
        return tidy(from_spans(self._raw, self._starts[place], self._sizes[place]), ("-",))

    def requests(self, routes: Routes) -> tuple[Words, Callable[[str], Found | None]]:
        """Return the requests, and what finds the route of one."""
        if "request" in self._names:
            return self.words("request"), routes.find
        path = "request_uri" if "request_uri" in self._names else "uri"
        query = next((name for name in _QUERIES if path == "uri" and name in self._names), "")
        method = pc.fill_null(self.words("request_method").array().cast(pa.string()), "GET")
        told = self.words(path).array().cast(pa.string())
        asked = pc.fill_null(self.words(query).array().cast(pa.string()), "")
        asked = pc.replace_substring_regex(asked, pattern=r"^\??(.+)", replacement=r"?\1")
        target = pc.binary_join_element_wise(told, asked, "")
        return from_array(pc.binary_join_element_wise(method, target, " ")), routes.find

    def _fail(self, wrong: NDArray[np.bool_], reason: int) -> None:
        self.faults[wrong & (self.faults == 0)] = reason

    def _date(self, zone: str) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
        name = next(name for name in self._names if name in TIMES)
        place, form = self._names.index(name), TIMES[name]
        starts, sizes = self._starts[place], self._sizes[place]
        if form == "epoch":
            at, kinds = moments.parse_epochs(self._raw, starts, sizes, 1_000_000)
        else:
            at, kinds = moments.parse(self._raw, starts, sizes, moments.compile_pattern(form))
        self._fail((kinds == moments.BAD) | (kinds == moments.EMPTY), _TIME)
        doubts = np.zeros(len(at), np.int8)
        local = kinds == moments.LOCAL
        if local.any():
            utc, found = to_utc(pa.array(at[local]).cast(pa.timestamp("us")), zone)
            at[local], doubts[local] = utc.cast(pa.int64()).to_numpy(), found
        return at, doubts

    def _check(self, name: str, form: "re.Pattern[str]") -> None:
        words = self.words(name)
        sound = [form.fullmatch(word) is not None for word in words.words.to_pylist()]
        self._fail(~words.spread(np.array(sound, np.bool_), True), _VALUE)
