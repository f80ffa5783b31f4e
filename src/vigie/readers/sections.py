"""A reader's own section of the mapping file, checked against the form that the reader gives."""

import re
from typing import Any, Final, TypeVar

import msgspec

from vigie.errors import MappingError, reason_of
from vigie.events import ACTIONS
from vigie.language import N_
from vigie.readers.base import Context
from vigie.readers.mapping import nearest

_UNKNOWN: Final = re.compile(r"unknown field `(?P<word>[^`]*)`")
_PLACE: Final = re.compile(r" - at `\$\.?(?P<place>[^`]*)`")
T = TypeVar("T")


def read_section(context: Context, name: str, form: type[T]) -> T:
    """Return the section `name` of the mapping as a `form` (an empty section when there is none).

    Raises `MappingError` with the place, and the nearest word that is known.
    """
    return convert(context, name, context.mapping.get(name, {}), form)


def convert(context: Context, name: str, said: object, form: type[T]) -> T:
    """Return what the section `name` said as a `form`."""
    try:
        return msgspec.convert(said, form)
    except msgspec.ValidationError as error:
        raise _explained(context, name, error, form) from None


def own_actions(context: Context) -> dict[str, str]:
    """Return `[values.action]`: the source's codes and what they are in the waist.

    Raises `MappingError` for what is no action of the waist.
    """
    values = context.mapping.get("values", {})
    actions = values.get("action", {}) if isinstance(values, dict) else {}
    for code, action in actions.items():
        if action not in ACTIONS:
            raise MappingError(
                N_("the code {code!r} is mapped to {action!r}, which is no action of Vigie"),
                where=context.mapping_file,
                remedy=N_("choose one of {known}"),
                code=code, action=str(action), known=", ".join(ACTIONS),
            )  # fmt: skip
    return dict(actions)


def _explained(
    context: Context, name: str, error: msgspec.ValidationError, form: object
) -> MappingError:
    reason = str(error)
    place = _PLACE.search(reason)
    where = f"[{name}]" + (f" {place['place']}" if place and place["place"] else "")
    unknown = _UNKNOWN.search(reason)
    if unknown:
        known = sorted(_words(form))
        like = nearest(unknown["word"], known)
        return MappingError(
            N_("{word!r} is not known in {section}"),
            where=context.mapping_file,
            remedy=N_("try {nearest!r}") if like else N_("choose one of: {known}"),
            word=unknown["word"],
            section=where,
            nearest=like,
            known=", ".join(known),
        )
    return MappingError(
        N_("{section} cannot be used ({reason})"),
        where=context.mapping_file,
        remedy=N_("see the page of this reader in the documentation"),
        section=where,
        reason=reason_of(type(error)(_PLACE.sub("", reason))),
    )


def _words(form: Any) -> set[str]:
    """The names of the fields of `form` and of the forms inside it."""
    info = msgspec.inspect.type_info(form)
    found: set[str] = set()
    waiting = [info]
    while waiting:
        one = waiting.pop()
        for field in getattr(one, "fields", ()):
            found.add(field.encode_name)
            waiting.append(field.type)
        waiting += [getattr(one, k) for k in ("item_type", "value_type") if hasattr(one, k)]
        waiting += list(getattr(one, "types", ()))
    return found
