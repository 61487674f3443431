"""Figures from plain data; pages and notebooks share them. All are Plotly's but those of :mod:`fracture.charts.vega`.

Colours are after Okabe and Ito (2008), whose palette people with colour-blindness can tell apart, the blue lightened so
that it stands out on light and on dark ground alike. Backgrounds are transparent: a figure takes the ground it is on.
"""

from fracture.charts.dataset import Drawn, class_balance, distribution, overview, views_per_study
from fracture.charts.experiments import gaps_of_splits, more_patients, searched, tries
from fracture.charts.metrics import precision_recalls, reliability, rocs
from fracture.charts.overlays import AGAINST, FOR, TRUTH, crossed_out, heat_overlay, outlined, ringed
from fracture.charts.style import ACCENT, NEGATIVE, POSITIVE, SEVERAL, TRAINING, VALIDATION, colours, metric_range
from fracture.charts.training import Learned, best_epoch, curves, overlaid
from fracture.charts.vega import OUTCOMES, Moving, confusion, hundred, precision_recall, roc, round_to_hundred
from fracture.charts.viewer import canvas, still, viewer, windowed

__all__ = [
    "ACCENT",
    "AGAINST",
    "FOR",
    "NEGATIVE",
    "OUTCOMES",
    "POSITIVE",
    "SEVERAL",
    "TRAINING",
    "TRUTH",
    "VALIDATION",
    "Drawn",
    "Learned",
    "Moving",
    "best_epoch",
    "canvas",
    "class_balance",
    "colours",
    "confusion",
    "crossed_out",
    "curves",
    "distribution",
    "gaps_of_splits",
    "heat_overlay",
    "hundred",
    "metric_range",
    "more_patients",
    "outlined",
    "overlaid",
    "overview",
    "precision_recall",
    "precision_recalls",
    "reliability",
    "ringed",
    "roc",
    "rocs",
    "round_to_hundred",
    "searched",
    "still",
    "tries",
    "viewer",
    "views_per_study",
    "windowed",
]
