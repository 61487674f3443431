"""A trained network -> the files that answer without TensorFlow."""
