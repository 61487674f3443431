"""A model folder -> predictions, heat maps, and what the prediction rests on. No TensorFlow."""
