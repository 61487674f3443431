"""The data set page."""
