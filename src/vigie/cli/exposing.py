"""`vigie exposure`: the exact set, as a summary on screen and as files."""

from argparse import Namespace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from vigie.cli.exposure_shown import as_json, draw
from vigie.cli.scan import day_of, recall
from vigie.cli.terminal import home_of, remark, settings_of, write_json
from vigie.errors import UsageError
from vigie.exposure import Boundary, Exposure, Scope, Stretch, expose, of_alerts
from vigie.exposure.changes import Change, compare
from vigie.facts.counting import facts_of
from vigie.language import N_, _
from vigie.stores import Store

if TYPE_CHECKING:
    from vigie.alerts import Alert
    from vigie.detection import Detection


def exposure(options: Namespace) -> int:
    """Print the exposure, and write the set and its facts where they are asked for."""
    _check(options)
    with Store.open(home_of(options)) as store:
        detection, events = _detect(store, options)
        scope = _scope(options, detection)
        evidence = _evidence(detection, events, scope)
        index = _index(options, store)
        more = {"silent_hours": settings_of(options).trust.silent_hours, "reason": options.reason}
        found = expose(store, scope, evidence=evidence, index=index, **more)
        changes = _changes(store, found, options, {"evidence": evidence, "index": index} | more)
    facts = facts_of(found, options.case or "", found.write(options.out) if options.out else "")
    if options.facts:
        options.facts.write_bytes(facts.to_json())
    if options.format == "json":
        write_json(as_json(found, facts, changes))
    else:
        draw(found, facts, changes, options.evidence)
    for path in filter(None, (options.out, options.facts)):
        remark(_("written: {path}").format(path=path))
    return 0 if found.bounds[0] == found.bounds[1] else 4


def _check(options: Namespace) -> None:
    ways = [bool(options.alert), bool(options.account), bool(options.case)]
    if sum(ways) != 1:
        raise UsageError(
            N_("say what is asked about"), remedy=N_("give --alert, or --account, or --case")
        )
    if options.account and not (options.since and options.until):
        raise UsageError(N_("an account needs a period"), remedy=N_("give --from and --to"))
    if bool(options.index) != bool(options.index_mapping):
        raise UsageError(N_("an index needs its mapping"), remedy=N_("give --index-mapping"))


def _detect(store: Store, options: Namespace) -> "tuple[Detection, pa.Table]":
    """Detect as the last answer did: its evidence tells the thief from the owner."""
    from vigie.detection import COLUMNS, detect
    from vigie.events import SCHEMA

    recall(options)
    columns = [name for name in SCHEMA.names if name in {*COLUMNS, "event_id"}]
    events, care = store.events(columns), store.table("care")
    learn = day_of(options.learn_until, "--learn-until")
    found = detect(
        events, settings_of(options), learn_until=learn, care=care if care.num_rows else None
    )
    return found, events


def _scope(options: Namespace, detection: "Detection") -> Scope:
    cut = day_of(options.cut, "--since")
    boundary = Boundary(
        options.boundary, cut, tuple(options.session), options.reason, options.author
    )
    return Scope(_stretches(options, detection), boundary, options.on_behalf)


def _stretches(options: Namespace, detection: "Detection") -> tuple[Stretch, ...]:
    since, until = day_of(options.since, "--from"), day_of(options.until, "--to")
    if options.account and since and until:
        return tuple(Stretch(account, since, until) for account in options.account)
    alerts = _alerts_of_case(options) if options.case else _alerts(options.alert, detection)
    stretches = of_alerts(alerts)
    return tuple(Stretch(one.account, since or one.since, until or one.until) for one in stretches)


def _alerts(beginnings: list[str], detection: "Detection") -> "list[Alert]":
    found = []
    for beginning in beginnings:
        fitting = [alert for alert in detection.alerts if alert.id.startswith(beginning)]
        if len(fitting) != 1:
            what = (
                N_("several alerts begin with {id!r}")
                if fitting
                else N_("no alert begins with {id!r}")
            )
            remedy = N_("vigie alerts lists them, with the same --learn-until and --alarm-budget")
            raise UsageError(what, remedy=remedy, id=beginning)
        found += fitting
    return found


def _alerts_of_case(options: Namespace) -> "list[Alert]":
    """Return the alerts as they were when they joined the case: later ones change nothing."""
    import msgspec

    from vigie.alerts import Alert
    from vigie.cases.book import CaseBook

    with CaseBook.open(home_of(options), settings_of(options)) as book:
        case = book.case(options.case)
    options.case = case.id
    if not case.alerts:
        raise UsageError(
            N_("case {case} holds no alert"), case=case.id,
            remedy=N_("add one with vigie case add, or give --account, --from and --to"),
        )  # fmt: skip
    return [msgspec.convert(one.alert, Alert) for one in case.alerts]


def _evidence(detection: "Detection", events: pa.Table, scope: Scope) -> pa.Table:
    from vigie.exposure.evidence import evidence_of

    return evidence_of(detection, events, scope.accounts)


def _index(options: Namespace, store: Store) -> pa.Table | None:
    if not options.index:
        return None
    from vigie.exposure.register import read_index

    return read_index(options.index, options.index_mapping, store.keyring)


def _changes(
    store: Store, found: Exposure, options: Namespace, how: dict[str, Any]
) -> tuple[Change, ...]:
    """Return what the data classes were under the declarations of another time."""
    at = day_of(options.declared, "--declared")
    if at is None:
        return ()
    return compare(expose(store, found.scope, screens=store.table("screens", at), **how), found)
