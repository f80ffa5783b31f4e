"""The state database: cases and what else people decide, in SQLite or PostgreSQL.

Only what keeps cases imports this package: the libraries behind it belong to the extras `cases`
and `postgresql`, and `vigie --help` does without them.
"""

from importlib.util import find_spec

from vigie.errors import StoreError
from vigie.language import N_

if not (find_spec("sqlalchemy") and find_spec("alembic")):
    raise StoreError(
        N_("cases need libraries that are not installed"),
        remedy=N_("install them: pip install 'vigie-sante[cases]'"),
    )

from vigie.state.database import State, open_state

__all__ = ["State", "open_state"]
