"""Which properties of images predict the label without any bone: a look for shortcuts before a run.

::

    table, measurements ── values ──> a column a property ── associations ──> AUC of each alone, with its interval
                                            └─ (a hash of it all) ── cached ──┘

A network learns whatever predicts the label (Geirhos et al., "Shortcut learning in deep neural networks", Nature
Machine Intelligence 2, 665, 2020): where fractures come from another hospital, the size of the image is enough, and the
model fails elsewhere (Zech et al., PLoS Medicine 15, e1002683, 2018).
"""
