"""External validation: a model on a data set that it was not made with, and adjustments of the model to it.

::

    results         what an evaluation found, stored per model and data set below the data home
    comparison      those metrics beside the card's, and what explains a difference
    job             an evaluation as a background job
    recalibration   temperature and thresholds, refitted by cross-fitting
    familiarity     the threshold of the out-of-distribution check, refitted on unlabeled radiographs
"""
