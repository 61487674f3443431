"""The head of a network on its last maps: which channels make the logit, and what other weights would give.

The head is one unit on the averaged maps of mixed10, so that its class-activation map is the sum of these maps, each
times its weight, and the mean of that map is the logit without the rest (Zhou et al., "Learning Deep Features for
Discriminative Localization", CVPR 2016). The rest is the bias, and what the cells of a network trained on boxes add.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fracture.inference.inside.maps import Maps


@dataclass(frozen=True)
class WeightedMaps:
    """The last maps of one image and the weights of their channels."""

    maps: Maps
    """(h, w, C), of mixed10."""
    weights: NDArray[np.float32]
    """(C,)."""
    bias: float
    logit: float

    @property
    def features(self) -> NDArray[np.float32]:
        """(C,): each map's mean."""
        means: NDArray[np.float32] = self.maps.mean(axis=(0, 1))
        return means

    @property
    def contributions(self) -> NDArray[np.float32]:
        """(C,): what each channel adds to the logit, its weight times its map's mean."""
        return self.weights * self.features

    @property
    def cells(self) -> float:
        """What the cells of a network trained on boxes add to the logit; about 0 for other networks."""
        return self.logit - float(self.contributions.sum()) - self.bias

    def strongest(self, count: int) -> list[int]:
        """The channels that add or take most, the largest first."""
        order = np.argsort(-np.abs(self.contributions), kind="stable")
        chosen: list[int] = order[:count].tolist()
        return chosen

    def activation_map(self, channels: list[int] | None = None) -> NDArray[np.float32]:
        """The class-activation map (h, w): the maps, weighted and summed. ``channels``: of these alone."""
        if channels is None:
            return (self.maps @ self.weights).astype(np.float32)
        return (self.maps[..., channels] @ self.weights[channels]).astype(np.float32)

    def reweighted(self, channel: int, weight: float) -> "WeightedMaps":
        """The same with another weight of one channel: its share of the logit changes, and all else stays."""
        weights = self.weights.copy()
        weights[channel] = weight
        added = (float(weights[channel]) - float(self.weights[channel])) * float(self.features[channel])
        return WeightedMaps(self.maps, weights, self.bias, self.logit + added)
