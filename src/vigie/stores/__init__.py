"""The store: what was read, kept once and whole, sealed, journalled and forgotten on time."""

from vigie.stores.files import Receipt
from vigie.stores.store import Store

__all__ = ["Receipt", "Store"]
