"""What is to be generated."""

from dataclasses import dataclass

from fracture.errors import DatasetError

DIFFICULTY = 0.2
"""0: everybody sees the abnormality; 1: specialists would argue about it."""

MOST_PATIENTS = 20_000
MOST_SEED = 2**31


@dataclass(frozen=True)
class Plan:
    """What is to be generated. The same plan gives the same bytes.

    ``patients``: 2 to 20,000. ``seed``: 0 to 2**31. ``difficulty``: from 0, what everyone sees, to 1, what a
    specialist would argue about. Raises DatasetError for other values.
    """

    patients: int = 200
    seed: int = 1
    difficulty: float = DIFFICULTY

    def __post_init__(self) -> None:
        if not 2 <= self.patients <= MOST_PATIENTS:
            raise DatasetError(f"patients must be 2 to {MOST_PATIENTS}. Received: {self.patients}")
        if not 0 <= self.seed <= MOST_SEED:
            raise DatasetError(f"seed must be 0 to {MOST_SEED}. Received: {self.seed}")
        if not 0 <= self.difficulty <= 1:
            raise DatasetError(f"difficulty must be 0 to 1. Received: {self.difficulty}")
