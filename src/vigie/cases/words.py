"""The words of a case as people read them: each is a text to translate."""

from typing import Final

from vigie.cases.model import Kind, Matter, Status
from vigie.language import N_

STATUSES: Final = {
    Status.SUSPECTED: N_("suspected"),
    Status.INVESTIGATING: N_("under investigation"),
    Status.ESTABLISHED: N_("established"),
    Status.CONTAINED: N_("contained"),
    Status.CLOSED: N_("closed"),
    Status.DISMISSED: N_("dismissed"),
}
KINDS: Final = {
    Kind.FIRST_SIGNAL: N_("first signal"),
    Kind.FIRST_VIEWING: N_("first viewing"),
    Kind.INVESTIGATION_OPENED: N_("investigation opened"),
    Kind.PROCESSOR_INFORMED: N_("told by the processor"),
    Kind.ATTACK_KNOWN: N_("attack known"),
    Kind.BREACH_BEGAN: N_("breach began"),
    Kind.BREACH_ENDED: N_("breach ended"),
    Kind.CNIL_NOTIFIED: N_("CNIL notified"),
    Kind.CNIL_COMPLETED: N_("CNIL, complement"),
    Kind.CONTROLLERS_INFORMED: N_("controllers informed"),
    Kind.CERT_SANTE_REPORTED: N_("reported to CERT Santé"),
    Kind.ARS_REPORTED: N_("reported to the ARS"),
    Kind.ANSSI_REPORTED: N_("reported to ANSSI"),
    Kind.NIS2_WARNED: N_("NIS 2, early warning"),
    Kind.NIS2_NOTIFIED: N_("NIS 2, notification"),
    Kind.NIS2_REPORTED: N_("NIS 2, final report"),
    Kind.COMPLAINT_FILED: N_("complaint filed"),
    Kind.PERSONS_INFORMED: N_("persons informed"),
    Kind.MEASURE: N_("measure"),
    Kind.NOTE: N_("note"),
}
MATTERS: Final = {
    Matter.STATE: N_("state"),
    Matter.AWARENESS: N_("awareness"),
    Matter.AUTHORITY: N_("authority (art. 33)"),
    Matter.PERSONS: N_("persons (art. 34)"),
    Matter.SEVERITY: N_("severity"),
    Matter.CAUSE: N_("cause"),
    Matter.SCOPE: N_("account and period"),
    Matter.BOUNDARY: N_("boundary"),
    Matter.NOTICE_ASKED: N_("notice asked for"),
    Matter.NOTICE_APPROVED: N_("notice approved"),
    Matter.NOTICE_REFUSED: N_("notice refused"),
}
VALUES: Final = {
    "aware": N_("aware"),
    "notify": N_("notify"),
    "not_notified": N_("not notified"),
    "inform": N_("inform"),
    "not_informed": N_("not informed"),
    "undecided": N_("undecided"),
    "negligible": N_("negligible"),
    "limited": N_("limited"),
    "significant": N_("significant"),
    "maximal": N_("maximal"),
    "external_malicious": N_("malicious act from outside"),
    "external_accidental": N_("accident from outside"),
    "internal_malicious": N_("malicious act from inside"),
    "internal_accidental": N_("accident from inside"),
    "other": N_("other"),
    "unknown": N_("unknown"),
}
EXEMPTIONS: Final = {
    "no_high_risk": N_("no high risk (art. 34(1))"),
    "unintelligible": N_("unintelligible data (art. 34(3)(a))"),
    "later_measures": N_("later measures (art. 34(3)(b))"),
    "disproportionate": N_("disproportionate effort, public communication (art. 34(3)(c))"),
}
