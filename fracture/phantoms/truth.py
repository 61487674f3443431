"""The ground truth of a synthetic radiograph, exactly."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Truth:
    """The findings of one image. Boxes are (x, y, w, h) in px."""

    fracture: str
    """Its kind, as in :data:`fracture.phantoms.anatomy.fractures.KINDS`; "" for none."""
    displacement: float
    """mm between the fragments, in space; 0 for none."""
    angulation: float
    """Degrees between the fragments' axes."""
    hardware: str
    """``plate`` or ``nail``; "" for none."""
    traps: tuple[str, ...]
    """Normal structures that can mislead."""
    boxes: tuple[tuple[int, int, int, int], ...]
    """Around the fracture and around the hardware, as far as they are in the image."""
    mask: NDArray[np.bool_]
    """(H, W): the pixels of the fracture and of the hardware."""

    @property
    def abnormal(self) -> bool:
        """Whether there is a fracture or hardware."""
        return bool(self.fracture or self.hardware)

    @property
    def words(self) -> str:
        """The truth in a few words."""
        parts = []
        if self.fracture:
            moved = "not displaced"
            if self.displacement >= 0.5:
                moved = f"{self.displacement:.1f} mm displaced, {self.angulation:.0f}° angulated"
            parts.append(f"{self.fracture} fracture, {moved}")
        if self.hardware:
            parts.append({"plate": "plate with screws", "nail": "intramedullary nail"}[self.hardware])
        return "; ".join(parts) if parts else "nothing abnormal"
