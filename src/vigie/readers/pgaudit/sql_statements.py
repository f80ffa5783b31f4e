"""What an SQL statement asks for, seen from outside: its verb, its relations, its conditions.

No grammar of SQL: a tokenizer and a few rules that err on the side of saying less. Literals stay
in the values of conditions, for the reader to pseudonymise; nothing else keeps them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from vigie.readers.pgaudit.sql_conditions import (
    END_OF_WHERE,
    Condition,
    Value,
    conjuncts,
    inserted,
    is_plain,
    where_of,
)
from vigie.readers.pgaudit.sql_tokens import Token, closing, dotted_name, is_name, tokens_of

_REQUEST: Final = re.compile(r"(?:x[-_])?request[-_]id\s*[=:]\s*'?([\w.%-]{8,128})", re.IGNORECASE)
_NOT_ALIAS: Final = END_OF_WHERE | {
    "where", "on", "using", "join", "inner", "left", "right", "full", "cross", "natural", "set",
    "values", "select", "as", "to", "from", "with", "default", "overriding", "tablesample",
    "restart", "continue", "cascade", "restrict", "do", "when", "not",
}  # fmt: skip
_BEFORE_NAME: Final = (Token("word", "only"), Token("word", "table"), Token("word", "lateral"))
_SELECTING: Final = frozenset({"select", "with", "values", "table"})


@dataclass(frozen=True, slots=True)
class Statement:
    """What one statement asks for.

    `relations` are named as the statement names them, folded; `aliases` tells which relation a
    qualifier means. `conditions` is None when there is no WHERE. `plain` is False when the
    conditions do not bound all that is read (unions, subqueries, self-joins, several statements).
    `inserted` are the columns of an INSERT with its rows of values. `words` holds the
    keywords and names in their order, no literal.
    """

    verb: str
    words: tuple[str, ...]
    relations: tuple[str, ...]
    aliases: dict[str, str]
    conditions: tuple[Condition, ...] | None
    plain: bool
    inserted: dict[str, tuple[Value, ...]] = field(default_factory=dict)
    request: str | None = None
    settings: tuple[str, ...] = ()


@lru_cache(maxsize=1024)
def read_statement(text: str) -> Statement:
    """Read one statement.

    >>> said = read_statement("select * from hosp.patient p where p.ipp = 'x1' and sex = $2")
    >>> said.verb, said.relations, said.conditions[0].values[0].text
    ('select', ('hosp.patient',), 'x1')
    """
    tokens, comments = tokens_of(text)
    body, verb = _body(tokens)
    # A quote that is never closed may have turned a literal into a name.
    sound = all(token.kind != "stray" for token in tokens)
    named, aliases = _relations(body) if sound else ([], {})
    relations = tuple(dict.fromkeys(named))
    where = where_of(body)
    words = tuple(token.text for token in tokens if token.kind == "word")
    return Statement(
        verb=verb,
        words=words,
        relations=relations,
        aliases=aliases,
        conditions=None if where is None else tuple(conjuncts(where)),
        plain=sound and is_plain(body, where) and len(named) == len(relations),
        inserted=inserted(body),
        request=next((found[1] for found in _REQUEST.finditer(comments)), None),
        settings=_settings(tokens),
    )


def _body(tokens: list[Token]) -> tuple[list[Token], str]:
    """The statement proper, out of COPY (…), EXPLAIN, DECLARE … FOR, PREPARE … AS; and its verb."""
    while tokens and tokens[-1] == Token("operator", ";"):
        tokens = tokens[:-1]
    verb = tokens[0].text if tokens and tokens[0].kind == "word" else ""
    if verb == "copy" and tokens[1:2] == [Token("operator", "(")]:
        return tokens[2 : closing(tokens, 1)], verb
    if verb in ("explain", "declare", "prepare", "create"):
        place = next((i for i, token in enumerate(tokens) if _starts_query(token)), None)
        if place is not None:
            return tokens[place:], tokens[place].text if verb in ("explain", "declare") else verb
    return tokens, verb


def _starts_query(token: Token) -> bool:
    return token.kind == "word" and token.text in ("select", "with", "values")


def _relations(tokens: list[Token]) -> tuple[list[str], dict[str, str]]:
    found: list[str] = []
    aliases: dict[str, str] = {}
    common = _common_tables(tokens)
    for start, listed in _places_of_relations(tokens):
        place = start
        while True:
            place += place < len(tokens) and tokens[place] in _BEFORE_NAME
            parts, after = dotted_name(tokens, place)
            calls = tokens[after : after + 1] == [Token("operator", "(")]
            relation = ".".join(parts)
            if parts and relation not in common and not (calls and listed):
                found.append(relation)
                aliases[parts[-1]] = relation
                after = _alias(tokens, after, relation, aliases)
            elif calls or tokens[after : after + 1] == [Token("operator", "(")]:
                after = _alias(tokens, closing(tokens, after) + 1, "", {})
            if not listed or tokens[after : after + 1] != [Token("operator", ",")]:
                break
            place = after + 1
    return found, aliases


def _alias(tokens: list[Token], place: int, relation: str, aliases: dict[str, str]) -> int:
    if tokens[place : place + 1] == [Token("word", "as")]:
        place += 1
    if place < len(tokens) and is_name(tokens[place]):
        token = tokens[place]
        if token.kind == "quoted" or token.text not in _NOT_ALIAS:
            aliases[token.text] = relation
            return place + 1
    return place


def _places_of_relations(tokens: list[Token]) -> Iterator[tuple[int, bool]]:
    """Where relations are named, and whether a list may follow (FROM, TRUNCATE)."""
    selecting = [True]
    for i, token in enumerate(tokens):
        if token == Token("operator", "("):
            after = tokens[i + 1] if i + 1 < len(tokens) else Token("", "")
            selecting.append(after.kind == "word" and after.text in _SELECTING)
        elif token == Token("operator", ")") and len(selecting) > 1:
            selecting.pop()
        if token.kind != "word":
            continue
        before = tokens[i - 1].text if i else ""
        names = token.text
        if names in ("from", "using"):
            if selecting[-1] and before != "distinct":
                yield i + 1, True
        elif names == "truncate":
            yield i + 1, True
        elif (
            names == "join"
            or (names == "into" and before in ("insert", "merge"))
            or (names == "update" and before not in ("for", "key", "do"))
            or (names in ("copy", "table") and i == 0)
        ):
            yield i + 1, False


def _common_tables(tokens: list[Token]) -> set[str]:
    """The names that WITH gives to its queries: not relations."""
    if not any(token == Token("word", "with") for token in tokens):
        return set()
    return {
        tokens[i - 1].text
        for i, token in enumerate(tokens)
        if i and token == Token("word", "as") and is_name(tokens[i - 1])
        and _opens_query(tokens, i + 1)
    }  # fmt: skip


def _opens_query(tokens: list[Token], place: int) -> bool:
    while tokens[place : place + 1] in ([Token("word", "not")], [Token("word", "materialized")]):
        place += 1
    return tokens[place : place + 1] == [Token("operator", "(")]


def _settings(tokens: list[Token]) -> tuple[str, ...]:
    """The names of the settings that SET, ALTER … SET or set_config change."""
    names = []
    for i, token in enumerate(tokens):
        if token in (Token("word", "set"), Token("word", "reset")):
            place = (
                i
                + 1
                + (tokens[i + 1 : i + 2] in ([Token("word", "local")], [Token("word", "session")]))
            )
            names.append(".".join(dotted_name(tokens, place)[0]))
        elif token == Token("word", "set_config") and len(tokens) > i + 2:
            names.append(tokens[i + 2].text.lower())
    return tuple(names)
