"""Folders of any size, classified in chunks by many workers, with results on disk as they come."""
