"""Free text searched for words that tell of a class of data; the text itself is never shown.

What it says is "these words were found in so many values", or that none was. It does not prove that
nothing sensitive stands there: words that the lists lack, misspelt words and allusions are not
found, and whether the file holds all that was shown is for the person to vouch who gives it.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec

from vigie import legal
from vigie.errors import ReadingError, reason_of
from vigie.exposure.output import hash_file
from vigie.language import N_, Text, _

CATEGORIES: Final = {
    "medical": N_("health"),
    "prescription": N_("medicines"),
    "social": N_("social or private life"),
    "nir": N_("social-security number"),
    "bank": N_("bank"),
    "contact": N_("contact"),
    "demeaning": N_("demeaning remarks"),
}
FOLDED: Final = "replace(strip_accents(lower(trim(text))), 'œ', 'oe')"
"""SQL of a `text` in lower case without accents."""
_PARQUET: Final = (".parquet", ".pq")


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words and regular expressions (RE2, on folded text) that tell of some classes of data.

    `lists` names whole lists of single words in `legal/free_text_names.toml`.
    """

    name: str
    classes: tuple[str, ...]
    words: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    source: str = ""

    @property
    def expression(self) -> str:
        """One expression for all of them; it matches whole words.

        >>> Category("x", (), ("diabet*",)).expression
        '(?:^|[^a-z0-9])((?:diabet[a-z]*))(?:$|[^a-z0-9])'
        """
        words = [re.escape(word).replace(r"\*", "[a-z]*") for word in self.words]
        return rf"(?:^|[^a-z0-9])((?:{'|'.join([*words, *self.patterns])}))(?:$|[^a-z0-9])"


class Terms(msgspec.Struct, frozen=True):
    """The dated lists of `legal/free_text.toml`, with the names that they refer to."""

    version: str
    source: str
    mark: str
    category: tuple[Category, ...]
    names: dict[str, str] = {}


class Names(msgspec.Struct, frozen=True):
    """The dated lists of single words of `legal/free_text_names.toml`, each one text."""

    version: str
    source: str
    mark: str
    words: dict[str, str]


class Scan(msgspec.Struct, frozen=True):
    """What was found: `found` values by category, `words` the commonest of the lists, with counts.

    `values` counts the texts read, `empty` those without a text among the rows of the file.
    """

    file: str
    sha256: str
    columns: tuple[str, ...]
    terms: str
    values: int
    empty: int
    hits: int
    found: dict[str, int]
    words: dict[str, int]


def load_terms(home: Path | None = None) -> Terms:
    """Return the lists of `home` where it has its own, else those that came with Vigie."""
    terms, names = (
        legal.load("free_text", Terms, home), legal.load("free_text_names", Names, home),
    )  # fmt: skip
    version = " / ".join(dict.fromkeys((terms.version, names.version)))
    return msgspec.structs.replace(terms, version=version, names=names.words)


def scan(path: Path, columns: list[str], terms: Terms, encoding: str = "utf-8") -> Scan:
    """Search columns of a CSV (with a header) or Parquet file; nothing of it is kept.

    Raises `ReadingError` when a line cannot be read, since what was not read was not searched.
    """
    try:
        path.open("rb").close()
    except OSError as error:
        raise _unreadable(path, reason_of(error)) from None
    # What people wrote of patients is never spilt to the disk in clear.
    with duckdb.connect(config={"temp_directory": ""}) as connection:
        try:
            connection.execute("CREATE TEMP TABLE said AS " + _texts(path, columns), [
                str(path), *([encoding] if path.suffix.lower() not in _PARQUET else [])
            ])  # fmt: skip
            return _searched(connection, path, columns, terms)
        except duckdb.BinderException:
            raise _unreadable(
                path, _("it has no column {name}").format(name=", ".join(columns))
            ) from None
        except duckdb.OutOfMemoryException:
            raise _unreadable(
                path, _("it does not fit in memory: search it in several parts")
            ) from None
        except duckdb.Error:  # its message may cite a line of the file
            raise _unreadable(
                path, _("a line is not as the others, or not in this encoding")
            ) from None


def _texts(path: Path, columns: list[str]) -> str:
    """Return the query of one folded text a row and column; a row without any text is empty."""
    parquet = path.suffix.lower() in _PARQUET
    table = "read_parquet(?)" if parquet else _CSV
    named = ", ".join('"' + name.replace('"', '""') + '"::VARCHAR' for name in columns)
    return f"SELECT {FOLDED} AS text FROM (SELECT unnest([{named}]) AS text FROM {table})"


_CSV: Final = "read_csv(?, all_varchar = true, header = true, strict_mode = true, encoding = ?)"


def _unreadable(path: Path, reason: Text) -> ReadingError:
    return ReadingError(
        N_("the free text cannot be read ({reason})"), where=str(path),
        remedy=N_("give a CSV file with a header, or Parquet, and name a column of it"),
        reason=reason,
    )  # fmt: skip


def _searched(connection: Any, path: Path, columns: list[str], terms: Terms) -> Scan:
    values, empty = connection.execute(
        "SELECT count(*) FILTER (text <> ''), count(*) FILTER (text IS NULL OR text = '') FROM said"
    ).fetchall()[0]
    places = find(connection, terms)
    words = dict(word for one in terms.category for word in _words(connection, one))
    return Scan(
        path.name, hash_file(path), tuple(columns), terms.version, values, empty,
        len(set().union(*places.values())), {name: len(of) for name, of in places.items()}, words,
    )  # fmt: skip


def find(connection: Any, terms: Terms) -> dict[str, set[int]]:
    """Return by category the rows of the table `said` (folded `text`) in which its words stand."""
    connection.execute("CREATE OR REPLACE TEMP TABLE names (list VARCHAR, word VARCHAR)")
    for name, words in terms.names.items():
        forms = sorted({form for word in words.split() for form in (word, f"{word}s")})
        connection.execute("INSERT INTO names SELECT ?, unnest(?)", [name, forms])
    rows = {
        one.name: connection.execute(_FOUND, [one.expression, list(one.lists)]).fetchall()
        for one in terms.category
    }
    return {name: {place for (place,) in of} for name, of in rows.items()}


_TOKENS: Final = (
    "SELECT rowid AS place, unnest(string_split_regex(text, '[^a-z0-9]+')) AS word FROM said"
)
_NAMED: Final = (
    f"SELECT place, word FROM ({_TOKENS}) SEMI JOIN (SELECT word FROM names WHERE"
    " list_contains(?, list)) USING (word)"
)
_FOUND: Final = f"""
SELECT rowid FROM said WHERE regexp_matches(text, ?) UNION SELECT place FROM ({_NAMED})
"""


def _words(connection: Any, one: Category) -> Iterator[tuple[str, int]]:
    """Yield the words found in most texts; a number found (an account, a NIR) is never shown."""
    query = (
        "SELECT word, count(*) FROM (SELECT rowid, unnest(regexp_extract_all(text, ?, 1)) AS word"
        f" FROM said UNION SELECT place, word FROM ({_NAMED}))"
        " WHERE regexp_full_match(word, '[a-z -]+') GROUP BY ALL ORDER BY 2 DESC, 1 LIMIT 5"
    )
    yield from connection.execute(query, [one.expression, list(one.lists)]).fetchall()
