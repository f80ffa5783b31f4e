"""What is asked of the log for a case: its alerts' accounts and periods, and what was decided.

A decision about `scope` sets the period of the account that it names, whatever the alerts cover;
one about `boundary` says where the owner ends and the thief begins. The last about each counts.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import cast, get_args

import msgspec

from vigie.alerts.watch import Alert
from vigie.cases.model import OVER, Case, Decision, Matter
from vigie.errors import UsageError
from vigie.exposure import Boundary, Scope, Stretch, of_alerts
from vigie.exposure.scope import Level
from vigie.language import N_


def scope_of(case: Case) -> Scope:
    """Return what is asked about a case; raises `UsageError` when nobody said about which account.

    The alerts count as they were when they joined: later answers of the detection change nothing.
    """
    decided = {d.value: _stretch(d) for d in case.decisions if d.matter == Matter.SCOPE}
    alerts = [msgspec.convert(joined.alert, Alert) for joined in case.alerts]
    found = [one for one in of_alerts(alerts) if one.account not in decided]
    found += decided.values()
    if not found:
        raise UsageError(
            N_("case {case} holds no alert, and no account was named"), case=case.id,
            remedy=N_("vigie case add, or vigie exposure --case with --account, --from and --to"),
        )  # fmt: skip
    return Scope(tuple(found), boundary_of(case), on_behalf=_on_behalf(case))


def has_scope(case: Case) -> bool:
    """Whether the log can be asked about this case."""
    return bool(case.alerts or case.last(Matter.SCOPE))


def others_about(case: Case, cases: Iterable[Case]) -> list[Case]:
    """Return the other open cases that ask about an account of this one at the same time.

    Their letters would reach the same persons twice.
    """
    if not has_scope(case):
        return []
    mine = scope_of(case).stretches
    return [
        other
        for other in cases
        if other.id != case.id and other.status not in OVER and has_scope(other)
        if any(_meet(one, two) for one in mine for two in scope_of(other).stretches)
    ]


def _meet(one: Stretch, two: Stretch) -> bool:
    return one.account == two.account and one.since < two.until and two.since < one.until


def scope_of_facts(case: Case) -> Scope | None:
    """Return what the facts in force count, by what they say themselves, and what the case asks.

    None when neither names an account and a period.
    """
    facts, found = case.read_facts(), list(scope_of(case).stretches) if has_scope(case) else []
    since, until = (facts.moments.get(name) for name in ("period_from", "period_until"))
    if since and until:
        period = datetime.fromisoformat(since), datetime.fromisoformat(until)
        found += [Stretch(account, *period) for account in facts.accounts]
    return Scope(tuple(found)) if found else None


def _stretch(decision: Decision) -> Stretch:
    moments = [datetime.fromisoformat(decision.details[name]) for name in ("since", "until")]
    return Stretch(decision.value, *moments)


def boundary_of(case: Case) -> Boundary:
    """Return the boundary in force; nobody having decided, the usual one."""
    last = case.last(Matter.BOUNDARY)
    if last is None:
        return Boundary()
    if last.value not in get_args(Level):
        raise UsageError(
            N_("the boundary that was decided cannot be computed: {value!r}"), where=case.id,
            remedy=N_("decide it again: certain, probable, possible or all"), value=last.value,
        )  # fmt: skip
    since, sessions = last.details.get("since"), last.details.get("sessions", "")
    return Boundary(
        cast(Level, last.value), datetime.fromisoformat(since) if since else None,
        tuple(filter(None, sessions.split("\n"))), last.reason, last.author,
    )  # fmt: skip


def _on_behalf(case: Case) -> bool:
    last = case.last(Matter.BOUNDARY)
    return last is not None and last.details.get("on_behalf") == "yes"


def details_of(boundary: Boundary, on_behalf: bool = False) -> dict[str, str]:
    """Return a boundary as a decision holds it beside its level."""
    said = {
        "since": boundary.since.isoformat() if boundary.since else "",
        "sessions": "\n".join(boundary.sessions),
        "on_behalf": "yes" if on_behalf else "",
    }
    return {name: text for name, text in said.items() if text}
