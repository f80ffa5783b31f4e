"""Keyed hashes over many short texts at once, compiled: what pseudonyms are made of."""
