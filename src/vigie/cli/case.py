"""`vigie case` and its commands, declared; `case_actions` runs them."""

from pathlib import Path
from typing import Any, Final

from vigie.cli.declaring import boundary, command, family, formats
from vigie.language import _

ROLES: Final = ("controller", "joint_controller", "processor")
MATTERS: Final = (
    "state", "awareness", "authority", "persons", "severity", "cause", "scope", "boundary",
)  # fmt: skip
EXEMPTIONS: Final = ("no_high_risk", "unintelligible", "later_measures", "disproportionate")
KINDS: Final = (
    "note", "measure", "investigation_opened", "processor_informed", "attack_known",
    "breach_began", "breach_ended", "cnil_notified", "cnil_completed", "controllers_informed",
    "cert_sante_reported", "ars_reported", "anssi_reported", "complaint_filed",
    "persons_informed", "nis2_warned", "nis2_notified", "nis2_reported", "first_signal",
    "first_viewing",
)  # fmt: skip
FILINGS: Final = ("cnil", "cert_sante", "ars", "anssi", "complaint", "register")
"""The words of the options stand here again, so that the help needs no library; a test compares."""


def declare(commands: Any, name: str, common: Any) -> None:
    """Declare `vigie case` and its commands."""
    inner = family(commands, name, _("keep cases: alerts, time line, decisions and their reasons"))
    _declare_open(inner, common)
    _declare_add(inner, common)
    _declare_list(inner, common)
    _declare_show(inner, common)
    _declare_note(inner, common)
    _declare_decide(inner, common)
    _declare_close(inner, common)
    _declare_facts(inner, common)
    _declare_refresh(inner, common)
    _declare_severity(inner, common)
    _declare_filing(inner, common)
    _declare_register(inner, common)


def _case(parser: Any) -> None:
    parser.add_argument("case", metavar=_("CASE"), help=_("its number, or its beginning"))


def _author(parser: Any) -> None:
    parser.add_argument(
        "--author", default="", metavar=_("NAME"), help=_("who says so (default: you)")
    )


def _reason(parser: Any) -> None:
    parser.add_argument(
        "--reason", required=True, metavar=_("TEXT"), help=_("why (journal)")
    )  # fmt: skip


def _at(parser: Any) -> None:
    parser.add_argument(
        "--at",
        metavar=_("TIME"),
        help=_("when it was, in the time zone of the case (default: now)"),
    )


def _declare_open(inner: Any, common: Any) -> None:
    summary = _("open a case from alerts, or from what somebody told")
    parser = command(inner, "open", common, summary, "case_actions:open_case")
    parser.add_argument(
        "alerts", nargs="*", metavar=_("ALERT"), help=_("identifiers, or their beginnings")
    )
    parser.add_argument("--title", default="", metavar=_("TEXT"), help=_("what to call it"))
    parser.add_argument(
        "--role",
        choices=ROLES,
        default=ROLES[0],
        help=_("what you are for these data (default: controller)"),
    )
    parser.add_argument(
        "--zone",
        default="Europe/Paris",
        metavar=_("NAME"),
        help=_("time zone in which you count (default: Europe/Paris)"),
    )
    _author(parser)
    _reason(parser)
    parser.set_defaults(alarm_budget=None, learn_until=None)


def _declare_add(inner: Any, common: Any) -> None:
    summary = _("join more alerts to a case")
    parser = command(inner, "add", common, summary, "case_actions:add")
    _case(parser)
    parser.add_argument(
        "alerts", nargs="+", metavar=_("ALERT"), help=_("identifiers, or their beginnings")
    )
    _author(parser)
    _reason(parser)
    parser.set_defaults(alarm_budget=None, learn_until=None)


def _declare_list(inner: Any, common: Any) -> None:
    summary = _("list the cases")
    formats(command(inner, "list", common, summary, "case_actions:list_cases"), "table", "json")


def _declare_show(inner: Any, common: Any) -> None:
    summary = _("show a case whole: alerts, time line, decisions, facts")
    parser = command(inner, "show", common, summary, "case_actions:show")
    _case(parser)
    formats(parser, "table", "json")


def _declare_note(inner: Any, common: Any) -> None:
    summary = _("put what happened on the time line: a measure, a notification, a complaint")
    parser = command(inner, "note", common, summary, "case_actions:note")
    _case(parser)
    parser.add_argument("text", metavar=_("TEXT"), help=_("what happened, in your words"))
    parser.add_argument("--kind", choices=KINDS, default=KINDS[0], help=_("what it was"))
    _at(parser)
    parser.add_argument(
        "--reference", default="", metavar=_("TEXT"), help=_("number that the recipient gave")
    )
    parser.add_argument(
        "--late-because", default="", metavar=_("TEXT"), help=_("why it is late (art. 33(1))")
    )
    _author(parser)


