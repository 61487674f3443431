"""A model's card: everything that is needed to use the model and to evaluate it.

Cards of earlier versions lack some of it, and cards may hold more than this: unknown keys are kept.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, GetPydanticSchema, PrivateAttr, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from fracture.documents import OPEN, Document, Finite, Moment, Pair, Whole
from fracture.files import JsonObject
from fracture.registry.validation import FreeResponse, Localization, Metrics, RegionPoint


def _refuse_null(value: object) -> object:
    if value is None:
        raise PydanticCustomError("null", "must not be null")
    return value


_NotNull = BeforeValidator(_refuse_null)
"""For a key that may be missing, but not be null: pages use its value where there is the key."""


def _check_thresholds(thresholds: dict[str, float]) -> dict[str, float]:
    if "balanced" not in thresholds:
        raise PydanticCustomError("lacks", "must hold balanced")
    return thresholds


@with_config(OPEN)
class _ConfigKeys(TypedDict, total=False):
    """The settings of a run that are used without :class:`fracture.training.config.TrainConfig`."""

    name: str
    data: str
    also: Annotated[list[str], Field(strict=False)]  # a tuple, where it comes from a TrainConfig
    weights: str
    mode: str
    fit: str
    body_part: str | None
    epochs: Whole
    image_size: Whole
    batch_size: Whole
    seed: Whole
    input_range: Annotated[list[Finite], Field(min_length=2, max_length=2, strict=False)] | None


RecordedConfig = Annotated[JsonObject, GetPydanticSchema(lambda _, handler: handler(_ConfigKeys))]
"""A run's configuration as its card and its status have it: a dictionary, checked as far as it is shown to people."""


class Input(Document):
    """How an image is given to the network."""

    size: Whole
    """Side in px."""
    fit: str
    pixel_range: Annotated[Pair | None, _NotNull] = None


class RecordedWeights(Document):
    """The pre-trained weights of the backbone."""

    origin: str
    licence: str
    sha256: str | None = None
    source: Any = None


class RecordedSource(Document):
    """Where a data set comes from."""

    name: str
    citation: str
    licence: str


class RecordedLabels(Document):
    """How the names of a data set's classes were read."""

    data: str
    negative: Annotated[list[str], Field(strict=False)]
    positive: Annotated[list[str], Field(strict=False)]
    ignore: Annotated[list[str], Field(strict=False)]
    origin: str
    """Known words, digits or answers, or chosen."""


class Selection(Document):
    """The training images that a run held out to choose its epoch, temperature and thresholds."""

    images: Whole
    groups: Whole
    """Patients, or whatever must not straddle a split."""
    share: Finite
    """Of the training images, as it was asked for."""


class Data(Document):
    """The data set that the model was trained and validated on."""

    name: str
    training_images: Whole
    validation_images: Whole
    layout: str = "unknown"
    synthetic: bool = False
    fingerprint: Annotated[str | None, _NotNull] = None
    """Of the names, labels and sizes of all files."""
    validated_on: dict[str, str] | None = None
    """The fingerprint of the validation part of each data set."""
    by_data: dict[str, dict[str, Whole]] | None = None
    """The number of images by data set and split."""
    unreadable: list[str] = Field(default_factory=list)
    selection: Annotated[Selection | None, _NotNull] = None
    """Missing where the validation part chose, as in all runs of earlier versions."""
    sources: list[RecordedSource] = Field(default_factory=list)
    label_mappings: list[RecordedLabels] = Field(default_factory=list)
    """Missing in cards of earlier versions, and empty where the layout itself says what the labels are."""
    patient_pattern: str = ""
    """Where patients were found in the names of files; missing in cards of earlier versions."""
    columns: dict[str, str] = Field(default_factory=dict)
    """The table that was read, and its columns by what they hold; missing where nobody chose or guessed them."""
    excluded: Whole | None = None
    relabelled: Whole | None = None


class Served(Document):
    """How far the served graph is from what was trained."""

    images: Whole
    largest_probability_difference: Finite
    auc_keras: Finite | None = None
    auc_served: Finite | None = None


class BoxFit(Document):
    """How the box of a candidate region follows from the logits around its likeliest cell.

    :mod:`fracture.inference.regions.candidates` has the terms. Middles and logarithms of sides are in cells.
    """

    clip: Annotated[Finite, Field(gt=0)]
    """Logits are bounded by it."""
    offset: Annotated[list[Finite], Field(min_length=2, max_length=2)]
    size: Annotated[list[Finite], Field(min_length=5, max_length=5)]
    boxes: Whole
    """True boxes of training images on which it was fitted."""


