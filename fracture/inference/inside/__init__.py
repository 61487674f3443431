"""What happens between the image and the logit of a served model.

::

    structure   the blocks of a served graph and its head, read from the file
    maps        the graph run once more with the maps of chosen blocks as further outputs
    head        the last maps, weighted: contributions of channels, and the map and logit for other weights
    patch       the logit while a gray patch slides over the image
"""
