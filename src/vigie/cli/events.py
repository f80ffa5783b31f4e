"""`vigie events`: query the stored accesses; every look is in the journal."""

from argparse import Namespace
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from vigie import journal
from vigie.cli.opening import open_present
from vigie.cli.terminal import draw_table, home_of, remark, say, write_csv, write_json
from vigie.cli.times import day_of, stamp
from vigie.errors import UsageError, reason_of
from vigie.language import N_, _, number
from vigie.stores import Store

SHOWN = (
    "at", "account", "action", "object", "patient", "record_count", "organisation", "network",
    "outcome", "source_file", "source_line",
)  # fmt: skip


_NO_ACCOUNT = N_("No access is of the account {name!r}: write it as the log does.")
_NO_SOURCE = N_("No access is of the source {name!r}: write it as its mapping does.")


def events(options: Namespace) -> int:
    """Run the command."""
    if not 1 <= options.limit < 1 << 31:
        raise UsageError(N_("at least one row must be asked for"), where="--limit")
    subject = options.sql or " ".join(
        f"{name}={value}"
        for name in ("account", "source", "since", "until")
        if (value := getattr(options, name))
    )
    open_present(options).close()
    journal.record(home_of(options), "events", subject, options.reason)
    header, rows, more = _select(options) if options.sql is None else _query(options)
    if not rows and options.sql is None:
        _say_none(options)
    if options.format == "json":
        names = _distinct(header)
        write_json([dict(zip(names, map(_plain, row), strict=True)) for row in rows])
    elif options.format == "csv":
        write_csv(header, ([_plain(cell) for cell in row] for row in rows))
    else:
        draw_table(header, ([_short(cell) for cell in row] for row in rows))
        if more:
            say(
                _("Only the first {count} rows; --limit shows more.").format(
                    count=number(len(rows))
                )
            )
    return 0


def _select(options: Namespace) -> tuple[tuple[str, ...], list[tuple[Any, ...]], bool]:
    conditions = [one for one in _conditions(options) if one[2] is not None]
    where = " AND ".join(f"{column} {sign} ?" for column, sign, _value in conditions)
    columns = ", ".join(f'"{name}"' for name in SHOWN)
    query = (
        f"SELECT {columns} FROM events{' WHERE ' + where if where else ''}"  # noqa: S608 - ours
        ' ORDER BY "at", source, source_file, source_line LIMIT ?'
    )
    values = [value for _column, _sign, value in conditions]
    return _run(options, query, [*values, options.limit + 1], SHOWN)


def _say_none(options: Namespace) -> None:
    """Say that nothing fits, and whether the log knows the account and the source at all."""
    remark(_("No access fits."))
    for value, query, said in (
        (options.account, "SELECT 1 FROM events WHERE account = ? LIMIT 1", _NO_ACCOUNT),
        (options.source, "SELECT 1 FROM events WHERE source = ? LIMIT 1", _NO_SOURCE),
    ):
        if value is not None and not _run(options, query, [value], None)[1]:
            remark(_(said).format(name=value))


def _conditions(options: Namespace) -> list[tuple[str, str, object]]:
    since, until = day_of(options.since, "--since"), day_of(options.until, "--until")
    return [
        ("account", "=", options.account),
        ("source", "=", options.source),
        ('"at"', ">=", _without_zone(since)),
        ('"at"', "<", _without_zone(until)),
    ]


def _without_zone(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None


def _query(options: Namespace) -> tuple[tuple[str, ...], list[tuple[Any, ...]], bool]:
    return _run(options, options.sql, [], None)


def _run(
    options: Namespace, query: str, values: list[object], names: tuple[str, ...] | None
) -> tuple[tuple[str, ...], list[tuple[Any, ...]], bool]:
    """Run a query that may read the store's segments and nothing else of this machine."""
    import duckdb

    home = home_of(options).resolve()
    with Store.open(home) as store, store.connect() as connection:
        readable = [f"{home / name}/" for name in ("segments", "quarantine", "tables")]
        connection.execute("SET allowed_directories = ?", [readable])
        connection.execute("SET enable_external_access = false")
        try:
            _refuse_commands(connection, query)
            cursor = connection.execute(query, values or None)
            rows = cursor.fetchmany(options.limit + 1)
            header = names or tuple(column[0] for column in cursor.description or ())
        except duckdb.Error as error:
            raise UsageError(
                N_("the query cannot be run ({reason})"),
                where="--sql",
                remedy=N_(
                    'the views are events, accesses, quarantine, files, screens, care; "at" is '
                    "written in quotes"
                ),
                reason=reason_of(error),
            ) from None
    return header, rows[: options.limit], len(rows) > options.limit


def _refuse_commands(connection: Any, query: str) -> None:
    """Let one SELECT through: the segments may be read, and COPY or EXPORT would write there."""
    import duckdb

    kinds = [statement.type for statement in connection.extract_statements(query)]
    if kinds not in ([duckdb.StatementType.SELECT], [duckdb.StatementType.EXPLAIN]):
        raise UsageError(
            N_("only one query that reads is run"),
            where="--sql",
            remedy=N_("write a single SELECT"),
        )


def _distinct(header: tuple[str, ...]) -> list[str]:
    """Tell columns of the same name apart, of which a JSON object would keep the last alone."""
    names: list[str] = []
    for name in header:
        count = header[: len(names)].count(name)
        names.append(f"{name}_{count}" if count else name)
    return names


def _short(cell: object) -> object:
    """Return what a table has room for: seconds, and the beginning of a pseudonym."""
    if isinstance(cell, bytes):
        return cell.hex()[:8]
    return f"{cell:%Y-%m-%d %H:%M:%S}" if isinstance(cell, datetime) else cell


def _plain(cell: object) -> object:
    if isinstance(cell, bytes):
        return cell.hex()
    if isinstance(cell, list | tuple):
        return [_plain(item) for item in cell]
    if isinstance(cell, dict):
        return {str(name): _plain(item) for name, item in cell.items()}
    if isinstance(cell, datetime):  # times of the views are UTC without a zone
        return stamp(cell if cell.tzinfo else cell.replace(tzinfo=UTC))
    if isinstance(cell, float) and not isfinite(cell):
        return None
    return cell if isinstance(cell, str | int | float | None) else str(cell)
