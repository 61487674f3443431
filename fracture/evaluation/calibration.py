"""Calibration: of the images with a probability of 80 %, about 80 % should be positive.

Everything here is about the probability of the *positive* label. Guo et al. ("On Calibration of Modern Neural
Networks", ICML 2017) use the confidence in the predicted label instead; with two labels that hides a model that is
overconfident in one direction only.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 15
"""The number of bins of equal width, as in table 1 of Guo et al."""

COOLEST, HOTTEST = 0.05, 20.0
"""The search range of the temperature. A result at one of its ends means that these images do not determine it."""


def fit_temperature(label: NDArray[Any], logit: NDArray[Any]) -> float:
    """The temperature T with which expit(logit / T) has the lowest negative log-likelihood (Guo et al., section 4.2).

    Args:
        label: 0 or 1 (N,).
        logit: the model's log-odds of label 1 (N,), not seen in training.

    Returns:
        Above 1 for an overconfident model, below 1 for an underconfident one; ``COOLEST`` where the signs of the logits
        separate the labels perfectly, ``HOTTEST`` where they are useless or wrong. 1 where there is only one label, or
        where all temperatures are equally good.
    """
    from scipy.optimize import minimize_scalar

    if len(np.unique(label)) < 2:
        return 1.0
    sign = np.where(np.asarray(label) == 1, -1.0, 1.0)
    wrong_logit = sign * np.asarray(logit, np.float64)

    def loss(log_temperature: float) -> float:
        # logaddexp(0, -x) is -log(expit(x)) without overflow.
        scaled = wrong_logit / np.exp(log_temperature)
        return float(np.logaddexp(0, scaled).mean())

    # On a logarithmic scale, half and twice the temperature are equally far from 1.
    ends = (float(np.log(COOLEST)), float(np.log(HOTTEST)))
    found = minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-8})
    # The search never tries the ends themselves, and where the loss is flat it may stop anywhere. Of equally good
    # temperatures the first one is taken, which is 1: it changes nothing.
    candidates = (0.0, *ends, float(found.x))
    return float(np.exp(min(candidates, key=loss)))


def reliability(label: NDArray[Any], probability: NDArray[Any], bins: int = BINS) -> dict[str, Any]:
    """How often the label is positive among images of about the same probability.

    Args:
        label: 0 or 1 (N,), at least one.
        probability: of label 1, 0 to 1 (N,).
        bins: how many bins of equal width between 0 and 1; each holds its lower end, the last one both.

    Returns:
        ``bins``: for each that is not empty ``low, high, count, mean_probability, share_positive, share_low,
        share_high``, the last two the 95 % interval of the share (Wilson, JASA 22:209, 1927; it takes images for
        independent). ``expected_calibration_error``: the mean over images of |mean probability - share of positives| of
        their bin, for the probability of the positive label (Naeini et al., AAAI 2015). ``brier``: the mean of
        (probability - label) squared (Brier, Monthly Weather Review 78:1, 1950). For both, 0 is best and 1 is worst.
    """
    label = np.asarray(label)
    probability = np.asarray(probability, np.float64)
    edges = np.linspace(0, 1, bins + 1)
    bin_of_image = _bin(probability, bins)
    diagram = []
    for index in np.unique(bin_of_image):
        inside = bin_of_image == index
        ends = {"low": float(edges[index]), "high": float(edges[index + 1])}
        diagram.append({**ends, **_observed(label[inside], probability[inside])})
    gap_of_bin = gaps(label, probability, bins).sum(axis=0)
    return {
        "bins": diagram,
        "expected_calibration_error": float(np.abs(gap_of_bin).sum() / len(label)),
        "brier": float(np.mean((probability - label) ** 2)),
    }


def _observed(label: NDArray[Any], probability: NDArray[np.float64]) -> dict[str, float]:
    from scipy.stats import binomtest

    positives = int(label.sum())
    interval = binomtest(positives, len(label)).proportion_ci(method="wilson")
    return {
        "count": len(label),
        "mean_probability": float(probability.mean()),
        "share_positive": positives / len(label),
        "share_low": float(interval.low),
        "share_high": float(interval.high),
    }


def gaps(label: NDArray[Any], probability: NDArray[np.float64], bins: int = BINS) -> NDArray[np.float64]:
    """Probability - label of each image, in the column of its bin (N, bins).

    The sum of the absolute column sums, divided by N, is the expected calibration error; also for a resample of rows.
    """
    spread = np.zeros((len(label), bins))
    spread[np.arange(len(label)), _bin(probability, bins)] = probability - label
    return spread


def error_by_chance(probability: NDArray[np.float64], bins: int = BINS) -> float:
    """The approximate expected calibration error (see above) of perfect probabilities (N,) on as many images.

    It is not 0: labels scatter even around perfect probabilities, on average by sqrt(2 / pi) standard deviations of a
    normal distribution. Views of one study share their label and scatter more, so the result is rather too low.
    """
    # The variance of a Bernoulli variable: the label is 1 with this probability.
    variance = probability * (1 - probability)
    variance_of_bin = np.bincount(_bin(probability, bins), variance, bins)
    return float(np.sqrt(2 / np.pi * variance_of_bin).sum() / len(probability))


def _bin(probability: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    # Without the outer edges, so that a probability of 1 is in the last bin.
    inner_edges = np.linspace(0, 1, bins + 1)[1:-1]
    return np.digitize(probability, inner_edges).astype(np.int64)
