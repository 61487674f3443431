"""A table of images -> a trained model."""
