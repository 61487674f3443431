"""An estimate: a value with the interval that it may lie in."""

Estimate = dict[str, float | None]
"""``{"value", "low", "high"}`` with the bounds of a 95 % interval; None where there is no value."""
