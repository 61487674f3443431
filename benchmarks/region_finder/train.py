"""Trains the region finder on FracAtlas's training part.

    python -m benchmarks.region_finder.train --data FRACATLAS --outputs OUTPUTS.npz --target FILE.weights.h5

``--outputs``: of the served graph for every image, as ``benchmarks.region_features`` writes it. The shipped finder was
trained in two parts, the second of which starts from the averaged weights of the first:

    ... --steps 1000 --schedule 3500 --rate 3e-4 --target first.weights.h5
    ... --steps 1300 --init first.weights.h5 --rate 2.5e-4 --box-weight 1.5 --seed 100000 --target second.weights.h5

Scores learn the overlap of their box (Li et al., "Generalized Focal Loss", NeurIPS 2020), boxes the generalized
intersection over union (Rezatofighi et al., CVPR 2019). The weights that are written are averaged over the steps.
"""

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.region_features import graph_outputs
from benchmarks.region_finder.crops import CELLS, Crops, Targets, peak_centers, read_picture
from benchmarks.region_finder.network import build, distances
from fracture.data.dataset import scan
from fracture.inference.regions.finder import MIXED2
from fracture.registry.model_folder import bundled_model, read_card

BATCH = 16
LEAST_OVERLAP = 0.3
"""A score learns at least this in the core of a box, whatever the overlap of its box is."""


def main() -> None:
    """Train, and write the averaged weights."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--outputs", required=True, type=Path)
    parser.add_argument("--target", required=True, type=Path)
    parser.add_argument("--init", type=Path)
    parser.add_argument("--steps", required=True, type=int)
    parser.add_argument("--schedule", type=int, help="steps after which the learning rate would reach its end")
    parser.add_argument("--rate", required=True, type=float)
    parser.add_argument("--box-weight", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    crops = training_crops(args.data, args.outputs)
    model = build(bundled_model().backbone)
    if args.init:
        model.load_weights(args.init)
    trainer = Trainer(model, args.rate, args.schedule or args.steps, args.box_weight, resumed=bool(args.init))
    with ThreadPoolExecutor(1) as pool:
        ahead = [pool.submit(crops.batch, args.seed + number, BATCH) for number in range(3)]
        for number in range(args.steps):
            pixels, targets = ahead.pop(0).result()
            ahead.append(pool.submit(crops.batch, args.seed + number + 3, BATCH))
            losses = trainer.step(tf.constant(pixels), Targets(*map(tf.constant, targets)))
            if (number + 1) % 50 == 0:
                print(number + 1, " ".join(f"{float(each):.4f}" for each in losses), flush=True)
    trainer.keep_average()
    model.save_weights(args.target)


def training_crops(data: Path, outputs: Path) -> Crops:
    """The training images, with the peaks of the model's place map in the normal ones."""
    table = scan(data).table.reset_index(drop=True)
    places = graph_outputs(bundled_model(), table, outputs).places
    size = read_card(bundled_model()).input.size
    train = table[table["split"] == "train"]
    with_boxes = [read_picture(row) for _, row in train[train["boxes"] != ""].iterrows()]
    normal = train[train["label"] == 0]
    pictures = [read_picture(row) for _, row in normal.iterrows()]
    numbers = normal.index.to_numpy()
    peaks = [peak_centers(places[row], picture, size) for row, picture in zip(numbers, pictures, strict=True)]
    return Crops(with_boxes, pictures, peaks)


class Trainer:
    """AdamW with warm-up and cosine decay, and the moving average of the weights."""

    def __init__(self, model: keras.Model, rate: float, steps: int, box_weight: float, *, resumed: bool) -> None:
        warm_up = 50 if resumed else 200
        schedule = keras.optimizers.schedules.CosineDecay(
            0.0, steps, alpha=0.02, warmup_target=rate, warmup_steps=warm_up
        )
        self._model = model
        self._optimizer = keras.optimizers.AdamW(schedule, weight_decay=1e-3, global_clipnorm=5.0)
        self._optimizer.build(model.trainable_variables)
        self._average = [tf.Variable(each) for each in model.trainable_variables]
        self._box_weight = box_weight
        # A fresh network's average follows it at once; that of a trained one holds.
        self._trust = 100.0 if resumed else 1.0

    @tf.function
    def step(self, pixels: Any, targets: Targets) -> tuple[Any, Any, Any]:
        """Losses of the scores and of the boxes, and the mean overlap in the cores of true boxes."""
        with tf.GradientTape() as tape:
            scores, sides = self._model(pixels, training=True)
            overlap, generalized = _overlaps(distances(sides), targets.corners)
            score_loss, box_loss = _losses(scores[..., 0], overlap, generalized, targets)
            loss = 4 * score_loss + self._box_weight * box_loss
        gradients = tape.gradient(loss, self._model.trainable_variables)
        self._optimizer.apply_gradients(zip(gradients, self._model.trainable_variables, strict=True))
        self._update_average()
        return score_loss, box_loss, tf.reduce_sum(targets.inside * overlap) / _count(targets)

    def keep_average(self) -> None:
        """Put the averaged weights into the model."""
        for variable, average in zip(self._model.trainable_variables, self._average, strict=True):
            variable.assign(average)

    def _update_average(self) -> None:
        steps = tf.cast(self._optimizer.iterations, tf.float32)
        decay = tf.minimum(0.998, (self._trust + steps) / (self._trust + 9 + steps))
        for average, variable in zip(self._average, self._model.trainable_variables, strict=True):
            average.assign(decay * average + (1 - decay) * tf.cast(variable, tf.float32))


def _count(targets: Targets) -> Any:
    return tf.maximum(1.0, tf.reduce_sum(targets.inside))


def _overlaps(sides: Any, corners: Any) -> tuple[Any, Any]:
    """Of each cell's box (B, h, w, 4) with its true one: the intersection over union, plain and generalized."""
    middles = (MIXED2.first + 0.5 + MIXED2.apart * np.arange(CELLS)).astype(np.float32)
    across, down = np.meshgrid(middles, middles)
    at = np.stack([across, down], axis=-1)
    first, last = at - sides[..., :2], at + sides[..., 2:]
    true_first, true_last = corners[..., :2], corners[..., 2:]
    common = _area(tf.maximum(first, true_first), tf.minimum(last, true_last))
    union = _area(first, last) + _area(true_first, true_last) - common + 1e-6
    hull = _area(tf.minimum(first, true_first), tf.maximum(last, true_last)) + 1e-6
    overlap = common / union
    return overlap, overlap - (hull - union) / hull


def _area(first: Any, last: Any) -> Any:
    return tf.reduce_prod(tf.maximum(0.0, last - first), axis=-1)


def _losses(scores: Any, overlap: Any, generalized: Any, targets: Targets) -> tuple[Any, Any]:
    wanted = targets.inside * tf.stop_gradient(LEAST_OVERLAP + (1 - LEAST_OVERLAP) * overlap)
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(wanted, scores)
    focus = tf.abs(wanted - tf.sigmoid(scores)) ** 2
    score_loss = tf.reduce_sum(targets.counted * focus * entropy) / _count(targets)
    box_loss = tf.reduce_sum(targets.inside * (1 - generalized)) / _count(targets)
    return score_loss, box_loss


if __name__ == "__main__":
    main()
