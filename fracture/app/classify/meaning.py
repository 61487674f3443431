"""What an answer means: the metrics of its limits, its calibration, and what heat map and boxes show."""

from fracture.app.shared import prediction_cache
from fracture.app.shared.heatmap_overlay import heat_in_words
from fracture.app.shared.metrics import chosen_on
from fracture.app.shared.widgets import escape_markdown
from fracture.errors import ModelError
from fracture.estimate import format_number, format_percent
from fracture.inference.classifier import Classifier
from fracture.registry.adjustments import Recalibration
from fracture.registry.model_folder import ModelFolder
from fracture.registry.validation import OperatingPoint, ValidationResult, validation_results


def describe_meaning(classifier: Classifier, folder: ModelFolder) -> str:
    """The metrics of the limits on the validation images, and what the heat map shows."""
    positive = classifier.labels[1]
    heat = (
        "It is the class-activation map: its mean, plus a constant, is the model's log-odds before calibration. It "
        "shows a region, not an outline."
    )
    if classifier.shows_places:
        heat = "The model learned this from boxes; its answer uses the likeliest place and the image as a whole."
    recalibration = classifier.recalibration
    images = chosen_on(classifier.card) if recalibration is None else f"*{escape_markdown(recalibration.data)}*"
    settled = ", which is left out where the image is clearly negative" if classifier.card.mirrored_pass else ""
    return (
        f"{_describe_limits(classifier, folder)}\n"
        f"- The probability is calibrated on {images}, for their share of *{positive}*; where "
        f"*{positive}* is rarer, the probability is too high.\n"
        f"- The model classifies each image and its mirror image{settled}; the probabilities stand below the image.\n"
        f"{_describe_regions(classifier)}"
        f"- {heat_in_words(classifier, ring=classifier.card.regions is None)} {heat}"
    )


def _describe_limits(classifier: Classifier, folder: ModelFolder) -> str:
    """The sensitivity and specificity of each limit, or of the only one, on the images that they were chosen on."""
    low, high = classifier.limits
    recalibration = classifier.recalibration
    if recalibration is not None:
        return _describe_recalibrated_limits(classifier, recalibration)
    negative, positive = classifier.labels
    low_name, high_name = classifier.limits.describe()
    result = validation_results(classifier.card)[0]
    where = f"on each validation image of *{escape_markdown(result.data)}*,"
    if not classifier.limits.leave_doubt:
        return (
            f"- From {high_name} the answer is *{positive}*, below it *{negative}*: {where} "
            f"{_rates(folder, result, high)}"
        )
    return (
        f"- From {low_name} the model does not exclude *{positive}*: {where} {_rates(folder, result, low)}\n"
        f"- From {high_name} the answer is *{positive}*: {_rates(folder, result, high)}"
    )


def _describe_recalibrated_limits(classifier: Classifier, recalibration: Recalibration) -> str:
    """The same for refitted limits: of images that were held out when those that judge them were fitted."""
    low_name, high_name = classifier.limits.describe()
    positive = classifier.labels[1]
    points = recalibration.after["image"]["points"]
    where = f"on images of *{escape_markdown(recalibration.data)}* that were held out from fitting,"
    if not classifier.limits.leave_doubt:
        rates = _format_rates(points["balanced"])
        return f"- From {high_name} the answer is *{positive}*, below it not: {where} {rates}"
    return (
        f"- From {low_name} the model does not exclude *{positive}*: {where} "
        f"{_format_rates(points['high_sensitivity'])}\n"
        f"- From {high_name} the answer is *{positive}*: {_format_rates(points['high_specificity'])}"
    )


def _format_rates(point: OperatingPoint) -> str:
    sensitivity = format_percent(point["sensitivity"])
    return f"sensitivity {sensitivity}, specificity {format_percent(point['specificity'])}."


def _rates(folder: ModelFolder, result: ValidationResult, threshold: float) -> str:
    """Sensitivity and specificity at a threshold, on the validation images."""
    try:
        rates = prediction_cache.operating_point(folder, "image", threshold, result.only)
    except ModelError as error:
        return f"sensitivity and specificity are not known: {escape_markdown(str(error))}"
    return _format_rates(rates)


def _describe_regions(classifier: Classifier) -> str:
    """What the thresholds of places achieved on the validation images; empty without them."""
    recorded = classifier.card.regions
    if recorded is None:
        return ""
    sensitive = recorded.points["high_sensitivity"]
    specific = recorded.points["high_specificity"]
    return (
        "- Boxes are candidate regions. On the validation images, the solid ones find "
        f"{format_percent(specific['sensitivity'])} of the true boxes with "
        f"{format_number(specific['false_boxes'], 1)} false boxes an image, the dashed and solid ones together "
        f"{format_percent(sensitive['sensitivity'])} with {format_number(sensitive['false_boxes'], 1)}. Both "
        "thresholds were chosen on these images. A region counts as found where its center lies in the true box.\n"
    )
