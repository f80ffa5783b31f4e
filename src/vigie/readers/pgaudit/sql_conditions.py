"""The conditions of an SQL statement that can be relied on: lone conjuncts of its outermost WHERE.

What is not understood is `opaque`: a statement is never said to be restricted when it may not be.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from vigie.readers.pgaudit.sql_tokens import (
    Token,
    at_top,
    closing,
    dotted_name,
    is_keyword,
    is_name,
)

_PATTERN_WORDS: Final = frozenset({"like", "ilike", "~~", "~~*"})
END_OF_WHERE: Final = frozenset(
    {"group", "order", "limit", "offset", "fetch", "for", "having", "window", "union",
     "intersect", "except", "returning", ";"}
)  # fmt: skip


class Value(NamedTuple):
    """A literal (`text`), or bound parameter number `parameter` (from 1)."""

    text: str
    parameter: int = 0


@dataclass(frozen=True, slots=True)
class Condition:
    """One conjunct: `column` (less its qualifier) compared with `values`.

    `operator` is `=` (one of the values), `like`, or `opaque` for all else.
    """

    operator: str
    qualifier: str = ""
    column: str = ""
    values: tuple[Value, ...] = ()


def where_of(tokens: list[Token]) -> list[Token] | None:
    """Return the tokens of the outermost WHERE, or None when there is none."""
    start = None
    for i, token in at_top(tokens):
        if start is None and token == Token("word", "where"):
            start = i + 1
        elif start is not None and is_keyword(token) and token.text in END_OF_WHERE:
            return tokens[start:i]
    return None if start is None else tokens[start:]


def is_plain(tokens: list[Token], where: list[Token] | None) -> bool:
    """Say whether the conditions of `where` bound all that the statement reads."""
    before = len(tokens) if where is None else len(tokens) - len(where)
    selects = sum(token == Token("word", "select") for token in tokens[:before])
    odd = {"with", "union", "intersect", "except", ";", "cross"}
    top = any(is_keyword(token) and token.text in odd for _, token in at_top(tokens))
    return selects <= 1 and not top


def conjuncts(tokens: Sequence[Token]) -> Iterator[Condition]:
    """Yield the conditions that all hold; an OR makes one opaque condition of its whole."""
    if any(token == Token("word", "or") for _, token in at_top(tokens)):
        yield Condition("opaque")
        return
    start, between = 0, False
    for i, token in [*at_top(tokens), (len(tokens), Token("word", "and"))]:
        if token == Token("word", "between"):
            between = True
        elif token == Token("word", "and"):
            if between and i < len(tokens):
                between = False
                continue
            yield from _conjunct(tokens[start:i])
            start = i + 1


def _conjunct(tokens: Sequence[Token]) -> Iterator[Condition]:
    first = tokens[0] if tokens else Token("", "")
    if first == Token("operator", "(") and closing(tokens, 0) == len(tokens) - 1:
        yield from conjuncts(tokens[1:-1])
    else:
        yield _comparison(tokens) or _comparison(_reversed(tokens)) or Condition("opaque")


def _reversed(tokens: Sequence[Token]) -> Sequence[Token]:
    """`'x' = column` written as `column = 'x'`."""
    for i, token in at_top(tokens):
        if token == Token("operator", "="):
            return [*tokens[i + 1 :], token, *tokens[:i]]
    return ()


def _comparison(tokens: Sequence[Token]) -> Condition | None:
    parts, place = dotted_name(tokens, 0)
    place = _past_cast(tokens, place)
    if not parts or place >= len(tokens) or not is_keyword(tokens[place]):
        return None
    sign, rest = tokens[place].text, tokens[place + 1 :]
    qualifier, column = ".".join(parts[:-1]), parts[-1]
    if sign == "in" and rest[:1] == [Token("operator", "(")]:
        values = _values(rest[1:-1]) if closing(rest, 0) == len(rest) - 1 else None
        return Condition("=", qualifier, column, values) if values else None
    if sign == "=" and rest[:1] == [Token("word", "any")]:
        return _any(rest[1:], qualifier, column)
    values = _values(rest)
    if values is None or len(values) != 1:
        return None
    if sign == "=":
        return Condition("=", qualifier, column, values)
    return Condition("like", qualifier, column, values) if sign in _PATTERN_WORDS else None


def _any(tokens: Sequence[Token], qualifier: str, column: str) -> Condition | None:
    """`= ANY ($1)`, `= ANY ('{a,b}')`, `= ANY (ARRAY['a','b'])`."""
    inside = tokens[1:-1] if tokens and closing(tokens, 0) == len(tokens) - 1 else ()
    if inside[:2] == [Token("word", "array"), Token("operator", "[")]:
        close = max(
            i for i, token in enumerate(inside) if token == Token("operator", "]") or i == 1
        )
        values = _values(inside[2:close])
        return Condition("=", qualifier, column, values) if values else None
    values = _values(inside)
    return Condition("any", qualifier, column, values) if values and len(values) == 1 else None


def _values(tokens: Sequence[Token]) -> tuple[Value, ...] | None:
    """A list of literals and parameters, or None when anything else stands there."""
    values, place = [], 0
    while place < len(tokens):
        token = tokens[place]
        if token.kind not in ("string", "number", "param"):
            return None
        number = int(token.text[1:]) if token.kind == "param" else 0
        values.append(Value("" if number else token.text, number))
        place = _past_cast(tokens, place + 1)
        if place < len(tokens) and tokens[place] != Token("operator", ","):
            return None
        place += 1
    return tuple(values) or None


def _past_cast(tokens: Sequence[Token], place: int) -> int:
    while tokens[place : place + 1] == [Token("operator", "::")]:
        _, place = dotted_name(tokens, place + 1)
        if tokens[place : place + 1] == [Token("word", "varying")]:
            place += 1
        if tokens[place : place + 1] == [Token("operator", "(")]:
            place = closing(tokens, place) + 1
        while tokens[place : place + 1] in ([Token("operator", "[")], [Token("operator", "]")]):
            place += 1
    return place


def inserted(tokens: list[Token]) -> dict[str, tuple[Value, ...]]:
    """The values that an INSERT with named columns gives to each, row after row."""
    if tokens[:2] != [Token("word", "insert"), Token("word", "into")]:
        return {}
    _, place = dotted_name(tokens, 2)
    close = closing(tokens, place)
    columns = [token.text for token in tokens[place + 1 : close] if is_name(token)]
    if tokens[close + 1 : close + 2] != [Token("word", "values")]:
        return {}
    rows, place = [], close + 2
    while tokens[place : place + 1] == [Token("operator", "(")]:
        close = closing(tokens, place)
        rows.append(list(_items(tokens[place + 1 : close])))
        place = close + 2
    return {
        column: tuple(row[k] for row in rows if k < len(row) and row[k] is not None)
        for k, column in enumerate(columns)
    }


def _items(tokens: Sequence[Token]) -> Iterator[Value]:
    """The items of a row; what is no literal nor parameter counts as an empty text."""
    start = 0
    for i, token in [*at_top(tokens), (len(tokens), Token("operator", ","))]:
        if token == Token("operator", ","):
            values = _values(tokens[start:i])
            yield values[0] if values and len(values) == 1 else Value("")
            start = i + 1
