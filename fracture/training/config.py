"""Every setting of a run, its default, its range, and what it does."""

from dataclasses import MISSING, Field, asdict, dataclass, field, fields, replace
from math import inf
from typing import Any, Self

from fracture.errors import ConfigError
from fracture.files import JsonObject
from fracture.imaging.radiograph import FITS
from fracture.paths import is_name

LITE = "bundled-8bit"
"""The source on which heads are trained without TensorFlow."""

WEIGHT_SOURCES = ("imagenet", "bundled", LITE, "none")
"""Named sources of pre-trained weights; anything else is the path of a ``.weights.h5`` file."""


BLOCKS = tuple(f"mixed{number}" for number in range(11))
"""InceptionV3's blocks, from the lowest, by Keras's names for their ends."""

AUGMENTATIONS = ("none", "flips", "full")

MIN_SELECTION = 0.05
"""Of the training images: with fewer, the thresholds would rest on a handful of patients."""

MAX_SELECTION = 0.4
"""With half or more, a label that two patients have could be missing in what is left to train on."""


def setting(
    default: Any,
    why: str,
    *,
    low: float | None = None,
    high: float | None = None,
    among: tuple[str, ...] = (),
    mode: str = "",
) -> Any:
    """A field of :class:`TrainConfig` with the range and the help text that forms and errors show.

    Args:
        default: its value where none is given.
        why: what it does, for forms and the command line.
        low: the least number allowed.
        high: the largest number allowed.
        among: the words allowed.
        mode: the only ``mode`` that uses it; empty where both do.
    """
    return field(default=default, metadata={"why": why, "low": low, "high": high, "among": among, "mode": mode})


def used_in(each: Field[Any], mode: str) -> bool:
    """Whether a run in this mode uses the field."""
    return each.metadata.get("mode", "") in ("", mode)


_TITLES = {
    "data": "Data set",
    "also": "Further data sets",
    "l2": "L2",
    "box_weight": "Box loss weight",
    "averaging": "EMA decay",
    "patience": "Early-stopping patience",
    "selection": "Selection share",
    "strategy": "Device strategy",
    "unfreeze": "Lowest trainable block",
}


