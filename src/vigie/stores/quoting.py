"""Texts inside a query of DuckDB, where it takes no parameters: types, views, files."""


def quoted(text: str) -> str:
    """Return a text as SQL writes it.

    >>> quoted("L'Isle")
    "'L''Isle'"
    """
    return "'" + text.replace("'", "''") + "'"
