"""What the commands of :mod:`fracture.cli` do.

None of them imports TensorFlow: training is a process of its own.
"""
