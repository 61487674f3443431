"""One study drawn from one seed: a person, what is wrong with the bone, and two or three views of it. Read this first.

>>> from fracture.phantoms.study import draw_study
>>> views = draw_study(seed=1, patient=7)
>>> views[0].view, views[0].truth.words  # doctest: +SKIP
('AP', 'spiral fracture, 4.2 mm displaced, 9° angulated')

::

    person.py    whose arm, and what is wrong ── body.py, humerus.py, fractures.py, hardware.py
    view.py      how an image of it is taken
    picture.py   what the rays meet in that view ── shapes.py, and what is shown of it ── imaging.py

Everything follows from ``seed``, ``patient`` and ``study``: chance has a stream of its own for the person, for the
finding, for how the views are taken and for the noise of each, so that the same bone can also be drawn whole, or from
another angle, and studies can be drawn in any order.
"""

from itertools import islice

import numpy as np

from fracture.phantoms.anatomy.person import draw_finding, draw_person
from fracture.phantoms.render import Phantom, draw
from fracture.phantoms.view import SIZE, draw_views

DIFFICULTY = 0.2
"""Between what everyone sees (0) and what a specialist would argue about (1)."""


def draw_study(
    seed: int,
    patient: int,
    study: int = 1,
    difficulty: float = DIFFICULTY,
    *,
    abnormal: bool | None = None,
    views: int | None = None,
) -> list[Phantom]:
    """The views of one study.

    Args:
        seed: of the whole data set.
        patient: their number.
        study: number of the study of this patient, from 1.
        difficulty: 0 to 1; moves contrast, displacement, noise and what can mislead together.
        abnormal: whether there is something to be found; None leaves it to chance, 1 in 2.
        views: draw only so many of its two or three; they are the same as when all are drawn.
    """
    hardness = difficulty**2  # so that equal steps of difficulty look about alike
    person = draw_person(_chance(seed, patient, 0), hardness)
    finding = draw_finding(_chance(seed, patient, study), person.bone, hardness, abnormal)
    taken = draw_views(_chance(seed, patient, study, 0), person, finding, hardness)
    return [
        draw(_chance(seed, patient, study, number), person, finding, view)
        for number, view in islice(enumerate(taken, 1), views)
    ]


def _chance(seed: int, *stream: int) -> np.random.Generator:
    """A stream of chance of its own: NumPy's streams are the same on every machine."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=stream))


__all__ = ["DIFFICULTY", "SIZE", "Phantom", "draw_study"]
