"""Exposure: who was exposed to what, how, when, through which account, and whose data it is.

from vigie.exposure import Scope, expose
with Store.open(home) as store:
    found = expose(store, Scope(account="jdupont", since=..., until=...))
found.table                    # EXPOSURE, sorted
"""

from vigie.exposure.schema import CERTAINTIES, EXPOSURE, HOWS

__all__ = ["CERTAINTIES", "EXPOSURE", "HOWS"]