def field_title(name: str) -> str:
    """The label of a field in forms and tables: ``Learning rate``."""
    return _TITLES.get(name, name.replace("_", " ").capitalize())


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """The settings of one run. The defaults are the reference experiment (see :data:`PRESETS`).

    Raises:
        ConfigError: a value is out of its range; the message names the range and the value.
    """

    data: str
    """The data set's folder."""
    name: str
    """The model's name, which is also its folder's."""
    also: tuple[str, ...] = ()
    """Folders of further data sets, whose images are trained on as well; each is validated separately."""
    body_part: str | None = None
    """Of the first data set only images of this body part, for example ``XR_HUMERUS``; None takes all."""

    mode: str = setting(
        "head",
        "head trains the head on a frozen backbone, which runs once per image; fine-tune also trains the upper blocks",
        among=("head", "fine-tune"),
    )
    weights: str = setting(
        "imagenet",
        "pre-trained weights: imagenet (needs the internet once), bundled, bundled-8bit (head only), none (random), or "
        "the path of a .weights.h5 file",
    )
    input_range: tuple[float, float] | None = None
    """Pixel range that the weights were trained on. None: the source knows it, or the JSON beside the file says it."""
    image_size: int = setting(
        150, "side length in px; the cost grows with its square, and fractures are small", low=75, high=1024
    )
    fit: str = setting(
        "stretch", "stretch fills the square, as the reference does; letterbox keeps proportions", among=FITS
    )
    batch_size: int = setting(16, "images per step", low=1, high=1024)
    epochs: int = setting(30, "passes over the training images", low=1, high=1000)
    learning_rate: float = setting(
        1e-3, "learning rate of Adam; with fine-tune the peak of AdamW's schedule", low=1e-7, high=1.0
    )
    dropout: float = setting(0.3, "share of features that are dropped in each step", low=0.0, high=0.95)
    l2: float = setting(1e-4, "L2 penalty on the weights of the head", low=0.0, high=1.0)

    unfreeze: str = setting("mixed2", "lowest block that trains", among=BLOCKS, mode="fine-tune")
    augmentation: str = setting(
        "full",
        "none and flips let the frozen blocks run once per image; full adds rotation, zoom, shift, brightness and "
        "contrast",
        among=AUGMENTATIONS,
        mode="fine-tune",
    )
    weight_decay: float = setting(1e-4, "weight decay of AdamW", low=0.0, high=1.0, mode="fine-tune")
    label_smoothing: float = setting(
        0.05, "distance by which labels move from 0 and 1", low=0.0, high=0.5, mode="fine-tune"
    )
    class_weight: str = setting(
        "none",
        "balanced gives both labels the same weight, at the cost of calibration",
        among=("none", "balanced"),
    )
    box_weight: float = setting(
        0.0,
        "weight of the box loss, which teaches the network where a finding is; 0 turns it off",
        low=0.0,
        high=100.0,
        mode="fine-tune",
    )
    averaging: float = setting(
        0.0,
        "the model keeps an exponential moving average (EMA) of the weights with this decay; 0 turns it off",
        low=0.0,
        high=0.9999,
        mode="fine-tune",
    )
    patience: int = setting(
        0,
        "epochs without improvement after which the run stops early; 0 turns it off",
        low=0,
        high=1000,
        mode="fine-tune",
    )
    precision: str = setting(
        "float32",
        "bfloat16 takes three quarters of the time on processors that support it, and much more on others; float16 is "
        "for GPUs, where it was not measured: on a processor it took six times as long",
        among=("float32", "bfloat16", "float16"),
        mode="fine-tune",
    )
    selection: float = setting(
        0.0,
        "share of the training patients or groups that is held out to choose the epoch, the temperature and the "
        "thresholds (0.05 to 0.4); 0 chooses them on the validation images",
        low=0.0,
        high=MAX_SELECTION,
    )
    strategy: str = setting(
        "one",
        "mirrored splits each batch across all GPUs of this machine, useful for fine-tune; one uses a single device",
        among=("one", "mirrored"),
    )
    seed: int = setting(
        0,
        "seed of the initial head, image order and dropout: the same seed gives the same model",
        low=0,
        high=2**31,
    )

    def __post_init__(self) -> None:
        """Refuse what is out of range, in the words of a person."""
        if not is_name(self.name):
            raise ConfigError(
                "name must be 1 to 64 letters, digits, dots, dashes or underscores, beginning with a letter or a "
                f"digit. Received: {self.name!r}"
            )
        for each in fields(self):
            _check(each, getattr(self, each.name))
        if 0 < self.selection < MIN_SELECTION:
            raise ConfigError(
                f"selection must be 0, or {MIN_SELECTION:g} to {MAX_SELECTION:g}. Received: {self.selection!r}"
            )
        if self.strategy == "mirrored" and self.precision == "float16":
            raise ConfigError(
                f"With strategy mirrored, precision must be float32 or bfloat16. Received: {self.precision!r}"
            )
        if self.weights == LITE and (self.mode, self.strategy) != ("head", "one"):
            others = ", ".join(each for each in WEIGHT_SOURCES if each != LITE)
            raise ConfigError(
                f"With weights {LITE}, mode must be head and strategy one: it trains without TensorFlow. Received: "
                f"{self.mode} and {self.strategy}. Choose {others}, or the path of a .weights.h5 file for these."
            )
        if self.input_range and not -inf < self.input_range[0] < self.input_range[1] < inf:
            raise ConfigError(f"input_range must be two numbers, the lower first. Received: {self.input_range}")

    @property
    def teaches_places(self) -> bool:
        """Whether the network learns from boxes what each place of an image says."""
        return self.mode == "fine-tune" and self.box_weight > 0

    @classmethod
    def from_json(cls, values: JsonObject) -> Self:
        """The config that :meth:`to_json` wrote.

        Raises:
            ConfigError: a value is missing, unknown or out of range.
        """
        known = {each.name for each in fields(cls)}
        required = {each.name for each in fields(cls) if each.default is MISSING}
        unknown = sorted(values.keys() - known)
        missing = sorted(required - values.keys())
        if unknown:
            raise ConfigError(f"A run has the settings {', '.join(sorted(known))}. Received: {', '.join(unknown)}")
        if missing:
            raise ConfigError(f"A run needs {' and '.join(missing)}.")
        # JSON has no tuples.
        pixel_range = values.get("input_range")
        tuples = {"input_range": tuple(pixel_range) if pixel_range else None, "also": tuple(values.get("also", ()))}
        return cls(**{**values, **tuples})

    def changed(self, **settings: Any) -> Self:
        """The same with other settings. Raises ConfigError where one is out of range."""
        return replace(self, **settings)

    def to_json(self) -> JsonObject:
        """Plain values, ready for JSON."""
        return asdict(self)


PRESETS: dict[str, JsonObject] = {
    "reference": {},
    "fine-tune": {
        "mode": "fine-tune",
        "image_size": 299,
        "fit": "letterbox",
        "epochs": 12,
        "learning_rate": 3e-4,
        "averaging": 0.995,
        "box_weight": 0.02,
        "selection": 0.1,
    },
}
"""Named sets of settings, as differences from the defaults. ``reference`` is the experiment of the README:
InceptionV3 frozen, 150 x 150 px, batch 16, 30 epochs, Adam, dropout 0.3, one sigmoid unit with L2 1e-4. ``fine-tune``
trains what lies above the lower blocks; ``docs/bundled-model.md`` says what was tried. ``reference`` chooses its epoch
and thresholds on the validation part, as the reference experiment did; ``fine-tune`` holds out training patients."""


def _check(each: Field[Any], value: Any) -> None:
    low = each.metadata.get("low")
    high = each.metadata.get("high")
    among = each.metadata.get("among")
    if among and value not in among:
        raise ConfigError(f"{each.name} must be {' or '.join(among)}. Received: {value!r}")
    if low is None or high is None:
        return
    whole = each.type is int
    allowed = int if whole else int | float
    # In Python, bool is a subclass of int.
    if isinstance(value, bool) or not isinstance(value, allowed):
        kind = "a whole number" if whole else "a number"
        raise ConfigError(f"{each.name} must be {kind}. Received: {value!r}")
    if not low <= value <= high:
        raise ConfigError(f"{each.name} must be {low:g} to {high:g}. Received: {value!r}")
