"""Exposure: who was exposed to what, how, when, through which account, and whose data it is.

from vigie.exposure import Scope, Stretch, expose
with Store.open(home) as store:
    found = expose(store, Scope((Stretch("jdupont", since, until),)))
found.table                    # EXPOSURE, sorted
found.write(Path("exposure.parquet"))
"""

from vigie.exposure.engine import EVIDENCE, Exposure, expose
from vigie.exposure.schema import CERTAINTIES, EXPOSURE, HOWS, IDENTIFIERS, SURE
from vigie.exposure.scope import Boundary, Scope, Stretch, of_alerts
from vigie.exposure.unlogged import INDEX, Index

__all__ = [
    "CERTAINTIES", "EVIDENCE", "EXPOSURE", "HOWS", "IDENTIFIERS", "INDEX", "SURE", "Boundary",
    "Exposure", "Index", "Scope", "Stretch", "expose", "of_alerts",
]  # fmt: skip
