"""Asking the log for an exposure, of alerts or of a case: what was told, where the owner ends."""

from argparse import Namespace
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from vigie.cli.codes import NOTHING, UNTRUSTED
from vigie.cli.detecting import detect_stored, recall
from vigie.cli.exposure_shown import as_json, draw
from vigie.cli.opening import open_present
from vigie.cli.terminal import home_of, remark, settings_of, write_json
from vigie.cli.times import day_of
from vigie.cli.withdrawing import remind_of_withdrawn
from vigie.errors import UsageError
from vigie.exposure import Boundary, Exposure, Scope, Stretch, expose
from vigie.exposure.changes import Changes, compare
from vigie.exposure.kept import Kept, load
from vigie.exposure.scope import Level
from vigie.facts import Facts
from vigie.language import N_, _
from vigie.stores import Store

if TYPE_CHECKING:
    from vigie.alerts.watch import Alert


@dataclass(frozen=True, slots=True)
class Looked:
    """The alerts that were told, and what detection said of single events."""

    options: Namespace
    kept: Kept
    found: dict[tuple[str, ...], pa.Table] = field(default_factory=dict)

    def alerts(self, beginnings: list[str]) -> "list[Alert]":
        """Return the alerts whose identifiers begin so; raises `UsageError` for another.

        Of one that was withdrawn it is said.
        """
        found = [self.kept.alert(beginning) for beginning in beginnings]
        remind_of_withdrawn(home_of(self.options), found)
        return found

    def evidence(self, accounts: tuple[str, ...]) -> pa.Table:
        """Return the evidence of these accounts: as it was told, or of a new look at the log.

        What was told holds as long as the log is the same; of an account without an alert nothing
        was kept.
        """
        with Store.open(home_of(self.options)) as store:
            if self.kept.covers(accounts, sum(one.rows for one in store.sources())):
                return self.kept.evidence(store.keyring)
        if accounts not in self.found:
            text = _("The log is looked at anew: no alert tells of this account as the log is now.")
            remark(text)
            self.found[accounts] = _detect_anew(self.options, accounts)
        return self.found[accounts]


def show(
    options: Namespace, found: Exposure, facts: Facts, changes: Changes,
    more: dict[str, Any] | None = None,
) -> int:  # fmt: skip
    """Print an answer and write its facts; `more` goes into the JSON form. 4: it has bounds."""
    if options.facts:
        options.facts.write_bytes(facts.to_json())
    if options.format == "json":
        write_json(as_json(found, facts, changes) | (more or {}))
    else:
        draw(found, facts, changes, options.evidence)
    for path in filter(None, (options.out, options.facts)):
        remark(_("written: {path}").format(path=path))
    return NOTHING if found.bounds[0] == found.bounds[1] else UNTRUSTED


def look(options: Namespace) -> Looked:
    """Return what was told; the log is only looked at anew where that does not answer."""
    return Looked(options, load(home_of(options)))


def _detect_anew(options: Namespace, accounts: tuple[str, ...]) -> pa.Table:
    """Detect as the last answer did; the look is journalled."""
    from vigie.exposure.evidence import evidence_of

    recall(options)
    answer = detect_stored(options)
    return evidence_of(answer.detection, answer.rows, accounts)


def ask(
    options: Namespace, scope: Scope, looked: Looked, screens: pa.Table | None = None
) -> Exposure:
    """Return the exposure of `scope`; `screens` stand in for the declarations in force."""
    scope.require_some()
    evidence = looked.evidence(scope.accounts)
    with Store.open(home_of(options)) as store:
        return expose(
            store, scope, evidence=evidence,
            index=_index(options, store), screens=screens,
            silent_hours=settings_of(options).trust.silent_hours,
            reason=options.reason,
        )  # fmt: skip


def boundary_said(options: Namespace) -> Boundary:
    """Return where the options put the boundary; raises `UsageError` for an unknown session."""
    check_sessions(options)
    cut = day_of(options.cut, "--since")
    level: Level = options.boundary or "probable"
    return Boundary(level, cut, tuple(options.session), options.reason, options.author)


def check_boundary(options: Namespace, stretches: tuple[Stretch, ...]) -> None:
    """Refuse sessions that the log does not know, and a time that leaves nothing of the period."""
    check_sessions(options)
    cut = day_of(options.cut, "--since")
    if stretches:
        Scope(stretches, Boundary(since=cut)).require_some()


def check_sessions(options: Namespace) -> None:
    """Refuse a session that the log does not know: all would be the owner's, by a slip of a key."""
    if not options.session:
        return
    with open_present(options) as store:
        rows = store.connect().execute(
            "SELECT DISTINCT session FROM events WHERE list_contains(?, session::VARCHAR)",
            [options.session],
        )
        unknown = {*options.session} - {row[0] for row in rows.fetchall()}
    if unknown:
        raise UsageError(
            N_("the log knows no session {sessions}"), where="--session",
            remedy=N_("vigie exposure --evidence lists them"), sessions=", ".join(sorted(unknown)),
        )  # fmt: skip


def check_accounts(options: Namespace, accounts: list[str]) -> None:
    """Refuse an account that the log does not know: nobody would be exposed, by a slip of a key.

    What retention dropped may have been all of it: then nothing is refused.
    """
    with open_present(options) as store:
        connection = store.connect()
        known = connection.execute(_KNOWN, [accounts] * 2).fetchall()
        dropped = connection.execute("SELECT 1 FROM tombstones LIMIT 1").fetchall()
    unknown = {*accounts} - {row[0] for row in known}
    if unknown and not dropped:
        raise UsageError(
            N_("the log knows no account {accounts}"), where="--account",
            remedy=N_("write it as the log does"), accounts=", ".join(sorted(unknown)),
        )  # fmt: skip


_KNOWN: Final = """
SELECT DISTINCT account FROM events WHERE list_contains(?, account::VARCHAR)
UNION SELECT DISTINCT on_behalf_of FROM events WHERE list_contains(?, on_behalf_of::VARCHAR)
"""


def _index(options: Namespace, store: Store) -> pa.Table | None:
    if not getattr(options, "index", None):
        return None
    from vigie.exposure.index import read_index

    return read_index(options.index, options.index_mapping, store.keyring)


def changes_since(options: Namespace, found: Exposure, looked: Looked) -> Changes:
    """Return what differs from the declarations of another time; None when none is asked for."""
    at = day_of(options.declared, "--declared")
    if at is None:
        return None
    with Store.open(home_of(options)) as store:
        screens = store.table("screens", at)
    return compare(ask(options, found.scope, looked, screens), found)
