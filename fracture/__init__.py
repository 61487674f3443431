"""Deep learning on bone radiographs: look at a data set, train InceptionV3 on it, ask the model.

Start reading at :mod:`fracture.training.pipeline`, the whole way from a folder of images to a trained model.
"""

__version__ = "0.2.0"
