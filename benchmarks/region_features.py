"""What the bundled model knows about places, kept in files for ``benchmarks.region_ways``.

    python -m benchmarks.region_features --data FRACATLAS --outputs FILE.npz --target FILE.npz

``--outputs``: of the served graph for every image, straight and mirrored; computed where the file is missing.
``--target``: the maps of the Inception blocks mixed1 (8 px a cell) and mixed4 (16 px a cell) around the cells of true
boxes in training images and around the peaks in fractured validation images, in 16 bits, from the Keras backbone.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.data.dataset import scan
from fracture.evaluation.box_fit import MAX_DISTANCE, Floats, Mapped
from fracture.evaluation.region_fit import mapped, needs_places
from fracture.imaging.radiograph import fit, load
from fracture.inference.heatmap import MIXED7
from fracture.inference.litert import Graph
from fracture.inference.regions.candidates import find_peaks, mean_places
from fracture.registry.model_folder import ModelFolder, bundled_model, read_card

BATCH = 8

CELLS_OF_BOX = 4
"""The most cells of a true box, the likeliest ones, that the fit of boxes learns from."""

REACH = {"mixed1": 3, "mixed4": 2}
"""Cells around the middle one that are kept, on each side."""


class Outputs(NamedTuple):
    """What the served graph gives for the N images of a data set."""

    logit: Floats  # (N,), the mean of the image and its mirror image
    straight: Floats  # (N, h, w): the place map, in logits
    mirrored: Floats  # (N, h, w): that of the mirror image, turned back
    embedding: NDArray[np.float32]  # (N, 1280)

    @property
    def places(self) -> Floats:
        """(N, h, w): the mean place map."""
        return (self.straight + self.mirrored) / 2


class Spot(NamedTuple):
    """A cell of a place map, and, where one is near, the true box as it is seen from there."""

    image: int
    """The image's row in the table."""
    row: int
    column: int
    weight: float
    """The weights of a true box's cells add up to 1."""
    target: tuple[float, float, float, float] | None
    """The middle of the box from the middle of the cell, and the logarithm of its sides, across and down, in cells."""


