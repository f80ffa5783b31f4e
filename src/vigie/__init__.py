"""Vigie notices a stolen professional account within a handful of patients."""

__version__ = "0.1.0"
