"""Alerts: raised from evidence, those of a campaign joined, told to other operators as hashes."""
