"""The cached features that several pages work on: which ones, and what to do where they are missing."""
