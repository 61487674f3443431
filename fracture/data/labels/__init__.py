"""Which names of a data set's classes mean what: known words, and choices that are stored in ``labels.json``."""
