"""CSV files with any columns: how they are read, and which column may hold what."""
