"""The page that classifies uploads."""
