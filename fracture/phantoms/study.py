"""One synthetic study from one seed: a person, a finding, and two or three views. Read this first.

>>> from fracture.phantoms.study import generate_study
>>> views = generate_study(seed=1, patient=7)
>>> views[0].view, views[0].truth.words  # doctest: +SKIP
('AP', 'spiral fracture, 4.2 mm displaced, 9° angulated')

::

    anatomy/person.py   the person and the finding ── body.py, humerus.py, fractures.py, implants.py
    view.py             how an image is taken: pose, framing, exposure
    render.py           path lengths on each ray ── anatomy/geometry.py; gray levels ── physics.py; truth.py

Everything follows from ``seed``, ``patient`` and ``study``. Person, finding, views and the noise of each view have
random generators of their own, so that the same bone can also be rendered whole, or from another angle, and studies
can be generated in any order. Within one generator, every further or missing random number changes all that follow:
:data:`fracture.phantoms.job.RENDERER` must then be raised.
"""

from itertools import islice

import numpy as np

from fracture.phantoms.anatomy.person import sample_finding, sample_person
from fracture.phantoms.plan import DIFFICULTY, HARDWARE_SHARE
from fracture.phantoms.render import Phantom, render_view
from fracture.phantoms.view import SIZE, sample_views


def generate_study(
    seed: int,
    patient: int,
    study: int = 1,
    difficulty: float = DIFFICULTY,
    *,
    hardware_share: float | None = HARDWARE_SHARE,
    abnormal: bool | None = None,
    views: int | None = None,
) -> list[Phantom]:
    """The views of one study.

    Args:
        seed: of the whole data set.
        patient: number of the patient.
        study: number of the study of this patient, from 1.
        difficulty: 0 to 1; changes contrast, displacement, noise and traps together.
        hardware_share: as in :class:`fracture.phantoms.plan.Plan`.
        abnormal: whether there is an abnormality; None: with a probability of one half.
        views: render only so many of the two or three; they are the same as when all are rendered.
    """
    hardness = difficulty**2  # so that equal steps of difficulty look about equal
    person = sample_person(_generator(seed, patient, 0), hardness)
    own = _generator(seed, patient, study)
    finding = sample_finding(own, person.bone, hardness, abnormal, hardware_share)
    taken = sample_views(_generator(seed, patient, study, 0), person, finding, hardness)
    return [
        render_view(_generator(seed, patient, study, number), person, finding, view)
        for number, view in islice(enumerate(taken, 1), views)
    ]


def _generator(seed: int, *stream: int) -> np.random.Generator:
    """A random generator of its own; NumPy's give the same numbers on every machine."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=stream))


__all__ = ["SIZE", "Phantom", "generate_study"]
