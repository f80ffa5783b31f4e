"""`vigie indicators`: what operators may tell each other of a theft, as keyed hashes."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigie.cli.codes import ALERTS, NOTHING
from vigie.cli.declaring import command, family, formats
from vigie.errors import UsageError
from vigie.language import N_, _, number, plural

if TYPE_CHECKING:
    import pyarrow as pa

    from vigie.alerts.indicators import Bundle, Match


def declare(commands: Any, name: str, common: Any) -> None:
    """Declare `vigie indicators export`, `import` and `match`."""
    inner = family(commands, name, _("tell other operators of a theft, as keyed hashes"))
    summary = _("write the hashes of networks, devices and queries of alerts")
    export = command(inner, "export", common, summary, "indicators:export")
    export.add_argument(
        "alerts", nargs="+", metavar=_("ALERT"), help=_("its identifier, or its beginning")
    )
    export.add_argument("--out", type=Path, required=True, metavar=_("FILE"), help=_("JSON"))
    summary = _("keep the hashes that another operator sent, for later scans")
    bring = command(inner, "import", common, summary, "indicators:bring")
    bring.add_argument("file", type=Path, metavar=_("FILE"), help=_("as export wrote it"))
    summary = _("say which stored accesses came with an indicator that was imported")
    match = command(inner, "match", common, summary, "indicators:match")
    formats(match, "table", "json")
    for parser in (export, bring, match):
        parser.add_argument(
            "--key",
            type=Path,
            metavar=_("FILE"),
            help=_("the agreed key, in hexadecimal, mode 0600 (default: indicators.key at home)"),
        )


def export(options: Namespace) -> int:
    """Write what may be told of the alerts that were named."""
    from vigie import journal
    from vigie.alerts import indicators
    from vigie.cli.detecting import detect_stored, recall
    from vigie.cli.terminal import home_of, say

    key = _key(options)
    options.alarm_budget = options.learn_until = None
    recall(options)
    alerts = detect_stored(options).detection.alerts
    chosen = [_chosen(alerts, beginning) for beginning in options.alerts]
    told = indicators.bundle(_events(options), chosen, key)
    indicators.write(options.out, told)
    journal.record(home_of(options), "indicators export", " ".join(a.id for a in chosen))
    count = sum(len(one.indicators) for one in told.sightings)
    say(
        plural(
            "{count} indicator is in {path}.", "{count} indicators are in {path}.", count
        ).format(count=number(count), path=options.out)
    )
    if not count:
        say(_("Nothing that was new to the accounts and rare here: there is nothing to tell."))
    return 0


def _chosen(alerts: Any, beginning: str) -> Any:
    fitting = [alert for alert in alerts if alert.id.startswith(beginning)]
    if len(fitting) == 1:
        return fitting[0]
    what = N_("several alerts begin with {id!r}") if fitting else N_("no alert begins with {id!r}")
    raise UsageError(what, remedy=N_("vigie alerts lists them"), id=beginning)


def bring(options: Namespace) -> int:
    """Check and keep a document of another operator."""
    from vigie import journal
    from vigie.alerts import indicators
    from vigie.cli.terminal import home_of, say

    told = indicators.read(options.file, _key(options))
    path = indicators.keep(home_of(options), told)
    journal.record(home_of(options), "indicators import", path.stem)
    count = sum(len(one.indicators) for one in told.sightings)
    say(plural("{count} indicator kept.", "{count} indicators kept.", count).format(
        count=number(count)
    ))  # fmt: skip
    return 0


def match(options: Namespace) -> int:
    """List the accounts that came with an indicator; exit code 3 where there are any."""
    from vigie import journal
    from vigie.alerts import indicators
    from vigie.cli.terminal import home_of, say, write_json

    key = _key(options)
    bundles = indicators.kept(home_of(options), key)
    found = indicators.match(_events(options), bundles, key)
    journal.record(home_of(options), "indicators match", f"{len(found)} matches")
    if options.format == "json":
        write_json(as_json(bundles, found))
    elif found:
        draw(found)
    else:
        say(_("No access came with an imported indicator."))
    return ALERTS if found else NOTHING


def say_matches(options: Namespace) -> None:
    """Add to the answer of a scan who came with an imported indicator, where any were imported."""
    from vigie.alerts import indicators
    from vigie.cli.terminal import home_of, remark

    home = home_of(options)
    if not any((home / indicators.FOLDER).glob("*.json")):
        return
    if not (home / indicators.KEY_FILE).exists():
        said = _(
            "Indicators were imported, but {file} is not there to match them: put the agreed key "
            "there, or name it in vigie indicators match --key."
        )
        remark(said.format(file=home / indicators.KEY_FILE))
        return
    options.key = None
    key = _key(options)
    found = indicators.match(_events(options), indicators.kept(home, key), key)
    if found:
        draw(found)


def as_json(bundles: "list[Bundle]", found: "list[Match]") -> dict[str, object]:
    """Return the matches as `docs/indicators.md` documents them."""
    import msgspec

    return {
        "version": 1,
        "documents": len(bundles),
        "matches": [msgspec.to_builtins(one) for one in found],
    }


def draw(found: "list[Match]") -> None:
    """Draw the matches as a table, the latest first."""
    from vigie.cli.terminal import draw_table, say

    words = {
        "network": _("network"), "device": _("device"), "user_agent": _("user agent"),
        "query": _("kind of query"),
    }  # fmt: skip
    count = len(found)
    say(plural(
        "{count} match with an indicator of another operator:",
        "{count} matches with indicators of other operators:", count,
    ).format(count=number(count)))  # fmt: skip
    header = (_("account"), _("indicator"), _("first (UTC)"), _("last (UTC)"), _("accesses"))
    draw_table(header, [
        (
            one.account, words[one.kind], f"{one.first_at:%Y-%m-%d %H:%M}",
            f"{one.last_at:%Y-%m-%d %H:%M}", number(one.accesses),
        )
        for one in found
    ])  # fmt: skip


def _key(options: Namespace) -> bytes:
    from vigie.alerts.indicators import KEY_FILE, load_key
    from vigie.cli.terminal import home_of

    return load_key(options.key or home_of(options) / KEY_FILE)


def _events(options: Namespace) -> "pa.Table":
    from vigie.alerts.indicators import COLUMNS
    from vigie.cli.opening import open_present

    with open_present(options) as store:
        return store.events(list(COLUMNS))
