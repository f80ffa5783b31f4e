"""What data classes and ways of access are called in what a person reads."""

from typing import Final

from vigie.language import N_

CLASS_NAMES: Final = {
    "identity": N_("identity"),
    "nir": N_("social-security number"),
    "contact": N_("contact details"),
    "coverage": N_("health cover"),
    "bank": N_("bank details"),
    "appointments": N_("appointments"),
    "medical": N_("medical data"),
    "prescription": N_("prescriptions"),
    "notes": N_("free-text notes"),
    "unknown": N_("data not determined"),
}
"""Each of `records.DATA_CLASSES`; the longer words of letters are dated data (legal/advice)."""
HOW_NAMES: Final = {
    "listed": N_("listed"),
    "opened": N_("opened"),
    "exported": N_("exported"),
    "reachable": N_("reachable"),
}
"""Each of `exposure.HOWS`."""
