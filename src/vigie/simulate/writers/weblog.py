"""The access log of the web server before the first region's portal (nginx, one file a day).

The same accesses as the portal's own traces, with the same request id, as a web server sees them:
a path and a status, never the patients that a search returned.
"""

from typing import Final
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.events import ACTIONS, VOCABULARIES
from vigie.simulate.world import World
from vigie.simulate.writers.logfiles import Day, LogFolder, local_text
from vigie.simulate.writers.texts import Texts, constant, line, pages, pick, present
from vigie.simulate.writers.texts import vocabulary as words_of
from vigie.simulate.writers.tokens import token

METHODS: Final = {"create": "POST", "export": "POST", "login": "POST", "break_glass": "POST"}
PATHS: Final = {
    "patients": ("/portail/patients", ""),
    "patient/record": ("/portail/patients/", "/dossier"),
    "patient/documents": ("/portail/patients/", "/documents"),
    "document": ("/portail/patients/", "/documents/"),
    "patients/export": ("/portail/exports", ""),
    "session": ("/portail/connexion", ""),
}
"""What stands before and after the patient's number in the path of each screen."""
STATUSES: Final = {
    "success": "200", "minor_failure": "404", "serious_failure": "403", "major_failure": "500",
}  # fmt: skip
_ASSET: Final = "GET /static/portail.js HTTP/1.1"


class WebLog:
    """Writes what the web server saw of the portal's accesses."""

    def __init__(self, world: World, log: LogFolder) -> None:
        """Prepare the texts of `world` once; surnames as a browser encodes them."""
        self._texts = Texts(world, lambda words: pc.replace_substring(words, '"', "%22"))
        self._surnames = words_of(_encoded(world.patients["surname"]))
        self._log = log

    def write(self, day: Day, rows: NDArray[np.int64]) -> None:
        """Write `web/portail-access-YYYY-MM-DD.log.gz` for these rows of the day.

        A page's rows are one request; it names a patient only in its path.
        """
        page = pages(day.accesses.take(pa.array(rows)))
        texts = self._texts.of(page.accesses)
        requests = _requests(texts, pick(self._surnames, page.accesses["patient"].to_numpy()))
        name = f"web/portail-access-{day.name}.log.gz"
        lines = self._log.append(name, _with_assets(texts, _lines(texts, requests)))
        before = np.cumsum(_logins(texts)) - _logins(texts)
        where = lines[np.arange(len(page.firsts)) + before]
        self._log.place(name, day.first + rows[page.rows[page.firsts]], where)


def _encoded(words: pa.ChunkedArray) -> pa.Array:
    known = words.combine_chunks().dictionary_encode()
    escaped = [quote(word) for word in known.dictionary.to_pylist()]
    return pa.array(escaped, pa.string()).take(known.indices)


def _logins(texts: Texts) -> NDArray[np.int64]:
    logins: NDArray[np.int64] = (texts.codes("action") == ACTIONS.index("login")).astype(np.int64)
    return logins


def _with_assets(texts: Texts, lines: pa.Array) -> pa.Array:
    """Follow each login by the page's script, which is no access to anybody's record."""
    logins = _logins(texts)
    pattern = r'"[^"]* HTTP/1\.1" \d+'
    asset = pc.replace_substring_regex(lines, pattern, f'"{_ASSET}" 304', max_replacements=1)
    both = pa.concat_arrays([lines, asset])
    owner = np.repeat(np.arange(len(lines)), 1 + logins)
    second = np.r_[False, owner[1:] == owner[:-1]] if len(owner) else np.empty(0, bool)
    return both.take(pa.array(owner + second * len(lines)))


def _requests(texts: Texts, surnames: pa.Array) -> pa.Array:
    """Return the request lines, without the protocol."""
    screens = [PATHS.get(name, ("/portail/", name)) for name in texts.world.objects]
    before = pick(words_of([path for path, _ in screens]), texts.codes("object"))
    after = pick(words_of([path for _, path in screens]), texts.codes("object"))
    listed = pc.match_substring(before, "/patients/")
    number = pc.if_else(listed, texts.patient("number"), constant(""))
    document = token(texts.codes("access"), texts.world.seed + 2)
    tail = pc.if_else(pc.match_substring(after, "/documents/"), document, constant(""))
    suffix = {"print": "/imprimer", "break_glass": "/bris-de-glace"}
    ending = texts.said("action", {name: suffix.get(name, "") for name in ACTIONS})
    methods = {name: METHODS.get(name, "GET") for name in ACTIONS}
    return line(
        texts.said("action", methods), " ", before, number, after, tail, ending,
        _query(texts, surnames),
    )  # fmt: skip


def _query(texts: Texts, surnames: pa.Array) -> pa.Array:
    """Return what was asked: a number, a name, its beginning with a star, or several criteria."""
    searches = pa.array(texts.codes("action") == ACTIONS.index("search"))
    shape = pick(words_of(VOCABULARIES["query_shape"]), texts.codes("query_shape"))
    start = pc.utf8_slice_codeunits(pc.fill_null(surnames, ""), 0, 3)
    asked = present(surnames, "?nom=", "")
    for name, words in (
        ("exact_id", line("?ipp=", texts.patient("number"))),
        ("prefix", line("?nom=", pc.replace_substring_regex(start, "%.*", ""), "*")),
        ("wildcard", line("?nom=*", pc.replace_substring_regex(start, "%.*", ""), "*")),
        ("criteria", line("?ville=", texts.patient("commune"), "&ddn=",
                          texts.patient("birth_date"))),
    ):  # fmt: skip
        asked = pc.if_else(pc.equal(shape, constant(name)), words, asked)
    return pc.if_else(searches, asked, constant(""))


def _lines(texts: Texts, requests: pa.Array) -> pa.Array:
    size = 900 + texts.codes("access") * 7919 % 60_000
    return line(
        present(texts.listed("network", "networks"), "", "", "-"), " - ", texts.account("login"),
        " [", local_text(texts.codes("at"), "%d/%b/%Y:%H:%M:%S %z"), '] "', requests,
        ' HTTP/1.1" ', texts.said("outcome", STATUSES), " ", pa.array(size).cast(pa.string()),
        ' "https://portail.exemple.fr/" "', texts.listed("user_agent", "user_agents"), '" "',
        texts.request(), '"',
    )  # fmt: skip
