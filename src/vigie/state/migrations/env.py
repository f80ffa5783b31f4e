"""Alembic runs this for each upgrade, on the connection that `vigie.state.schema` hands over."""

from alembic import context

from vigie.state.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
