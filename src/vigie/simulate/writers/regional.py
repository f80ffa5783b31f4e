"""The traces of a regional e-health portal: FHIR R4 AuditEvents, a file per region and week.

The first regions write as IHE's Basic Audit Log Patterns say, some accesses twice (by the client
and by the server, with one request id); the last one writes the shorter French form: the period of
the activity, and at most two agents whose `who` carries a national identifier. The portal of the
first region also stands behind a web server with a log of its own (see `weblog`).
"""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.simulate.world import World
from vigie.simulate.writers.audit_events import (
    CLIENT_EARLIER,
    balp,
    french_form,
    persons_of,
)
from vigie.simulate.writers.logfiles import Day, LogFolder, days
from vigie.simulate.writers.texts import JSON, Pages, Texts, pages
from vigie.simulate.writers.tokens import mixed
from vigie.simulate.writers.weblog import WebLog

CLIENT_SHARE: Final = 4
"""One access in so many is also recorded by the client."""


def write(world: World, log: LogFolder) -> None:
    """Write `REGION/traces-REGION-YYYY-Www.ndjson.gz`."""
    texts, web = Texts(world, JSON), WebLog(world, log)
    regions = sorted(set(world.organisations["region"].to_pylist()))
    home = pc.index_in(world.organisations["region"], value_set=pa.array(regions)).to_numpy()
    for day in days(world):
        region = home[day.accesses["organisation"].to_numpy()]
        for code, name in enumerate(regions):
            rows = np.flatnonzero(region == code)
            if len(rows):
                french = code == len(regions) - 1 and code > 0
                _write_region(log, texts, day, rows, name, french)
                if code == 0:
                    web.write(day, rows)


def _write_region(
    log: LogFolder, texts: Texts, day: Day, rows: NDArray[np.int64], region: str, french: bool
) -> None:
    accesses = day.accesses.take(pa.array(rows))
    page = pages(accesses)
    persons = persons_of(texts.of(accesses), page)
    messages = (french_form if french else balp)(texts.of(page.accesses), region, persons)
    again = _also_by_client(page, french)
    if len(again):
        texts.of(page.accesses.take(pa.array(again)))
        client = balp(texts, region, persons.take(pa.array(again)), client=True)
        messages = pa.concat_arrays([messages, client])
    at = page.accesses["at"].to_numpy()[np.r_[np.arange(len(page.firsts)), again]]
    at[len(page.firsts) :] -= CLIENT_EARLIER
    order = np.argsort(at, kind="stable")
    name = f"{region}/traces-{region}-{day.week}.ndjson.gz"
    lines = np.empty(len(order), np.int64)
    lines[order] = log.append(name, messages.take(pa.array(order)))
    where = day.first + rows[page.rows]
    log.place(name, where, lines[page.line], page.part)
    mirror = np.full(len(page.firsts), -1)
    mirror[again] = lines[len(page.firsts) :]
    twice = mirror[page.line] >= 0
    log.place(name, where[twice], mirror[page.line[twice]], page.part[twice])


def _also_by_client(page: Pages, french: bool) -> NDArray[np.int64]:
    """Return the pages whose access the client's software recorded too."""
    chosen = mixed(page.accesses["access"].to_numpy(), 0) % CLIENT_SHARE == 1
    return np.flatnonzero(chosen & (not french))
