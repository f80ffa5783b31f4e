"""What a record must be to join a case: allowed transitions, reasons, two people, no names."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final

import msgspec

from vigie import journal
from vigie.cases.differences import in_short
from vigie.cases.grounds import changes
from vigie.cases.model import (
    NOT_INFORMED,
    NOT_NOTIFIED,
    TRANSITIONS,
    Case,
    Decision,
    Event,
    Kind,
    Matter,
    Opening,
    Record,
    Status,
    TextScanned,
)
from vigie.clocks.engine import read_clocks
from vigie.clocks.moments import shown
from vigie.clocks.rules import Rule
from vigie.errors import RefusedError, UsageError
from vigie.identifiers import without_nir
from vigie.language import N_

ROLES: Final = ("controller", "joint_controller", "processor")
EXEMPTIONS: Final = ("no_high_risk", "unintelligible", "later_measures", "disproportionate")
"""Why persons are not informed: no high risk (34(1)), or 34(3)(a), (b) or (c): alternatives."""
LEVELS: Final = ("negligible", "limited", "significant", "maximal")
"""The CNIL's levels of severity, from the lowest."""
CAUSES: Final = (
    "external_malicious", "external_accidental", "internal_malicious", "internal_accidental",
    "other", "unknown",
)  # fmt: skip
"""The CNIL's causes, as `legal/cnil.toml` names them."""
BOUNDARIES: Final = ("certain", "told_apart", "probable", "possible", "all")
"""What counts as exposed, as `vigie.exposure` names it."""
_TELLING: Final = (
    Kind.CNIL_NOTIFIED, Kind.CNIL_COMPLETED, Kind.CONTROLLERS_INFORMED, Kind.PERSONS_INFORMED,
)  # fmt: skip
"""What articles 33 and 34 ask for, which begins with awareness."""
VALUES: Final = {
    Matter.STATE: tuple(map(str, Status)),
    Matter.AWARENESS: ("aware",),
    Matter.AUTHORITY: ("notify", NOT_NOTIFIED),
    Matter.PERSONS: ("inform", NOT_INFORMED, "undecided"),
    Matter.SEVERITY: LEVELS,
    Matter.CAUSE: CAUSES,
    Matter.BOUNDARY: BOUNDARIES,
}
"""What a decision about each matter may say; a matter that is not here takes any text."""


def check(case: Case | None, record: Record, now: datetime) -> None:
    """Raise unless `record` may follow what `case` holds (None: it is to be the first).

    Raises `UsageError` for what is wrongly put, `RefusedError` for what a rule does not allow.
    """
    for text in _texts(msgspec.to_builtins(record)):
        if without_nir(text) != text:
            raise RefusedError(
                N_("this text holds what reads as a social-security number"),
                remedy=N_("write it without: a case names no patient"),
            )
    if isinstance(record, TextScanned):
        journal.require_reason(record.reason)
    if isinstance(record, Opening):
        _one_of(record.role, ROLES, "--role")
        journal.require_reason(record.reason)
    if isinstance(record, Event | Decision) and record.at > now:
        raise UsageError(
            N_("this moment has not come yet"),
            remedy=N_("write when it was, with its offset if in doubt: 2026-03-01T14:00+01:00"),
        )
    if isinstance(record, Event) and case is not None:
        _after_awareness(case, record)
        _around_the_accesses(case, record)
    if isinstance(record, Decision) and case is not None:
        journal.require_reason(record.reason)
        _one_of(record.value, VALUES.get(record.matter, (record.value,)), record.matter.value)
        _RULES.get(record.matter, _anything)(case, record)


def _after_awareness(case: Case, event: Event) -> None:
    """Nobody tells of a breach before being aware of it: a slip of the pen would look in time."""
    if event.kind in _TELLING and case.awareness and event.at < case.awareness.at:
        raise RefusedError(
            N_("this moment lies before awareness, {aware}: nobody tells of what he does not know"),
            where=case.id,
            remedy=N_("write when it was, or decide awareness anew with its true moment"),
            aware=shown(case.awareness.at, case.zone),
        )


def _around_the_accesses(case: Case, event: Event) -> None:
    """A breach begins before the accesses that the facts count, and ends after them.

    Else the file would say that it ended before the letters say that data were read.
    """
    first, last = (case.counted(name) for name in ("first_access", "last_access"))
    if event.kind == Kind.BREACH_BEGAN and first and event.at > first:
        raise RefusedError(
            N_("the breach began earlier: the facts count accesses from {first} on"),
            where=case.id, first=shown(first, case.zone),
            remedy=N_("write when it was; or ask of the log from then on only (decide scope)"),
        )  # fmt: skip
    if event.kind == Kind.BREACH_ENDED and last and event.at < last:
        raise RefusedError(
            N_("the breach ended later: the facts count accesses until {last}"),
            where=case.id, last=shown(last, case.zone),
            remedy=N_("write when it was; or ask of the log until then only (decide scope)"),
        )  # fmt: skip


