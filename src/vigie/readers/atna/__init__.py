"""ATNA audit messages: framed, parsed without entities, told as accesses."""

from vigie.readers.atna.reader import AtnaReader

__all__ = ["AtnaReader"]
