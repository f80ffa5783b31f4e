"""Tables through a mapping: CSV, TSV, NDJSON and Parquet become waist rows."""

from vigie.readers.tables.reader import TableReader

__all__ = ["TableReader"]
