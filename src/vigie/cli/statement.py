"""`vigie statement check`: a draft against the facts, sentence by sentence."""

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigie.cli.declaring import command, family, formats
from vigie.language import N_, _

if TYPE_CHECKING:
    from vigie.facts import Facts
    from vigie.statements import Finding, Problem

FOUND = 4


def declare(commands: Any, name: str, common: Any) -> None:
    """Declare `vigie statement` and its commands."""
    inner = family(commands, name, _("check what is about to be published against the facts"))
    summary = _("refuse what the facts do not carry, and say what may be written instead")
    parser = command(inner, "check", common, summary, "statement:check_draft")
    parser.add_argument(
        "draft",
        type=Path,
        metavar=_("FILE"),
        help=_("a text in French or English (- reads standard input)"),
    )
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument(
        "--facts",
        type=Path,
        metavar=_("FILE"),
        help=_("facts, as vigie exposure --facts wrote them"),
    )
    given.add_argument("--case", metavar=_("CASE"), help=_("the facts of this case"))
    formats(parser, "table", "json")
    _declare_scan(inner, common)


def _declare_scan(inner: Any, common: Any) -> None:
    summary = _("search the free text that a screen shows for words of sensitive data")
    parser = command(inner, "scan", common, summary, "statement_scan:scan_text")
    parser.add_argument(
        "file", type=Path, metavar=_("FILE"), help=_("the texts: CSV with a header, or Parquet")
    )
    parser.add_argument(
        "--column", action="append", required=True, metavar=_("COLUMN"),
        help=_("the column of the texts; may be repeated"),
    )  # fmt: skip
    parser.add_argument(
        "--encoding", choices=("utf-8", "latin-1", "utf-16"), default="utf-8",
        help=_("how the CSV file is written (default: utf-8)"),
    )  # fmt: skip
    parser.add_argument(
        "--case", metavar=_("CASE"), help=_("record it in this case (with what follows)")
    )
    parser.add_argument("--source", metavar=_("SOURCE"), help=_("source whose screen shows it"))
    parser.add_argument("--screen", metavar=_("SCREEN"), help=_("screen that shows it"))
    parser.add_argument(
        "--author", default="", metavar=_("NAME"),
        help=_("who vouches that the file holds all that the screen showed (default: you)"),
    )  # fmt: skip
    parser.add_argument("--reason", default="", metavar=_("TEXT"), help=_("why (journal)"))
    formats(parser, "table", "json")


def check_draft(options: Namespace) -> int:
    """Print the verdict on every sentence; 4 when one is refused or unverified."""
    from vigie.cli.terminal import home_of, write_json
    from vigie.statements import check

    facts, sha256 = _facts(options)
    findings = check(_read(options.draft), facts, home_of(options))
    if options.format == "json":
        write_json(as_json(findings, facts.case, sha256))
    else:
        _draw(findings)
    return FOUND if any(f.verdict in ("refused", "unverified") for f in findings) else 0


def _facts(options: Namespace) -> "tuple[Facts, str]":
    """Return the facts to check against, and the hash of the set that they are."""
    if options.facts:
        from vigie.facts import load_facts

        found = load_facts(options.facts)
        return found, found.sha256
    from vigie.cli.book import find_case
    from vigie.facts import stamp

    case = find_case(options)
    found = case.read_facts()
    moments = {name: stamp(at) for name, at in case.moments.at.items()}
    return found.with_facts(moments=moments), found.sha256


def _read(path: Path) -> str:
    from vigie.errors import ReadingError, reason_of

    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text("utf-8-sig")
    except OSError as error:
        raise ReadingError(
            N_("the draft cannot be read ({reason})"), where=str(path),
            remedy=N_("check its name and your rights on it"), reason=reason_of(error),
        ) from None  # fmt: skip
    except UnicodeDecodeError:
        raise ReadingError(
            N_("the draft is not text in UTF-8"), where=str(path),
            remedy=N_("save it as plain text, in UTF-8"),
        ) from None  # fmt: skip


def as_json(findings: "list[Finding]", case: str, facts_sha256: str) -> dict[str, Any]:
    """Return the verdicts as `docs/statements.md` documents them."""
    return {
        "version": 1,
        "facts_sha256": facts_sha256,
        "case": case,
        "sentences": [
            {
                "sentence": one.sentence,
                "language": one.language or None,
                "verdict": one.verdict,
                "problems": [{"code": p.code, "said": say_problem(p)} for p in one.problems],
                "facts": list(one.facts),
                "instead": one.instead,
            }
            for one in findings
        ],
    }


def say_problem(problem: "Problem") -> str:
    """Return a problem as one clause of the current language."""
    from vigie.language import number

    more = ", ".join(_(part) for part in problem.more) or "–"
    fields = {"words": problem.words, "value": number(problem.value), "more": more}
    return _(problem.what).format_map(fields)


def _draw(findings: "list[Finding]") -> None:
    from vigie.cli.terminal import say
    from vigie.language import labelled, number, plural
    from vigie.statements.checking import VERDICTS

    for one in findings:
        if one.verdict == "no_claim":
            continue
        say(f"{_(VERDICTS[one.verdict]).upper()}  {one.sentence}")
        for problem in one.problems:
            say(f"    {say_problem(problem)}")
        if one.instead:
            say("    " + _("may be written instead: {text}").format(text=one.instead))
    counts = {name: sum(f.verdict == name for f in findings) for name in VERDICTS}
    say()
    said = [labelled(_(VERDICTS[name]), number(count)) for name, count in counts.items()]
    total = plural("{count} sentence", "{count} sentences", len(findings))
    say(f"{total.format(count=number(len(findings)))} ({', '.join(said)})")
    say(_languages(findings))


_LANGUAGES = {"fr": N_("French"), "en": N_("English"), "": N_("another language, not read")}


def _languages(findings: "list[Finding]") -> str:
    """Say by the rules of which language the sentences were read, as each was taken for."""
    from vigie.language import labelled, number

    counts = {name: sum(f.language == name for f in findings) for name in _LANGUAGES}
    said = [labelled(_(_LANGUAGES[name]), number(count)) for name, count in counts.items() if count]
    return labelled(_("read as"), ", ".join(said) or "–")
