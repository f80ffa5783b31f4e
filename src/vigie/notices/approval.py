"""Who asked for a notice, who approved it, and whether what they approved is still so.

One person asks, another approves (`vigie.cases.rules` holds it, and the journal both). When
what it tells of the case changes afterwards the notice is stale, and says what changed.
"""

from typing import Final

import msgspec

from vigie.cases.differences import Change, in_short
from vigie.cases.grounds import changes
from vigie.cases.model import Case, Decision, Matter
from vigie.errors import RefusedError
from vigie.language import N_

NAMES: Final = (
    "cnil", "cert_sante", "ars", "anssi", "complaint", "register", "press", "advice",
    "professionals", "controllers", "letters",
)  # fmt: skip
"""The notices of a case. The last two bear names of patients."""
NAMED: Final = ("controllers", "letters")


class Standing(msgspec.Struct, frozen=True):
    """Where one notice stands: `none`, `asked`, `approved`, `refused` or `stale`."""

    notice: str
    state: str
    asked: Decision | None = None
    answered: Decision | None = None
    changes: tuple[Change, ...] = ()


def standing(case: Case, notice: str) -> Standing:
    """Return where the notice stands, and what changed since it was asked for."""
    asked = case.last(Matter.NOTICE_ASKED, notice)
    if asked is None:
        return Standing(notice, "none")
    answers = [case.last(m, notice) for m in (Matter.NOTICE_APPROVED, Matter.NOTICE_REFUSED)]
    later = [a for a in answers if a is not None and a.number > asked.number]
    answered = max(later, key=lambda a: a.number, default=None)
    state = "asked"
    if answered is not None:
        state = "approved" if answered.matter == Matter.NOTICE_APPROVED else "refused"
    if changed := changes(case, asked):
        return Standing(notice, "stale", asked, answered, changed)
    return Standing(notice, state, asked, answered)


def require_approved(case: Case, notice: str) -> Decision:
    """Return the approval in force, or raise `RefusedError` saying what is missing or changed."""
    found = standing(case, notice)
    if found.state == "approved" and found.answered is not None:
        return found.answered
    if found.state == "stale":
        raise RefusedError(
            N_("{notice} is stale: what it says changed since it was asked for ({changes})"),
            where=case.id, remedy=N_("ask for it again, and have it approved"), notice=notice,
            changes=in_short(found.changes),
        )  # fmt: skip
    raise RefusedError(
        N_("{notice} was not approved"), where=case.id, notice=notice,
        remedy=N_("one person asks (vigie notice prepare), another approves"),
    )  # fmt: skip
