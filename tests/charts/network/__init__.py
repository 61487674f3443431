"""Pictures and figures of what happens inside a network."""
