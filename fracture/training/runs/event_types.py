"""What events must look like to be counted and shown; :mod:`fracture.training.events` explains their kinds."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, StrictBool, TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from fracture.documents import Document, Finite, Number, Whole
from fracture.training.events import Event

Stage = Literal["read", "features", "train", "evaluate", "save"]


class AnyEvent(TypedDict):
    """What every event says; it may say more."""

    kind: str
    time: NotRequired[Finite]


class DataEvent(AnyEvent):
    """What the run trains on."""

    images: Whole
    training: Whole
    validation: Whole
    positives: Whole
    label_names: Annotated[tuple[str, str], Field(strict=False)]
    problems: list[str]
    selection: NotRequired[Whole]
    synthetic: NotRequired[StrictBool]


class FeaturesEvent(AnyEvent):
    """How many features are extracted."""

    done: Whole
    total: Whole
    cached: Whole
    seconds_left: NotRequired[Finite | None]


class StepsEvent(AnyEvent):
    """How far the epoch is, where an epoch takes long."""

    epoch: Whole
    done: Whole
    total: Whole
    images_a_second: Finite
    seconds_left: NotRequired[Finite | None]
    loss: Number
    learning_rate: NotRequired[Finite]


class FollowedEvent(AnyEvent):
    """A few of the images that choose the epoch, whose probabilities a :class:`LookEvent` has."""

    image_ids: list[str]
    paths: list[str]
    labels: list[Literal[0, 1]]
    sha256s: NotRequired[list[str]]


class LookEvent(AnyEvent):
    """How the model does after an epoch on the images that choose it."""

    epoch: Whole
    confusion: Annotated[tuple[Whole, Whole, Whole, Whole], Field(strict=False)]
    probabilities: list[Number]


class Block(TypedDict):
    """A block of the network."""

    name: str
    shape: list[Whole | None]
    parameters: Whole


class NetworkEvent(AnyEvent):
    """The network that is trained."""

    layers: Whole
    parameters: Whole
    trainable: Whole
    rows: list[Block]


class EndEvent(AnyEvent):
    """How the run ended."""

    state: str
    seconds: Finite


class StepEvent(AnyEvent):
    """A step that has no event of its own."""

    text: str
    stage: NotRequired[Stage]
    done: NotRequired[Whole]
    total: NotRequired[Whole]


class OfEpoch(AnyEvent):
    """An event about one epoch: it was kept, or was the last one before the run was resumed."""

    epoch: Whole


class EpochEvent(Document):
    """An epoch that is done. All further keys are metrics."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Number] = Field(init=False)

    kind: str
    time: Finite = 0.0
    epoch: Whole
    epochs: Whole
    seconds: Finite
    learning_rate: Finite = 0.0


_KINDS = {
    "data": DataEvent,
    "features": FeaturesEvent,
    "steps": StepsEvent,
    "followed": FollowedEvent,
    "look": LookEvent,
    "network": NetworkEvent,
    "end": EndEvent,
    "step": StepEvent,
    "kept": OfEpoch,
    "resumed": OfEpoch,
    "epoch": EpochEvent,
}
_LAYOUTS: dict[str, TypeAdapter[Any]] = {kind: TypeAdapter(layout) for kind, layout in _KINDS.items()}


def is_known(event: Event) -> bool:
    """Whether an event is undamaged and of a kind that is counted or shown."""
    layout = _LAYOUTS.get(str(event["kind"]))
    if layout is None:
        return False
    try:
        layout.validate_python(event)
    except ValidationError:
        return False
    return True
