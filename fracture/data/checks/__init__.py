"""Checks of a data set: data leakage, duplicates, class imbalance, and damaged or unusual images.

::

    table ────────── check_table        missing files, patients on both sides of the split, classes
    files left out ─ check_skipped      other classes, formats that are not read, stray files
    measurements ─┬─ check_duplicates   duplicates and near-duplicates
                  ├─ check_appearance   damaged, blank and inverted images, light borders, marks
                  └─ check_quality      dark, bright, faint and blurred images, odd shapes and sizes, several views

A split by image has the same patient on both sides, which makes every result look better than it is; so do duplicates.
Each check is a function that yields problems; :func:`check` runs them all.
"""

import pandas as pd

from fracture.data.checks.appearance import check_appearance
from fracture.data.checks.duplicates import check_duplicates
from fracture.data.checks.problem import SEVERITIES, Problem, by_severity
from fracture.data.checks.quality import check_quality
from fracture.data.checks.skipped import check_skipped
from fracture.data.checks.table import check_table
from fracture.data.dataset import Dataset
from fracture.data.measurements import measure

__all__ = ["SEVERITIES", "Problem", "by_severity", "check"]


def check(dataset: Dataset, measurements: pd.DataFrame | None = None, read_files: bool = True) -> list[Problem]:
    """All problems of a data set, errors first; an empty list where nothing was found.

    Args:
        dataset: a scanned data set.
        measurements: of its images, as :func:`fracture.data.measurements.measure` or ``measured`` gives them; only
            these images are checked by their pixels.
        read_files: where there are no measurements, whether to measure: some seconds for each thousand images that
            are not cached. If not, only the table is checked.
    """
    if measurements is None and read_files:
        measurements = measure(dataset.table)
    problems = list(check_table(dataset.table, dataset.label_names))
    problems += check_skipped(dataset.skipped)
    if measurements is not None:
        images = dataset.table.merge(measurements.drop(columns="path"), on="image_id")
        problems += check_duplicates(images)
        problems += check_appearance(images, dataset.label_names)
        problems += check_quality(images)
    return by_severity(problems)
