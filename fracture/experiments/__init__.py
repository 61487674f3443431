"""Heads on cached features: what a data set does to a model, within seconds."""
