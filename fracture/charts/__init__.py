"""Figures from plain data, for pages and notebooks. All are Plotly's but those of :mod:`fracture.charts.vega`.

Colors are after Okabe and Ito (2008), whose palette people with color blindness can tell apart, the blue lightened so
that it stands out on light and on dark backgrounds alike. Backgrounds are transparent.
"""

from fracture.charts.dataset import Drawn, class_balance, distribution, overview, property_aucs, views_per_study
from fracture.charts.experiments import auc_intervals, leakage_gaps, learning_curve, parallel_coordinates, trial_curves
from fracture.charts.interval import PRESENTED_TEXT_SIZE, auc_bar
from fracture.charts.metrics import precision_recall_curves, reliability, roc_curves
from fracture.charts.numbers import to_table, vega_to_table
from fracture.charts.overlays import AGAINST, FOR, TRUTH, LabeledBox, boxed, crossed_out, heat_overlay, outlined, ringed
from fracture.charts.style import (
    ACCENT,
    NEGATIVE_COLOR,
    POSITIVE_COLOR,
    SEVERAL,
    TRAINING,
    VALIDATION,
    colors,
    enlarge,
    metric_range,
)
from fracture.charts.training import RunHistory, best_epoch, compared_curves, followed_curves, training_curves
from fracture.charts.vega import (
    OUTCOMES,
    VegaChart,
    confusion,
    enlarge_spec,
    icon_array,
    natural_frequencies,
    precision_recall,
    roc,
    score_histogram,
)
from fracture.charts.verdict import verdict_bar
from fracture.charts.viewer import canvas, still
from fracture.charts.votes import class_roc, vote_histogram

__all__ = [
    "ACCENT",
    "AGAINST",
    "FOR",
    "NEGATIVE_COLOR",
    "OUTCOMES",
    "POSITIVE_COLOR",
    "PRESENTED_TEXT_SIZE",
    "SEVERAL",
    "TRAINING",
    "TRUTH",
    "VALIDATION",
    "Drawn",
    "LabeledBox",
    "RunHistory",
    "VegaChart",
    "auc_bar",
    "auc_intervals",
    "best_epoch",
    "boxed",
    "canvas",
    "class_balance",
    "class_roc",
    "colors",
    "compared_curves",
    "confusion",
    "crossed_out",
    "distribution",
    "enlarge",
    "enlarge_spec",
    "followed_curves",
    "heat_overlay",
    "icon_array",
    "leakage_gaps",
    "learning_curve",
    "metric_range",
    "natural_frequencies",
    "outlined",
    "overview",
    "parallel_coordinates",
    "precision_recall",
    "precision_recall_curves",
    "property_aucs",
    "reliability",
    "ringed",
    "roc",
    "roc_curves",
    "score_histogram",
    "still",
    "to_table",
    "training_curves",
    "trial_curves",
    "vega_to_table",
    "verdict_bar",
    "views_per_study",
    "vote_histogram",
]
