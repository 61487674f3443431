"""Heads trained in a fraction of a second, on features that a training has left in the cache. No TensorFlow.

While the backbone is frozen, its features are constants and all that trains is one sigmoid unit: small enough for
NumPy, and for the process that serves the pages. Begin reading with :mod:`~fracture.training.head.numpy_head`.
"""
