"""Documents to keep."""
