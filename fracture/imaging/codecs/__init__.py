"""Formats by their first bytes, and the decoders that run in a process of their own."""
