"""The two ways to train: with Keras, and with the served graph and NumPy."""
