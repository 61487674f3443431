"""A trained network -> the files that run without TensorFlow."""
