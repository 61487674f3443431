"""Several runs side by side: settings, curves, and whether one is better."""
