"""Benchmarks: each figure a ratio to a named reference of the same run."""
