"""The words of an SQL statement: comments apart, literals unquoted, parentheses paired.

Source: PostgreSQL documentation, "Lexical Structure" (chapter 4.1).
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(
    r"""
    (?P<blank>\s++|--[^\n]*+)
  | (?P<comment>/\*)
  | (?P<dollar>\$(?:[^\W\d]\w*+)?\$)
  | (?P<escaped>[eE]'(?:[^'\\]++|\\.|'')*+')
  | (?P<opaque>(?:[bBxX]|[uU]&)'(?:[^']++|'')*+'|[uU]&"(?:[^"]++|"")*+")
  | (?P<string>[nN]?'(?:[^']++|'')*+')
  | (?P<quoted>"(?:[^"]++|"")++")
  | (?P<param>\$[0-9]++)
  | (?P<number>[0-9][0-9_]*+(?:\.[0-9]*+)?(?:[eE][+-]?[0-9]++)?)
  | (?P<word>[^\W\d][\w$]*+)
  | (?P<operator>::|(?:(?!--|/\*)[-+*/<>=~!@\#%^&|`?])++|[(),.;:\[\]{}])
  | (?P<stray>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE: Final = re.compile(r"/\*|\*/")
_ESCAPE: Final = re.compile(r"\\(.)|''", re.DOTALL)


class Token(NamedTuple):
    """One token: its kind and its text (words folded to lower case, literals unquoted)."""

    kind: str
    text: str


def tokens_of(text: str) -> tuple[list[Token], str]:
    """Return the tokens of `text`, and its comments as one text.

    A quote that is never closed becomes a token of kind `stray`.
    """
    tokens, comments, at = [], [], 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        assert found is not None  # `stray` takes any character
        kind, at = str(found.lastgroup), found.end()
        if kind == "comment":
            at = _end_of_comment(text, found.start())
            comments.append(text[found.start() : at])
        elif kind == "dollar":
            close = text.find(found[0], at)
            tokens.append(Token("string", text[at:close] if close >= 0 else ""))
            at = close + len(found[0]) if close >= 0 else len(text)
        elif kind != "blank":
            tokens.append(_token(kind, found[0]))
    return tokens, " ".join(comments)


def _token(kind: str, text: str) -> Token:
    if kind == "word":
        return Token(kind, text.lower())
    if kind == "quoted":
        return Token(kind, text[1:-1].replace('""', '"'))
    if kind == "string":
        return Token(kind, text.lstrip("nN")[1:-1].replace("''", "'"))
    if kind == "escaped":
        return Token("string", _ESCAPE.sub(lambda found: found[1] or "'", text[2:-1]))
    return Token(kind, text)


def _end_of_comment(text: str, start: int) -> int:
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, start):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(text)


def is_name(token: Token) -> bool:
    """Say whether the token may be an identifier."""
    return token.kind in ("word", "quoted")


def is_keyword(token: Token) -> bool:
    """Say whether the token may be a keyword or an operator: never what quotes hold."""
    return token.kind in ("word", "operator")


def dotted_name(tokens: Sequence[Token], place: int) -> tuple[list[str], int]:
    """The dotted name at `place` (empty when there is none) and the place after it."""
    parts: list[str] = []
    while place < len(tokens) and is_name(tokens[place]):
        parts.append(tokens[place].text)
        place += 1
        if tokens[place : place + 1] != [Token("operator", ".")]:
            break
        place += 1
    return parts, place


def closing(tokens: Sequence[Token], place: int) -> int:
    """The place of the parenthesis that closes the one at `place`, or the end."""
    depth = 0
    for i in range(place, len(tokens)):
        if tokens[i].kind == "operator":
            depth += (tokens[i].text == "(") - (tokens[i].text == ")")
            if depth == 0:
                return i
    return len(tokens)


def at_top(tokens: Sequence[Token]) -> Iterator[tuple[int, Token]]:
    """Yield the tokens outside all parentheses and brackets, with their places."""
    depth = 0
    for i, token in enumerate(tokens):
        if token.kind == "operator":
            depth += (token.text in "([") - (token.text in ")]")
        if depth == 0:
            yield i, token