def main() -> None:
    """Compute what is missing, and write the crops."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--outputs", required=True, type=Path)
    parser.add_argument("--target", required=True, type=Path)
    args = parser.parse_args()
    folder = bundled_model()
    taken = read_card(folder).input
    table = scan(args.data).table.reset_index(drop=True)
    outputs = graph_outputs(folder, table, args.outputs)
    spots = [*training_spots(table, outputs, taken.size, taken.fit), *peak_spots(table, outputs, taken.size, taken.fit)]
    crops = feature_crops(folder, table, spots)
    np.savez(args.target, **crops)
    print(f"{len(spots)} cells written: " + ", ".join(f"{name} {crop.shape}" for name, crop in crops.items()))


def graph_outputs(folder: ModelFolder, table: pd.DataFrame, kept: Path) -> Outputs:
    """The outputs of the served graph for each row of the table; from a file, where there is one."""
    if not kept.exists():
        _run_graph(folder, table, kept)
    stored = np.load(kept)
    straight = stored["places"][:, 0].astype(np.float64)
    mirrored = stored["places"][:, 1].astype(np.float64)
    return Outputs((stored["logit"] + stored["mirrored"]) / 2, straight, mirrored, stored["embedding"])


def _run_graph(folder: ModelFolder, table: pd.DataFrame, kept: Path) -> None:
    taken = read_card(folder).input
    graph = Graph(folder.served_model.read_bytes())
    logits = []
    places = []
    embeddings = []
    for path in table["path"]:
        pixels = fit(load(Path(path)).pixels, taken.size, taken.fit)
        straight, mirrored = graph.run_all(pixels, pixels[:, ::-1])
        first = mean_places(straight, None, taken.size)
        logits.append((straight.logit, mirrored.logit))
        places.append((first, 2 * mean_places(straight, mirrored, taken.size) - first))
        embeddings.append(straight.embedding)
    logit, mirrored_logit = np.array(logits).T
    np.savez(kept, logit=logit, mirrored=mirrored_logit, places=np.array(places), embedding=np.array(embeddings))


def with_boxes(table: pd.DataFrame, split: str) -> pd.DataFrame:
    """The images of a split that have true boxes."""
    return table[needs_places(table) & (table["split"] == split) & (table["boxes"] != "")]


def training_spots(table: pd.DataFrame, outputs: Outputs, size: int, how: str) -> list[Spot]:
    """The likeliest cells of each true box of the training images."""
    part = with_boxes(table, "train")
    images = mapped(part, dict(enumerate(outputs.places)), size, how)
    return [spot for row, image in zip(part.index, images, strict=True) for spot in _spots_of(int(row), image)]


def _spots_of(number: int, image: Mapped) -> Iterator[Spot]:
    middles = MIXED7.first + 0.5 + MIXED7.apart * np.arange(len(image.places))
    for x, y, width, height in boxes_px(image):
        across = np.abs(middles - x - width / 2) <= width / 2 + MAX_DISTANCE
        down = np.abs(middles - y - height / 2) <= height / 2 + MAX_DISTANCE
        rows, columns = np.nonzero(down[:, None] & across[None, :])
        order = np.argsort(-image.places[rows, columns])[:CELLS_OF_BOX]
        for row, column in zip(rows[order], columns[order], strict=True):
            offset = np.array([x + width / 2 - middles[column], y + height / 2 - middles[row]]) / MIXED7.apart
            log_side = np.log(np.array([width, height]) / MIXED7.apart)
            target = (float(offset[0]), float(offset[1]), float(log_side[0]), float(log_side[1]))
            yield Spot(number, int(row), int(column), 1 / len(order), target)


def peak_spots(table: pd.DataFrame, outputs: Outputs, size: int, how: str) -> list[Spot]:
    """The peaks of the validation images with true boxes; boxes of other images are false whatever their sides."""
    part = with_boxes(table, "valid")
    spots = []
    for number, image in zip(part.index, mapped(part, dict(enumerate(outputs.places)), size, how), strict=True):
        peaks = find_peaks(image.places, image.framed)
        for row, column in zip(peaks.rows, peaks.columns, strict=True):
            spots.append(Spot(int(number), int(row), int(column), 1.0, None))
    return spots


def boxes_px(image: Mapped) -> Floats:
    """The true boxes of an image on its square: (B, 4), x, y, width, height in px."""
    framed = image.framed
    scale = np.array([framed.width, framed.height] * 2)
    shift = np.array([framed.left, framed.top, 0, 0])
    boxes: Floats = np.array(image.boxes).reshape(-1, 4) * scale + shift
    return boxes


def feature_crops(folder: ModelFolder, table: pd.DataFrame, spots: Sequence[Spot]) -> dict[str, NDArray[np.float16]]:
    """The maps around each spot, by block: (spots, cells * cells * channels)."""
    network = _blocks(folder)
    images = sorted({spot.image for spot in spots})
    crops: dict[str, list[Any]] = {name: [None] * len(spots) for name in REACH}
    by_image: dict[int, list[int]] = {image: [] for image in images}
    for number, spot in enumerate(spots):
        by_image[spot.image].append(number)
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH]
        for name, maps in network(table.loc[batch, "path"].tolist()).items():
            for image, values in zip(batch, maps, strict=True):
                padded = _padded(values, REACH[name])
                for number in by_image[image]:
                    crops[name][number] = _crop(padded, spots[number], name)
    return {name: np.stack(each) for name, each in crops.items()}


def _blocks(folder: ModelFolder) -> Any:
    """A function from paths of images to the maps of the blocks, by name."""
    import keras

    from fracture.training.backbone.network import build_network
    from fracture.training.config import TrainConfig
    from fracture.training.weights import find_weights

    taken = read_card(folder).input
    choices: dict[str, Any] = {"mode": "fine-tune", "box_weight": 0.1, "image_size": taken.size, "fit": taken.fit}
    config = TrainConfig(data="x", name="x", weights="bundled", **choices)
    weights = find_weights(config)
    low, high = weights.input_range
    backbone = build_network(config, weights).backbone
    model = keras.Model(backbone.input, {name: backbone.get_layer(name).output for name in REACH})

    def run(paths: list[str]) -> dict[str, Any]:
        pixels = np.stack([fit(load(Path(path)).pixels, taken.size, taken.fit) for path in paths])
        scaled = pixels[..., None].astype(np.float32) * ((high - low) / 255) + low
        result: dict[str, Any] = model.predict_on_batch(np.repeat(scaled, 3, axis=-1))
        return result

    return run


def _padded(values: NDArray[np.float32], reach: int) -> NDArray[np.float16]:
    return np.pad(values, ((reach, reach), (reach, reach), (0, 0))).astype(np.float16)


def _crop(padded: NDArray[np.float16], spot: Spot, name: str) -> NDArray[np.float16]:
    # mixed1's cells are 8 px apart from 13 px on: the place map's cell k lies on its cell 2k + 1.
    row, column = (2 * spot.row + 1, 2 * spot.column + 1) if name == "mixed1" else (spot.row, spot.column)
    side = 2 * REACH[name] + 1
    return padded[row : row + side, column : column + side].ravel()


if __name__ == "__main__":
    main()
