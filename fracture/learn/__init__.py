"""From a table of images to a trained model."""
