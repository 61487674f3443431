"""What ``card.json`` must look like: all that is shown or computed with, as far as a card has it.

Cards of older versions lack some of it, and cards may hold more than this.
"""

from fracture.shapes import Either, Shape, finite, flag, maybe, moment, text, whole

_SAID: Shape = {"value": finite, "low": finite, "high": finite}
_NO_INTERVAL: Shape = {"value": maybe(finite), "low": None, "high": None}
_ESTIMATE = Either(_NO_INTERVAL, _SAID)
_RATES: Shape = {"sensitivity": _ESTIMATE, "specificity": _ESTIMATE}
_POINT: Shape = {"threshold": finite, "accuracy": _ESTIMATE, "kappa?": maybe(_ESTIMATE), **_RATES}
_ERROR = Either({**_NO_INTERVAL, "chance?": maybe(finite)}, {**_SAID, "chance?": maybe(finite)})
_CALIBRATION: Shape = {
    "bins": [{name: maybe(finite) for name in ("share_positive", "share_low", "share_high", "mean_probability")}
             | {"count": whole, "low": finite, "high": finite}],
    "expected_calibration_error": _ERROR,
    "brier?": maybe(_ESTIMATE),
}  # fmt: skip
_COUNTED: Shape = {"count": whole, "positives": whole, "auc": _ESTIMATE}
_PART: Shape = {**_COUNTED, "points": {"balanced": _RATES}}
_LEVEL: Shape = {
    **_COUNTED,
    "groups": whole,
    "points": Either({"balanced": _POINT, text: _POINT}, {"half": _POINT, text: _POINT}),
    "average_precision?": maybe(_ESTIMATE),
    "calibration?": maybe(_CALIBRATION),
    "body_parts?": maybe({text: _PART}),
    "body_parts_too_small?": maybe({text: whole}),
}
_METRICS: Shape = {"image": _LEVEL, "study?": _LEVEL}

_CHANCE: Shape = {"chance": maybe(finite)}
_POINTING = Either({**_NO_INTERVAL, **_CHANCE}, {**_SAID, **_CHANCE})
_FOUND: Shape = {"images": whole, "pointing": {"near": _ESTIMATE}}
_LOCALISATION: Shape = {
    **dict.fromkeys(("images", "known", "groups", "flat", "silent"), whole),
    "pointing": Either({**_NO_INTERVAL, **_CHANCE, "centre": finite}, {**_SAID, **_CHANCE, "centre": finite}),
    "mass": _POINTING,
    "found?": maybe(_FOUND),
    "shuffled_head?": maybe({"correlation?": maybe(finite), "pointing?": maybe(finite)}),
}

_DATA: Shape = {
    "name": text,
    "training_images": whole,
    "validation_images": whole,
    "layout?": text,
    "synthetic?": flag,
    "fingerprint?": text,
    "unreadable?": [text],
    "sources?": [{"name": text, "citation": text, "licence": text}],
    "by_data?": maybe({text: {text: whole}}),
    "validated_on?": maybe({text: text}),
    "excluded?": maybe(whole),
    "relabelled?": maybe(whole),
}

CHOICES: Shape = {
    "name?": text, "data?": text, "weights?": text, "mode?": text, "fit?": text, "also?": [text],
    "body_part?": maybe(text), "epochs?": whole, "image_size?": whole, "batch_size?": whole, "seed?": whole,
    "input_range?": maybe((finite, finite)),
}  # fmt: skip
"""Of a training, as ``card.json`` and ``status.json`` say them; who trains looks at them more closely."""

CARD: Shape = {
    "labels": (text, text),
    "input": {"size": whole, "fit": text, "pixel_range?": (finite, finite)},
    "thresholds": {"balanced": finite, text: finite},
    "metrics": _METRICS,
    "metrics_by_data?": maybe({text: _METRICS}),
    "temperature?": maybe(finite),
    "data?": _DATA,
    "config?": CHOICES,
    "weights?": {"origin": text, "licence": text, "sha256?": maybe(text)},
    "backbone?": text,
    "state?": {"finished", "stopped"},
    "finished?": moment,
    "seconds?": {"total": finite},
    "epochs_done?": whole,
    "kept_epoch?": whole,
    "served?": maybe({
        "images": whole, "largest_probability_difference": finite,
        "auc_keras?": maybe(finite), "auc_served?": maybe(finite),
    }),
    "localisation?": maybe(_LOCALISATION),
    "libraries?": {text: text},
    "files?": {text: text},
    "command?": text,
}  # fmt: skip
"""The whole card."""
