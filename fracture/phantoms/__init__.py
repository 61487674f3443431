"""Synthetic radiographs with exact truth."""
