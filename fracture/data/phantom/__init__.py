"""Synthetic radiographs of the humerus, with exact truth: drawn by physics from one seed. Start with ``study.py``."""
