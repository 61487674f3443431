"""The command line: ``python -m fracture``."""
