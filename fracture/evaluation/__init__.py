"""Predictions and labels -> metrics with intervals, calibration, thresholds, localization."""
