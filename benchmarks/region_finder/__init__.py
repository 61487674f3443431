"""Trains, exports and measures the region finder that comes with the FracAtlas model."""
