"""The page of all runs and models: a table, one of them in tabs, several side by side."""
