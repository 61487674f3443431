"""The plan of the shipped set, and its images: generated again where a lab shows one, and then cached."""

import logging
import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fracture.documents import Document, Finite, Whole
from fracture.errors import DatasetError
from fracture.files import atomic_write
from fracture.imaging.annotations import decode_mask
from fracture.paths import cache_home
from fracture.phantoms.plan import Plan
from fracture.phantoms.records import png, read_png, row_of
from fracture.phantoms.study import SIZE, Phantom, generate_study

_IMAGE_ID = re.compile(r"patient(\d+)_study(\d+)_image(\d+)\.png")

_log = logging.getLogger(__name__)


class ShippedPlan(Document):
    """The file ``plan.json``: how the images of the set were generated and prepared.

    Every second patient is abnormal in all studies, as in follow-ups of one fracture: so a label is a property of the
    patient, and each patient has several images.
    """

    patients: Whole
    studies: Whole
    """Of each patient."""
    seed: Whole
    difficulty: Finite
    hardware_share: Finite
    renderer: Whole
    """See :data:`fracture.phantoms.job.RENDERER`."""
    image_size: Whole
    """Side in px of the images that the backbone got."""
    fit: str
    weights: str
    """Identity of the backbone's weights."""
    preprocessing: Whole
    """See :data:`fracture.imaging.radiograph.PREPROCESSING_VERSION`."""

    def generate(self, patient: int, study: int, views: int | None = None) -> list[Phantom]:
        """The views of a study, or the first few."""
        return generate_study(
            self.seed,
            patient,
            study,
            self.difficulty,
            abnormal=is_abnormal(patient),
            views=views,
            hardware_share=self.hardware_share,
        )


def is_abnormal(patient: int) -> bool:
    """Whether a patient of the set, from 1, is abnormal."""
    return patient % 2 == 1


class ShippedImage(NamedTuple):
    """An image of the set."""

    pixels: NDArray[np.uint8]
    """(H, W)."""
    mask: NDArray[np.bool_]
    """(H, W): the pixels of the fracture and of the hardware."""


@dataclass(frozen=True)
class ImageNumbers:
    """Which image of the set: each number from 1."""

    patient: int
    study: int
    view: int

    @property
    def image_id(self) -> str:
        """Its name in the table."""
        return f"patient{self.patient:03d}_study{self.study}_image{self.view}.png"


def parse_image_id(image_id: str) -> ImageNumbers:
    """The numbers of an image. Raises DatasetError for other names."""
    found = _IMAGE_ID.fullmatch(image_id)
    if found is None:
        raise DatasetError(f"A shipped image is named like patient001_study1_image1.png. Received: {image_id[:80]!r}")
    patient, study, view = map(int, found.groups())
    return ImageNumbers(patient, study, view)


def shipped_image(plan: ShippedPlan, image_id: str) -> ShippedImage:
    """An image of the set: from the cache, or else generated, which takes about a second.

    Raises DatasetError where the set has no such image.
    """
    numbers = parse_image_id(image_id)
    # Another plan or renderer gives other pixels under the same names.
    folder = cache_home() / "phantoms" / f"{plan.renderer}-{plan.seed}-{plan.difficulty:g}-{plan.hardware_share:g}"
    path = folder / image_id
    try:
        return _read(path)
    except (OSError, SyntaxError, ValueError, KeyError) as missing:
        _log.info("%s is generated: %s", path, missing)
    phantom = _generate(plan, numbers)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        content = _png(plan, numbers, phantom)
        atomic_write(path, lambda part: part.write_bytes(content))
    except OSError as error:
        _log.warning("%s cannot be cached: %s", path, error)
    return ShippedImage(phantom.pixels, phantom.truth.mask)


def _generate(plan: ShippedPlan, numbers: ImageNumbers) -> Phantom:
    in_set = 1 <= numbers.patient <= plan.patients and 1 <= numbers.study <= plan.studies
    views = plan.generate(numbers.patient, numbers.study, numbers.view) if in_set else []
    if not 1 <= numbers.view <= len(views):
        raise DatasetError(f"The shipped set has no image {numbers.image_id}; choose one of its table.")
    return views[numbers.view - 1]


def _png(plan: ShippedPlan, numbers: ImageNumbers, phantom: Phantom) -> bytes:
    row = row_of(phantom, numbers.image_id, numbers.patient, numbers.study, plan.difficulty)
    return png(phantom, row, Plan(plan.patients, plan.seed, plan.difficulty, plan.hardware_share))


def _read(path: Path) -> ShippedImage:
    from PIL import Image

    content = path.read_bytes()
    row = read_png(path, path.name)
    pixels = np.array(Image.open(BytesIO(content)))
    return ShippedImage(pixels, decode_mask(row["mask"], SIZE, SIZE))
