"""What is answered to a mapping that says what we do not know: where, and the nearest word."""

import difflib
from collections.abc import Iterable
from collections.abc import Mapping as Table
from typing import Any

from vigie.errors import MappingError
from vigie.language import N_, _


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word most like `word`, if any is.

    >>> nearest("Utilisateurs", ["utilisateur", "poste"])
    'utilisateur'
    """
    folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), folded, 1, 0.6)
    return folded[found[0]] if found else None


def missing_column(wanted: str, present: Iterable[str], where: str, file: str) -> MappingError:
    """Return the error of a mapping that names a column which the file does not have."""
    names = [name for name in present if name]
    if not names:
        return MappingError(
            N_("the file has no names of columns"), where=file,
            remedy=N_("check how it was exported"),
        )  # fmt: skip
    like = nearest(wanted, names)
    remedy = N_("try {nearest!r}") if like else N_("choose one that the file has: {present}")
    return MappingError(
        N_("the mapping names the column {column!r}, which {file} does not have"),
        where=where,
        remedy=remedy,
        column=wanted,
        file=file,
        nearest=like,
        present=", ".join(names[:30]),
    )


def refuse_unknown(said: Iterable[str], known: Iterable[str], where: str, section: str) -> None:
    """Raise `MappingError` for the first word that is not known."""
    names = list(known)
    for word in said:
        if word not in names:
            like = nearest(word, names)
            raise MappingError(
                N_("{word!r} is not known in {section}"),
                where=where,
                remedy=N_("try {nearest!r}") if like else N_("choose one of: {known}"),
                word=word,
                section=f"[{section}]" if section else _("a mapping"),
                nearest=like,
                known=", ".join(names),
            )


def unusable(where: str, place: str, why: str, **fields: object) -> MappingError:
    """Return the error of an entry that cannot be used, with its remedy."""
    return MappingError(
        N_("{place} cannot be used"), where=where, remedy=why, place=f"[{place}]", **fields
    )


def text_of(said: Table[str, Any], key: str, where: str, place: str, default: str = "") -> str:
    """Return a text of a table of the mapping."""
    value = said.get(key, default)
    if not isinstance(value, str):
        raise unusable(where, f"{place}.{key}", N_("write a text between quotes"))
    return value


def one_of(value: str, known: Iterable[str], where: str, place: str) -> str:
    """Return `value` if it is empty or known."""
    names = list(known)
    if value and value not in names:
        raise unusable(where, place, N_("write one of: {known}"), known=", ".join(names))
    return value


def refuse_value(ours: str, known: Iterable[str], where: str, place: str) -> None:
    """Raise for a value that is not one of ours, with the nearest."""
    like = nearest(ours, known)
    raise MappingError(
        N_("{place} gives {value!r}, which Vigie does not know"),
        where=where,
        remedy=N_("try {nearest!r}") if like else N_("choose one of: {known}"),
        place=f"[{place}]",
        value=ours,
        nearest=like,
        known=", ".join(known),
    )


def are_texts(value: Any) -> bool:
    """Say whether a value is a list of texts."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
