"""Pickers of an image that several pages have."""
