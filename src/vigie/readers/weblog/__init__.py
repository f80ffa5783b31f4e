"""Web access logs through a route table: paths as the application sees them."""

from vigie.readers.weblog.reader import WeblogReader

__all__ = ["WeblogReader"]
