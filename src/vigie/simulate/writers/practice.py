"""The API log of a software for doctors' practices: one JSON object a request, one file a day.

It holds what such logs should not: search strings and excerpts of notes. The mapping names none
of them, so that nothing of their text gets any further.
"""

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.events import ACTIONS
from vigie.simulate.world import World
from vigie.simulate.writers.logfiles import LogFolder, days
from vigie.simulate.writers.texts import JSON, Pages, Texts, line, number, pages, pick, present
from vigie.simulate.writers.texts import vocabulary as words_of

METHODS: Final = {
    "search": "GET", "list": "GET", "open": "GET", "export": "POST", "print": "GET",
    "update": "PATCH", "delete": "DELETE", "logout": "DELETE",
}  # fmt: skip
OPERATIONS: Final = {
    "open": "read", "rights_check": "rights", "billing": "invoice", "create": "write",
}  # fmt: skip
SHAPES: Final = {
    "exact_id": "id", "exact_name": "name", "prefix": "starts", "wildcard": "like",
    "criteria": "multi", "none": "",
}  # fmt: skip
STATUSES: Final = {
    "success": "200", "minor_failure": "403", "serious_failure": "404", "major_failure": "500",
}  # fmt: skip
NOTES: Final = (
    "vu ce jour, RAS", "tension 13/8, poids stable", "souhaite un certificat pour le sport",
    "suivi du diabète, HbA1c 7,1 %", "séropositif, ne pas laisser de message au domicile",
    "conflit avec le voisin, dort mal", "épouse prévenue, rappeler demain",
)  # fmt: skip
"""Invented remarks: the last ones are of the kind that was found in real thefts."""


def write(world: World, log: LogFolder) -> None:
    """Write `api/api-YYYY-MM-DD.ndjson.gz`."""
    texts = Texts(world, JSON)
    for day in days(world):
        page = pages(day.accesses)
        whole = texts.of(day.accesses)
        listed = page.joined(whole.patient("number"), ",")
        hint = _free_text(whole, page)
        name = f"api/api-{day.name}.ndjson.gz"
        lines = log.append(name, _lines(texts.of(page.accesses), listed, hint))
        log.place(name, day.first + page.rows, lines[page.line], page.part)


def practice_codes(organisations: NDArray[Any]) -> pa.Array:
    """Return the software's own numbers of practices: "P00012"."""
    padded = pc.utf8_lpad(number(organisations.astype(np.int64)), 5, "0")
    return pc.if_else(pa.array(organisations < 0), "", line("P", padded))


def _free_text(texts: Texts, page: Pages) -> pa.Array:
    """Return what was typed or noted: a name, or a sentence that holds one."""
    first = page.firsts
    surnames = texts.patient("surname").take(pa.array(page.rows[first]))
    given = texts.patient("given_name").take(pa.array(page.rows[first]))
    actions = page.accesses["action"].to_numpy()
    notes = pick(words_of(NOTES), page.accesses["access"].to_numpy() % len(NOTES))
    searched = pa.array(actions == ACTIONS.index("search"))
    wrote = pa.array(np.isin(actions, [ACTIONS.index("create"), ACTIONS.index("update")]))
    typed = present(line(surnames, " ", given), ',"q":"', '"')
    noted = line(',"excerpt":"', surnames, " ", given, " : ", notes, '"')
    return pc.if_else(searched, typed, pc.if_else(wrote, noted, ""))


def _lines(texts: Texts, patients: pa.Array, hint: pa.Array) -> pa.Array:
    def text(key: str, words: pa.Array) -> pa.Array:
        return present(words, f',"{key}":"', '"')

    def count(key: str, column: str) -> pa.Array:
        return present(texts.numbers(column), f',"{key}":', "")

    methods = {action: METHODS.get(action, "POST") for action in ACTIONS}
    return line(
        '{"ts":', number(texts.codes("at") // 1000),
        ',"rid":"', texts.request(), '"',
        text("practice", practice_codes(texts.codes("organisation"))),
        text("user", texts.account("login")), text("user_kind", texts.account("kind")),
        text("rpps", texts.account("professional")), text("job", texts.account("profession")),
        text("specialty", texts.account("specialty")), text("profile", texts.account("role")),
        text("acting_for", texts.account("login", "on_behalf_of")),
        text("site", texts.listed("unit", "units")),
        ',"session":"', texts.session(), '"',
        text("auth", texts.listed("auth_method", "auth_methods")),
        text("ip", texts.listed("network", "networks")),
        text("device", texts.listed("device", "devices")),
        text("ua", texts.listed("user_agent", "user_agents")),
        ',"op":"', texts.said("action", OPERATIONS), '"',
        ',"method":"', texts.said("action", methods), '"',
        ',"route":"', texts.listed("object", "objects"), '"',
        text("mode", texts.said("query_shape", SHAPES)), hint,
        text("patients", patients), count("hits", "record_count"), count("bytes", "bytes"),
        text("purpose", texts.listed("purpose", "purposes")),
        ',"status":', texts.said("outcome", STATUSES), "}",
    )  # fmt: skip
