"""What is wrong with a data set, or should be known before a number from it is believed.

::

    table ───────── listed       missing files, patients on both sides of the split, classes
    measurements ─┬ copies       the same picture twice
                  └ appearance   damaged, blank and inverted images, light borders, marks

A split by image leaves the same patient on both sides and flatters every result; so do copies of a picture.
Each check is a function that yields problems; :func:`check` runs them all.
"""

import pandas as pd

from fracture.data.checks.appearance import appearance
from fracture.data.checks.duplicates import copies
from fracture.data.checks.problem import SEVERITIES, Problem, by_severity
from fracture.data.checks.table import listed
from fracture.data.dataset import Dataset
from fracture.data.measurements import measure

__all__ = ["SEVERITIES", "Problem", "by_severity", "check"]


def check(dataset: Dataset, measurements: pd.DataFrame | None = None, read_files: bool = True) -> list[Problem]:
    """All problems of a data set, errors first; an empty list where nothing was found.

    Args:
        dataset: as scanned.
        measurements: of its images, as :func:`fracture.data.measurements.measure` or ``measured`` gives them; what is
            told by pixels is told of these images alone.
        read_files: where there are no measurements, whether to make them: some seconds for each thousand images that
            were never looked at before. If not, only what the table tells is checked.
    """
    if measurements is None and read_files:
        measurements = measure(dataset.table)
    problems = list(listed(dataset.table, dataset.label_names))
    if measurements is not None:
        seen = dataset.table.merge(measurements.drop(columns="path"), on="image_id")
        problems += [*copies(seen), *appearance(seen, dataset.label_names)]
    return by_severity(problems)
