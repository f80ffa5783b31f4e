"""A first mapping drafted from a sample.

Header names are known in French and English, and the values decide where a name does not. What
the draft cannot tell is written as the comment it is; an action that it does not know becomes
`other`, never an ignored line.
"""

import json
import re
from collections.abc import Callable
from collections.abc import Mapping as Table
from functools import partial
from pathlib import Path
from typing import Final

from vigie import identifiers
from vigie.events import ACTIONS
from vigie.language import N_, _
from vigie.readers.tables.dating import TimeForm, first_texts, time_column, time_form
from vigie.readers.tables.names import NAMES, fold
from vigie.readers.tables.samples import Sample, take_sample

ACTION_HINTS: Final = (
    ("logout", "deconn|logout|logoff|fermeture de session|sign.?out"),
    ("login", "connex|login|logon|ouverture de session|sign.?in|authent"),
    ("break_glass", "bris|break.?glass|urgence vitale|acces urgence|emergency"),
    ("rights_check", "droits|rights|eligib|adri|cdr"),
    ("export", "export|extract|telech|download|copie"),
    ("print", "impr|print|edition"),
    ("search", "rech|search|query|interrog|find"),
    ("list", "list|index|planning"),
    ("merge", "fusion|merge|rapproch"),
    ("delete", "suppr|delet|effac|annul|remove"),
    ("create", "creat|creer|ajout|insert|nouveau|add|new"),
    ("update", "modif|updat|maj|mise a jour|saisi|edit|write|enregistr|valid|ecri"),
    ("billing", "factur|billing|cotation"),
    ("stock", "stock|dispens|pharma"),
    ("open", "lect|consult|ouv|visu|read|view|open|affich|acces|get|show|voir"),
)
"""Actions by what their names hold, the first that fits."""

_OUTCOME_HINTS: Final = (
    ("success", "^(ok|succes|success|true|oui|yes|o|y|0|200|reussi)"),
    ("serious_failure", "ko|echec|fail|error|erreur|false|non|refus|denied|^[45][0-9][0-9]$"),
)
_KIND_HINTS: Final = (
    ("service", "service|systeme|system|robot|batch|technique|machine|api|appli"),
    ("shared", "partage|shared|generique|generic|commun"),
    ("person", "person|nominatif|humain|human|individu|user|utilisateur|praticien|agent"),
)
_SHAPE_HINTS: Final = (
    ("exact_id", "ipp|ins|nir|^id|ident|num|mrn|code"),
    ("wildcard", "joker|wildcard|contient|contains|etoile"),
    ("prefix", "prefix|debut|commence|starts"),
    ("exact_name", "nom|name|exact"),
    ("criteria", "crit|avance|advanced|multi|date|naiss|birth|ville|city"),
    ("none", "aucun|none|sans|vide"),
)
_NEEDED: Final = {
    "at": N_("no column looks like it: name it, Vigie needs it"),
    "account": N_("no column looks like it: name it, or nobody can be watched"),
    "patient": N_("no column looks like it: name it, or sweeps cannot be seen"),
}
"""What a mapping wants of any log, and what is lost without it."""
_LONG_NUMBER: Final = re.compile("[0-9]{6}")
_MOST_VALUES: Final = 60


def suggest(path: Path) -> str:
    """Draft a mapping in TOML from the beginning of the file at `path`.

    Raises `ReadingError` when the file cannot be opened or holds no record.
    """
    sample = take_sample(path)
    columns = guess_columns(sample)
    parts = [_source(path, sample), _columns(sample, columns)]
    parts += [_values(sample, columns, name) for name in _GUESSED if name in columns]
    if "object" in columns:
        parts.append(_data_classes(sample, columns["object"]))
    return "\n".join(part for part in parts if part)


def guess_columns(sample: Sample) -> dict[str, str]:
    """Guess which of their columns is which of ours."""
    folded = {fold(name): name for name in reversed(list(sample.columns))}
    found: dict[str, str] = {}
    time = time_column(sample)
    if time:
        found["at"] = time
    for ours, names in NAMES.items():
        theirs = next((folded[name] for name in names if name in folded), None)
        if theirs and theirs not in found.values():
            found[ours] = theirs
    for ours, names in NAMES.items():
        free = {name: their for name, their in folded.items() if their not in found.values()}
        close = ours not in found and next(filter(None, (_close(n, free) for n in names)), None)
        if close:
            found[ours] = free[close]
    if "action" not in found:
        action = _action_column(sample, set(found.values()))
        found |= {"action": action} if action else {}
    return found


def guess_action(text: str) -> str:
    """Guess what one of their actions is; `other` when its name says nothing.

    >>> guess_action("Consultation dossier"), guess_action("ZZ9")
    ('open', 'other')
    """
    folded = fold(text)
    if folded.replace(" ", "_") in ACTIONS:
        return folded.replace(" ", "_")
    return next((action for action, hint in ACTION_HINTS if re.search(hint, folded)), "other")


def _close(name: str, free: Table[str, str]) -> str | None:
    """Find a header that holds all the words of a known name of two words or more."""
    words = set(name.split())
    if len(words) < 2:
        return None
    return next((header for header in free if words <= set(header.split())), None)


def _action_column(sample: Sample, taken: set[str]) -> str | None:
    def telling(name: str) -> float:
        counts = sample.counts(name)
        if not counts or len(counts) > _MOST_VALUES:
            return 0.0
        return sum(guess_action(text) != "other" for text in counts) / len(counts)

    free = [name for name in sample.columns if name not in taken]
    best = max(free, key=telling, default=None)
    return best if best is not None and telling(best) >= 0.5 else None


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def source_name(path: Path) -> str:
    """Return what a source is called after its file, without what only dates it.

    >>> source_name(Path("audit_20251021.csv.gz"))
    'audit'
    """
    stem = re.sub(r"[^a-z0-9]+", "-", path.name.split(".")[0].lower())
    return re.sub(r"(-?\d{2,})+(-w\d+)?$", "", stem.strip("-")) or "source"


