"""What is to be generated."""

from dataclasses import asdict, dataclass

from fracture.errors import DatasetError

DIFFICULTY = 0.2
"""0: everybody sees the abnormality; 1: specialists would argue about it."""

HARDWARE_SHARE = 0.3
"""Of the abnormal studies, those that show hardware. The others show what is harder to learn: the broken bone."""

FORMER_RULE = "former"
"""The word for a plan without a hardware share, on the command line and in messages."""

MOST_PATIENTS = 20_000
MOST_SEED = 2**31


@dataclass(frozen=True)
class Plan:
    """What is to be generated. The same plan gives the same bytes.

    ``patients``: 2 to 20,000. ``seed``: 0 to 2**31. ``difficulty``: from 0, what everyone sees, to 1, what a
    specialist would argue about. Raises DatasetError for other values.

    ``hardware_share``, 0 to 1: the probability with which an abnormal study shows a plate or a nail, whatever the
    difficulty; each study is sampled on its own, so that the share of a small set varies. The other abnormal studies
    show a fracture alone. Of those with hardware, three of five show the fracture that it holds as well, put back.

    ``hardware_share`` None is the rule of plans that were written before the field: 0.9 × (1 - difficulty²), with
    fractures that may have moved too little to be seen at any difficulty. It gives the images of that time again.
    """

    patients: int = 200
    seed: int = 1
    difficulty: float = DIFFICULTY
    hardware_share: float | None = HARDWARE_SHARE

    def __post_init__(self) -> None:
        if not 2 <= self.patients <= MOST_PATIENTS:
            raise DatasetError(f"patients must be 2 to {MOST_PATIENTS}. Received: {self.patients}")
        if not 0 <= self.seed <= MOST_SEED:
            raise DatasetError(f"seed must be 0 to {MOST_SEED}. Received: {self.seed}")
        if not 0 <= self.difficulty <= 1:
            raise DatasetError(f"difficulty must be 0 to 1. Received: {self.difficulty}")
        if self.hardware_share is not None and not 0 <= self.hardware_share <= 1:
            raise DatasetError(f"hardware_share must be 0 to 1. Received: {self.hardware_share}")

    @property
    def settings(self) -> dict[str, float]:
        """Its fields by name. ``hardware_share`` is left out where it is None, as in files written before the field."""
        return {name: value for name, value in asdict(self).items() if value is not None}
