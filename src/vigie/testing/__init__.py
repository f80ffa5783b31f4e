"""Suites that ship with Vigie: what every reader, store and detector must pass."""
