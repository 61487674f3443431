"""From a model folder to an answer."""
