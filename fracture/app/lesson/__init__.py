"""The lesson: steps that lead through the app, each with a prediction and a check."""
