"""What clocks say, as people read it."""

from typing import Final

from vigie.clocks.model import Progress
from vigie.language import N_, _

PROGRESS: Final = {
    Progress.WAITING: N_("not started"),
    Progress.RUNNING: N_("running"),
    Progress.OPEN: N_("to be done without delay"),
    Progress.OVERDUE: N_("OVERDUE"),
    Progress.MET: N_("done in time"),
    Progress.LATE: N_("done late"),
    Progress.WAIVED: N_("decided against"),
}
"""Each state of a clock, to be translated."""


def cited(article: str) -> str:
    """Return an article as the reader's language names its law.

    >>> cited("RGPD art. 33(1)")
    'GDPR art. 33(1)'
    """
    return article.replace("RGPD", _("GDPR")).replace("(UE)", _("(EU)"))
