"""Guesses before the answers are shown."""
