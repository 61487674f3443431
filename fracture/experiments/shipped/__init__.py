"""The features of synthetic radiographs that ship with the app, so that experiments work before any run.

::

    phantoms   the plan of the set, from which each image can be generated again
    features   table and features, and the bench of both
    results    what the presets of the experiments gave on them

``python -m benchmarks.shipped_features`` makes the files in ``assets/features``.
"""