def check_delay(case: Case, event: Event, rules: Iterable[Rule]) -> None:
    """Raise `RefusedError` for a notification past its term without the reasons for the delay.

    Source: GDPR, article 33(1), second sentence.
    """
    if event.kind != Kind.CNIL_NOTIFIED or event.late_because.strip():
        return
    for state in read_clocks(case.moments, rules, event.at):
        if state.binding and state.done == event.kind and state.due and state.due < event.at:
            raise RefusedError(
                N_("this notification is past its term, {due}: it carries the reasons for it"),
                where=case.id,
                remedy=N_("say them with --late-because (GDPR art. 33(1))"),
                due=shown(state.due, case.zone),
            )


def _texts(value: object) -> Iterator[str]:
    """Yield what people wrote; an alert and facts come from the program."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            if name not in ("alert", "content", "sha256", "facts", "written_in"):
                yield from _texts(part)


def _one_of(value: str, allowed: tuple[str, ...], where: str) -> None:
    if value not in allowed:
        raise UsageError(
            N_("{value!r} is not one of: {allowed}"),
            where=where,
            value=value,
            allowed=", ".join(allowed),
        )


def _anything(case: Case, decision: Decision) -> None:
    pass


def _state(case: Case, decision: Decision) -> None:
    asked = Status(decision.value)
    if asked == Status.ESTABLISHED and case.awareness is None:
        raise RefusedError(
            N_("a breach is established by becoming aware of it, which nobody has decided"),
            where=case.id,
            remedy=N_("decide awareness, with its moment and the reason"),
        )
    if asked not in TRANSITIONS[case.status]:
        raise RefusedError(
            N_("a case that is {status} cannot become {asked}; it can become: {allowed}"),
            where=case.id,
            status=case.status.value,
            asked=asked.value,
            allowed=", ".join(TRANSITIONS[case.status]),
        )
    if asked == Status.CLOSED:
        _nothing_open(case)


def _nothing_open(case: Case) -> None:
    """Refuse to close while a duty is neither done nor, with its reason, put aside."""
    missing = list(_open_duties(case))
    if missing:
        raise RefusedError(
            missing[0],
            where=case.id,
            remedy=N_("note when it was done, or decide that it is not to be, and why"),
        )


def _open_duties(case: Case) -> Iterator[str]:
    done = case.moments.at
    if case.role == "processor":
        if Kind.CONTROLLERS_INFORMED not in done:
            yield N_("the controllers were not informed (art. 33(2))")
        return
    if Kind.CNIL_NOTIFIED not in done and NOT_NOTIFIED not in done:
        yield N_("the authority was neither notified nor decided against (art. 33)")
    if Kind.PERSONS_INFORMED not in done and NOT_INFORMED not in done:
        yield N_("the persons were neither informed nor decided against (art. 34)")


def _awareness(case: Case, decision: Decision) -> None:
    if case.status in (Status.CLOSED, Status.DISMISSED):
        raise RefusedError(
            N_("the case is {status}: awareness can no longer be decided"),
            where=case.id,
            remedy=N_("open it again first: state investigating"),
            status=case.status.value,
        )
    began = case.first(Kind.BREACH_BEGAN) or case.counted("first_access")
    if began and decision.at < began:
        raise RefusedError(
            N_("nobody is aware of a breach before it began, {began}"), where=case.id,
            began=shown(began, case.zone),
            remedy=N_("write when it was; if it began earlier than the log tells, note that first: "
                      "vigie case note {case} --kind breach_began --at …"), case=case.id,
        )  # fmt: skip


def _persons(case: Case, decision: Decision) -> None:
    if decision.value == NOT_INFORMED:
        _one_of(decision.details.get("exemption", ""), EXEMPTIONS, "--exemption")


def _scope(case: Case, decision: Decision) -> None:
    """An account is asked about from one moment to a later one."""
    said = [decision.details.get(name, "") for name in ("since", "until")]
    if not decision.value or not all(said):
        raise UsageError(
            N_("an account needs a period"), where=case.id, remedy=N_("give --from and --to")
        )
    since, until = map(datetime.fromisoformat, said)
    if since >= until:
        raise UsageError(
            N_("the period ends before it begins"), where=decision.value,
            remedy=N_("give --from a time before --to"),
        )  # fmt: skip


def _approved(case: Case, decision: Decision) -> None:
    """One person asks, another approves, and both mean the same facts."""
    asked = case.last(Matter.NOTICE_ASKED, decision.value)
    if asked is None:
        raise RefusedError(
            N_("nobody asked for {notice}"), where=case.id,
            remedy=N_("one person asks, another approves"), notice=decision.value,
        )  # fmt: skip
    if {asked.author, asked.recorded_by} & {decision.author, decision.recorded_by}:
        raise RefusedError(
            N_("{who} asked for {notice}, and cannot approve it too"), where=case.id,
            remedy=N_("another person approves, under their own user"),
            who=asked.author, notice=decision.value,
        )  # fmt: skip
    if found := changes(case, asked):
        raise RefusedError(
            N_("what {notice} says changed since it was asked for ({changes})"), where=case.id,
            remedy=N_("look at what changed, and ask again"), notice=decision.value,
            changes=in_short(found),
        )  # fmt: skip


_RULES: Final[dict[Matter, Callable[[Case, Decision], None]]] = {
    Matter.STATE: _state,
    Matter.AWARENESS: _awareness,
    Matter.PERSONS: _persons,
    Matter.SCOPE: _scope,
    Matter.NOTICE_APPROVED: _approved,
}
