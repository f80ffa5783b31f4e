"""`vigie demo`: a third-party-payment portal under attack, from its logs to what to look at."""

import shutil
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from vigie.cases.looks import tell_signals
from vigie.cli.alerts_shown import draw, gravest
from vigie.cli.detecting import detect_stored, remember
from vigie.cli.importing import read_paths, summarise
from vigie.cli.simulate import describe
from vigie.cli.terminal import draw_table, home_of, say
from vigie.errors import UsageError
from vigie.language import N_, _, number

if TYPE_CHECKING:
    from vigie.detection import Detection

PRESET, SCALE, DAYS = "third-party-payment", 0.25, 50
BUDGET = 5.0  # the portal has 750 accounts, not a region of 10,000
FAMILIES = {
    "fast_sweep": N_("fast sweep"), "working_hours_sweep": N_("sweep in working hours"),
    "low_and_slow": N_("slow sweep"), "enumeration": N_("walk along the numbers"),
    "name_sweep": N_("walk along the names"), "own_panel": N_("the account's own patients"),
    "rights_check_sweep": N_("rights checks"), "export": N_("export"),
    "several_accounts": N_("several accounts"),
}  # fmt: skip
_MARK = ".vigie-demo"


def demo(options: Namespace) -> int:
    """Run the command; 0 whatever the alerts, since they are meant to be there."""
    from vigie.report import Looked, write
    from vigie.simulate.output import write_world
    from vigie.simulate.presets import simulate

    out = (options.out or Path("demo")).resolve()
    _make_room(out)
    title = _("1. A third-party-payment portal of invented staff and patients, with {count} thefts")
    say(title.format(count=number(len(FAMILIES))))
    describe(
        write_world(simulate(PRESET, SCALE, options.seed, DAYS, dict.fromkeys(FAMILIES, 1)), out)
    )
    say()
    say(
        _("2. vigie scan --alarm-budget {budget} reads its logs and finds").format(
            budget=number(BUDGET)
        )
    )
    _point_at(options, out)
    summarise(read_paths(options))
    answer = detect_stored(options)
    remember(options, answer)
    tell_signals(home_of(options), [alert.id for alert in answer.detection.alerts], "vigie demo")
    draw(answer)
    say()
    say(_("3. The truth, which the detection has not seen"))
    judge(answer.detection, out / "truth")
    say()
    report = out / _("report.html")
    write(report, answer.detection, Looked(answer.events, answer.quarantined))
    _say_what_to_look_at(options, answer.detection, report)
    return 0


def _make_room(out: Path) -> None:
    """Empty a directory that an earlier demo made; refuse any other that holds something."""
    if out.exists() and any(out.iterdir()) and not (out / _MARK).exists():
        raise UsageError(
            N_("the directory holds something that no demo made"),
            where=str(out),
            remedy=N_("name another one with --out"),
        )
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    (out / _MARK).touch()


def _point_at(options: Namespace, out: Path) -> None:
    """Give the commands inside the demo what a user would type: its own home, its own logs."""
    options.home = out / "home"
    options.paths, options.mapping = [out / "logs"], [out]
    options.alarm_budget, options.learn_until = BUDGET, None


def judge(found: "Detection", truth: Path) -> None:
    """Hold the alerts against the ground truth: found is cited by a line of the thief."""
    import msgspec
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    rows = pq.read_table(truth / "events.parquet", columns=["file", "line", "attack"])
    rows = rows.filter(pc.greater_equal(rows.column("attack"), 0))
    thefts = msgspec.json.decode((truth / "attacks.json").read_bytes())
    owner = {
        f"{file}:{line}": attack
        for file, line, attack in zip(*(column.to_pylist() for column in rows.columns), strict=True)
    }
    alert_of: dict[int, str] = {}
    false = 0
    for alert in found.alerts:
        stolen = {owner[line] for line in alert.lines if line in owner}
        false += not stolen
        for attack in stolen:
            alert_of.setdefault(attack, alert.id)
    header = (
        _("theft"), _("account"), _("patients named"), _("records returned"), _("alert"),
    )  # fmt: skip
    draw_table(
        header,
        [
            (
                _kind(theft), ", ".join(theft["accounts"][:3]),
                number(theft["patients"]), number(theft["records"]),
                alert_of.get(theft["attack"], _("not found")),
            )
            for theft in thefts
        ],
    )  # fmt: skip
    say(
        _("{found} of {count} thefts found; {false} alerts on nobody's theft.").format(
            found=number(len(alert_of)), count=number(len(thefts)), false=number(false)
        )
    )


def _kind(theft: dict[str, str]) -> str:
    name = FAMILIES[theft["family"]]
    return _(name)


def _say_what_to_look_at(options: Namespace, found: "Detection", report: Path) -> None:
    home = _shown(options.home)
    say(_("What to look at:"))
    if found.alerts:
        first = gravest(found.alerts)
        command = f"vigie explain {first.id} --home {home}"
        say("  " + command + "   " + _("why the gravest alert was raised"))
        command = f"vigie events --account {first.account} --home {home}"
        say("  " + command + "   " + _("what that account did; patients are pseudonyms"))
    say(f"  vigie verify --home {home}   " + _("that nothing in the store was changed"))
    say(
        "  "
        + _("{path}: the logs, and the truth beside them").format(path=_shown(options.home.parent))
    )
    text = _("{path}: the report, for those who would rather look than read")
    say("  " + text.format(path=_shown(report)))


def _shown(path: Path) -> str:
    """Return the path as one would type it from here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
