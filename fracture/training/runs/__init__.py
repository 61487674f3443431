"""Runs on disk: queue, worker process, progress, comparison."""
