"""The two learners: one with Keras, one with the served graph and NumPy."""