class PlaceThresholds(Document):
    """Probabilities from which on a candidate region is shown, chosen on validation images."""

    high_sensitivity: Finite
    high_specificity: Finite


class BoxScore(Document):
    """How the logit of a region finder's box follows from its score and from the place map at its middle."""

    score: Finite
    place: Finite
    intercept: Finite


class RegionFinder(Document):
    """A network of its own that draws the boxes in place of :class:`BoxFit`: its file lies beside the card."""

    sha256: str
    enlarged: Whole
    """Side in px to which it enlarges the fitted image."""
    weights: BoxScore
    """Fitted on validation images."""
    training: str
    """What it was trained on, in a sentence."""


class Regions(Document):
    """Candidate regions: how their boxes are made, from which probability on they are shown, and how good they are."""

    fit: BoxFit
    calibration: Pair
    """Slope and intercept that turn a cell's logit into that of its region (Platt scaling)."""
    thresholds: PlaceThresholds
    free_response: FreeResponse
    points: dict[str, RegionPoint]
    """The figures at the two thresholds, by their names."""
    finder: Annotated[RegionFinder | None, _NotNull] = None
    """Missing where the boxes follow from the place map."""


class LabelNote(Document):
    """A validation study whose label of the data set contradicts what its radiographs show."""

    study: str
    """As in the model's predictions."""
    shows: str
    """What a person saw in the radiographs."""


class MirroredPass(Document):
    """For which images the mirror image is not run, since it would not change the outcome.

    An answer is the mean of the logits of an image and of its mirror image. Measured on images that were run both ways:
    none whose own logit lies below ``straight_below`` had a mean that reaches ``limit``.
    """

    straight_below: Finite
    """Logit of the image as it is."""
    limit: Finite
    """Mean logit at the high-sensitivity threshold: the lowest that is not negative."""
    images: Whole
    data: str
    """The data set and the part of it that these images are."""


class Seconds(Document):
    """How long the run took."""

    total: Finite


class Card(Document):
    """The whole card. Keys of the file that have no attribute here are in :attr:`document`."""

    name: str
    labels: Annotated[tuple[str, str], Field(strict=False)]
    """The model's words for negative and positive."""
    input: Input
    backbone: str = "unknown"
    weights: Annotated[RecordedWeights | None, _NotNull] = None
    config: RecordedConfig = Field(default_factory=dict)
    """As the run recorded it; :mod:`fracture.training.config` parses it."""
    command: str = ""
    libraries: dict[str, str] = Field(default_factory=dict)
    data: Annotated[Data | None, _NotNull] = None
    state: Literal["finished", "stopped"] = "finished"
    finished: Annotated[Moment | None, _NotNull] = None
    epochs_done: Annotated[Whole | None, _NotNull] = None
    kept_epoch: Annotated[Whole | None, _NotNull] = None
    thresholds: Annotated[dict[str, Finite], AfterValidator(_check_thresholds)]
    temperature: Finite | None = None
    metrics: Metrics
    metrics_by_data: dict[str, Metrics] | None = None
    localization: Localization | None = Field(None, alias="localisation")
    regions: Regions | None = None
    """Missing where the model was not trained on boxes, or by an earlier version."""
    label_notes: list[LabelNote] = Field(default_factory=list)
    """Written by people after the run; the metrics are by the data set's labels all the same."""
    mirrored_pass: Annotated[MirroredPass | None, _NotNull] = None
    """Missing where this was not measured: each image is then run both ways."""
    files: dict[str, str] = Field(default_factory=dict)
    """The SHA-256 of the files that decide what the model predicts, by name."""
    served: Served | None = None
    seconds: Annotated[Seconds | None, _NotNull] = None

    _document: JsonObject = PrivateAttr(default_factory=dict)

    @classmethod
    def from_json(cls, document: JsonObject) -> Self:
        """The card that a JSON document holds. Raises pydantic's ValidationError."""
        card = cls.model_validate(document)
        card._document = document
        return card

    @property
    def document(self) -> JsonObject:
        """The JSON document as it was read, with all its keys in their order."""
        return self._document
