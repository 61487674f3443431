"""A model's folder on disk and its card."""