def source_lines(name: str, reader: str) -> list[str]:
    """Return the section that every mapping begins with."""
    zone = _("of times written without a zone")
    return [
        "[source]",
        f"name = {_quoted(name)}",
        f'time_zone = "Europe/Paris"  # {zone}',
        "retention_days = 365",
        f"reader = {_quoted(reader)}",
    ]


def _source(path: Path, sample: Sample) -> str:
    lines = source_lines(source_name(path), "table")
    form = {
        "encoding": _quoted(sample.encoding) if sample.encoding not in ("utf-8", "") else "",
        "delimiter": _quoted(sample.delimiter) if sample.delimiter not in (",", "") else "",
        "header": "" if sample.named else f"[{', '.join(map(_quoted, sample.columns))}]",
    }
    said = ", ".join(f"{key} = {value}" for key, value in form.items() if value)
    return "\n".join([*lines, *([f"format = {{ {said} }}"] if said else []), ""])


def _columns(sample: Sample, columns: Table[str, str]) -> str:
    lines = ["[columns]"]
    unused = [name for name in sample.columns if name not in columns.values()]
    for name, lost in _NEEDED.items():
        if name not in columns:
            why = _split_time(sample) if name == "at" else ""
            lines.append(f'# {name} = ""  # {why or _(lost)}')
    if "action" not in columns:
        lines.append(_no_action(sample, unused))
    lines += [f"{ours} = {_spec(sample, ours, theirs)}" for ours, theirs in columns.items()]
    left = _("not used: {column}")
    lines += [f"# {left.format(column=_quoted(name))}" for name in unused]
    return "\n".join([*lines, ""])


def _no_action(sample: Sample, unused: list[str]) -> str:
    """Say what to do without a column of actions: name one of those that could be, if any."""
    if any(len(sample.counts(name)) <= _MOST_VALUES for name in unused):
        why = _('no column looks like it: name it, or { value = "open" } if all are')
        return f'# action = ""  # {why}'
    why = _("no column says what was done: each line opened a record")
    return f'action = {{ value = "open" }}  # {why}'


def _split_time(sample: Sample) -> str:
    """Say that date and hour stand apart, where they do."""
    texts = {name: first_texts(sample, name) for name in sample.columns}
    clock = re.compile(r"\d{1,2}:\d\d(:\d\d)?")
    hour = [name for name, said in texts.items() if said and all(map(clock.fullmatch, said))]
    day = [name for name in texts if "date" in fold(name).split()]
    if not (hour and day):
        return ""
    said = _("date {date} and hour {hour} stand apart: export them as one")
    return said.format(date=_quoted(day[0]), hour=_quoted(hour[0]))


def _spec(sample: Sample, ours: str, theirs: str) -> str:
    texts = first_texts(sample, theirs)
    if ours == "at":
        form = time_form(texts) or TimeForm()
        extra = f", format = {_quoted(form.pattern)}" if form.pattern else ""
        extra += f', unit = "{form.unit}"' if form.unit else ""
        proof = f"  # {form.proof}" if form.proof else ""
        return f"{{ column = {_quoted(theirs)}{extra} }}{proof}" if extra else _quoted(theirs)
    if ours == "patient":
        sound = sum(len(text) >= 13 and identifiers.problem("nir", text) is None for text in texts)
        ins = "ins" in fold(theirs).split()
        kind = ("ins" if ins else "nir") if texts and sound >= 0.8 * len(texts) else "local"
        return f'{{ column = {_quoted(theirs)}, kind = "{kind}" }}'
    return _quoted(theirs)


def _values(sample: Sample, columns: Table[str, str], ours: str) -> str:
    counts = sample.counts(columns[ours]).most_common()
    if len(counts) > _MOST_VALUES:
        return ""
    lines = [f"[values.{ours}]"]
    for text, count in counts:
        if _LONG_NUMBER.search(text):
            continue  # it may be a patient's: the draft is a file that is kept
        guessed = _GUESSED[ours](text)
        if guessed:
            lines.append(f'{_quoted(text)} = "{guessed}"  # {in_sample(count)}')
    return "\n".join([*lines, ""]) if len(lines) > 1 else ""


def in_sample(count: int) -> str:
    """Say how often something stood in the sample, as the drafts of all formats do."""
    return _("{count} in the sample").format(count=count)


def _first_fitting(hints: tuple[tuple[str, str], ...], text: str) -> str | None:
    folded = fold(text)
    return next((ours for ours, hint in hints if re.search(hint, folded)), None)


_GUESSED: Final[Table[str, Callable[[str], str | None]]] = {
    "action": guess_action,
    "outcome": partial(_first_fitting, _OUTCOME_HINTS),
    "actor_kind": partial(_first_fitting, _KIND_HINTS),
    "query_shape": partial(_first_fitting, _SHAPE_HINTS),
}
"""Our columns of a closed vocabulary, and what guesses one of their values."""


def _data_classes(sample: Sample, theirs: str) -> str:
    counts = sample.counts(theirs)
    if not counts or len(counts) > _MOST_VALUES:
        return ""
    shown = "identity, nir, contact, coverage, bank, appointments, medical, prescription, notes"
    why = _("What each screen shows; unknown until somebody attests it. Of these:")
    lines = [
        f"# {why}",
        f"# {shown}.",
        "[data_classes]",
    ]
    lines += [
        f'{_quoted(text)} = ["unknown"]'
        for text, _ in counts.most_common()
        if not _LONG_NUMBER.search(text)
    ]
    return "\n".join([*lines, ""])