def _declare_decide(inner: Any, common: Any) -> None:
    summary = _("record a decision with its reason; a later one supersedes it, both stay")
    parser = command(inner, "decide", common, summary, "case_actions:decide")
    _case(parser)
    parser.add_argument("matter", choices=MATTERS, metavar=_("MATTER"), help=", ".join(MATTERS))
    parser.add_argument(
        "value",
        nargs="?",
        default="aware",
        metavar=_("VALUE"),
        help=_(
            "state: investigating, contained… authority: notify, not_notified; persons: inform, "
            "not_informed, undecided; severity: negligible, limited, significant, maximal; "
            "cause: external_malicious, internal_malicious…; "
            "scope: an account, with --from and --to; boundary: certain, probable, possible, all; "
            "awareness: none, its moment is --at"
        ),
    )
    _at(parser)
    _declare_scope(parser)
    parser.add_argument(
        "--exemption", choices=EXEMPTIONS, help=_("why persons are not informed (art. 34)")
    )
    _author(parser)
    _reason(parser)


def _declare_scope(parser: Any) -> None:
    group = parser.add_argument_group(_("for scope and boundary: the facts are computed anew"))
    group.add_argument("--from", dest="since", metavar=_("TIME"), help=_("from then on (UTC)"))
    group.add_argument("--to", dest="until", metavar=_("TIME"), help=_("until then (UTC)"))
    boundary(group)
    group.add_argument(
        "--on-behalf", action="store_true",
        help=_("count what services did on behalf of the account as well"),
    )  # fmt: skip
    parser.set_defaults(alarm_budget=None, learn_until=None)


def _declare_close(inner: Any, common: Any) -> None:
    summary = _("close a case whose duties are done, or put aside with a reason")
    parser = command(inner, "close", common, summary, "case_actions:close")
    _case(parser)
    _author(parser)
    _reason(parser)


def _declare_facts(inner: Any, common: Any) -> None:
    summary = _("set the facts of a case from a file, in place of those that were computed")
    parser = command(inner, "facts", common, summary, "case_actions:facts")
    _case(parser)
    parser.add_argument("file", type=Path, metavar=_("FILE"), help=_("facts (JSON)"))
    _author(parser)
    _reason(parser)


def _declare_refresh(inner: Any, common: Any) -> None:
    summary = _("compute the facts of open cases anew, and say what changed")
    parser = command(inner, "refresh", common, summary, "case_exposure:refresh")
    parser.add_argument(
        "cases", nargs="*", metavar=_("CASE"), help=_("their numbers (default: all open cases)")
    )
    parser.set_defaults(alarm_budget=None, learn_until=None, reason="", author="")


def _declare_severity(inner: Any, common: Any) -> None:
    summary = _("score the severity by ENISA's method, with its inputs; you decide the level")
    parser = command(inner, "severity", common, summary, "case_filings:severity")
    _case(parser)
    parser.add_argument(
        "--identification",
        choices=("negligible", "limited", "significant", "maximal"),
        default="",
        help=_("how easily the persons are recognised (default: by the classes of data)"),
    )
    parser.add_argument(
        "--known-recipients",
        action="store_true",
        help=_("those who have the data now are known (default: they are not)"),
    )
    parser.add_argument(
        "--not-malicious", action="store_true", help=_("nobody meant harm (default: malicious)")
    )
    parser.add_argument(
        "--specialised",
        action="store_true",
        help=_("being known to your establishment tells of a condition"),
    )
    parser.add_argument(
        "--unintelligible", action="store_true", help=_("the data cannot be read by who has them")
    )
    formats(parser, "table", "json")


def _declare_filing(inner: Any, common: Any) -> None:
    summary = _("say what goes to an addressee, field by field, with what is not known yet")
    parser = command(inner, "filing", common, summary, "case_filings:filing")
    _case(parser)
    parser.add_argument("kind", choices=FILINGS, metavar=_("ADDRESSEE"), help=", ".join(FILINGS))
    formats(parser, "table", "json")


def _declare_register(inner: Any, common: Any) -> None:
    summary = _("print the register of breaches (art. 33(5)): each one, notified or not, and why")
    parser = command(inner, "register", common, summary, "case_filings:register")
    formats(parser, "csv", "json")
