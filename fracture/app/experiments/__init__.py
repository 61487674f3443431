"""The pages Playground, Leakage and Shortcuts."""
