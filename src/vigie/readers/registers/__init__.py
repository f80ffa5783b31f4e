"""The operator's own tables beside the logs, as text through a mapping: persons, staff, identities,
contracts. From CSV, Parquet or a database, a batch of rows at a time."""
