"""Clocks: what is due to whom and when, from dated rules and the moments of a case."""

from vigie.clocks.model import ClockState, Moments, Progress

__all__ = ["ClockState", "Moments", "Progress"]
