"""The log of a third-party payment platform: rights checks by social-security number.

Tab-separated, without a header, epoch in seconds, one file a day. A young child is looked up by
a parent's number and its own date of birth, as on a health-insurance card.
"""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigie.simulate.world import World
from vigie.simulate.writers.logfiles import LogFolder, days
from vigie.simulate.writers.texts import TSV, Texts, line, number, pick, present
from vigie.simulate.writers.texts import vocabulary as words_of

COLUMNS: Final = (
    "epoch", "request", "session", "finess", "login", "kind", "national_id", "job", "network",
    "agent", "auth", "operation", "endpoint", "mode", "nir", "birth_date", "insurer", "hits",
    "bytes", "outcome",
)  # fmt: skip
OPERATIONS: Final = {
    "rights_check": "DROITS", "billing": "FACTURE", "open": "DETAIL", "create": "DEVIS",
    "search": "RECHERCHE", "list": "SUIVI", "export": "EXPORT", "login": "LOGIN",
    "logout": "LOGOUT",
}  # fmt: skip
SHAPES: Final = {
    "exact_id": "NIR", "exact_name": "NOM", "prefix": "NOM*", "wildcard": "*",
    "criteria": "MULTI", "none": "",
}  # fmt: skip
OUTCOMES: Final = {
    "success": "0", "minor_failure": "1", "serious_failure": "2", "major_failure": "3",
}  # fmt: skip


def write(world: World, log: LogFolder) -> None:
    """Write `droits/droits-YYYY-MM-DD.tsv`."""
    texts = Texts(world, TSV)
    for day in days(world):
        name = f"droits/droits-{day.name}.tsv"
        lines = log.append(name, _lines(texts.of(day.accesses)))
        log.place(name, day.first + np.arange(len(lines)), lines)


def _insurers(texts: Texts) -> pa.Array:
    """Return the code of the patient's insurer: "AMC07"."""
    owner = texts.codes("patient")
    held = texts.world.patients["insurer"].to_numpy()
    codes = np.where(owner < 0, -1, held[owner] if len(held) else -1)
    names = [f"AMC{number:02d}" for number in range(1, len(texts.world.insurers) + 1)]
    return pick(words_of(names), codes)


def _lines(texts: Texts) -> pa.Array:
    fields = [
        number(texts.codes("at") // 1_000_000), texts.request(), texts.session(),
        texts.organisation("finess"), texts.account("login"), texts.account("kind"),
        texts.account("professional"), texts.account("profession"),
        texts.listed("network", "networks"), texts.listed("user_agent", "user_agents"),
        texts.listed("auth_method", "auth_methods"), texts.said("action", OPERATIONS),
        texts.listed("object", "objects"), texts.said("query_shape", SHAPES),
        texts.patient("nir"), texts.patient("birth_date"), _insurers(texts),
        texts.numbers("record_count"), texts.numbers("bytes"), texts.said("outcome", OUTCOMES),
    ]  # fmt: skip
    filled = [present(pc.fill_null(field, ""), "", "", "-") for field in fields]
    return line(*[part for field in filled for part in (field, "\t")][:-1])
