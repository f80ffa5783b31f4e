"""pgAudit in a csvlog: what a database account asked, from outside the statement."""

from vigie.readers.pgaudit.reader import PgAuditReader

__all__ = ["PgAuditReader"]
