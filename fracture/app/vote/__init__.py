"""The page of class votes."""
