"""The bundled model's graph in full 8-bit integers, against the served one, whose weights alone are in 8 bits.

    python -m benchmarks.full_integer --data FOLDER --target FOLDER [--images 653]

Builds the network from the model's 16-bit backbone, takes its heads from the served graph, and converts it twice:
to 32-bit floating point, and to full integers with weights quantized by channel and activations calibrated on every
twentieth training image. Both graphs are written into the target folder, for ``benchmarks.runtimes``. On validation
images are printed: AUC, changed outcomes, and how many are out of distribution by the served graph's detector.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from fracture.data.dataset import scan
from fracture.imaging.radiograph import fit, load
from fracture.inference.classifier import Classifier
from fracture.inference.litert import Graph
from fracture.inference.prediction import probability_of
from fracture.registry.model_folder import ModelFolder, bundled_model, read_card

CALIBRATE_EVERY = 20


def main() -> None:
    """Convert, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--target", required=True, type=Path)
    parser.add_argument("--images", type=int, default=653)
    args = parser.parse_args()
    folder = bundled_model()
    table = scan(args.data).table.reset_index(drop=True)
    training = table[table["split"] == "train"].iloc[::CALIBRATE_EVERY]
    args.target.mkdir(parents=True, exist_ok=True)
    graph = convert(folder, training["path"].tolist(), args.target)
    valid = table[table["split"] == "valid"].iloc[: args.images]
    compare(folder, graph, valid)


def convert(folder: ModelFolder, paths: list[str], target: Path) -> Graph:
    """Write the graph in floating point and in full integers; returns the latter."""
    import tensorflow as tf

    model = served_in_keras(folder)
    taken = read_card(folder).input

    def calibration() -> Iterator[list[NDArray[np.uint8]]]:
        for path in paths:
            yield [fit(load(Path(path)).pixels, taken.size, taken.fit)[None, :, :, None]]

    model.export(target / "float32.tflite", format="litert", verbose=False)
    file = target / "full_integer.tflite"
    optimizations = [tf.lite.Optimize.DEFAULT]
    model.export(file, format="litert", verbose=False, optimizations=optimizations, representative_dataset=calibration)
    return Graph(file.read_bytes())


def served_in_keras(folder: ModelFolder) -> Any:
    """The served graph as a Keras model, with the 16-bit backbone and the served heads."""
    from fracture.training.backbone.features import Preparation
    from fracture.training.backbone.network import build_network
    from fracture.training.config import TrainConfig
    from fracture.training.export import tflite
    from fracture.training.weights import find_weights

    taken = read_card(folder).input
    choices = {"mode": "fine-tune", "box_weight": 0.1, "image_size": taken.size, "fit": taken.fit}
    config = TrainConfig(data="x", name="x", weights="bundled", **choices)
    weights = find_weights(config)
    network = build_network(config, weights)
    heads = served_heads(folder.served_model)
    network.dense.set_weights([heads["head"][:-1, None], heads["head"][-1:]])
    network.whole.get_layer("places_weight").set_weights([heads["weight"].reshape(1, 1)])
    network.whole.get_layer("places_fine").set_weights([heads["fine"].reshape(1, 1, 768, 1), heads["bias"]])
    network.whole.get_layer("places_coarse").set_weights([heads["coarse"].transpose(1, 2, 0, 3)])
    preparation = Preparation(taken.size, taken.fit, weights.input_range)
    return tflite._served(network, preparation, heads["head"][:-1], heads["head"], with_embedding=True)


def served_heads(graph: Path) -> dict[str, NDArray[np.float32]]:
    """The weights of the heads, read from the served graph."""
    from ai_edge_litert.interpreter import Interpreter

    wanted = {
        "head": ("Const", (2049,)),
        "weight": ("Const_1", ()),
        "fine": ("places_fine", (1, 1, 1, 768)),
        "bias": ("places_fine", (1,)),
        "coarse": ("places_coarse", (1, 3, 3, 2048)),
    }
    interpreter = Interpreter(str(graph))
    interpreter.allocate_tensors()
    details = interpreter.get_tensor_details()
    found = {}
    for head, (name, shape) in wanted.items():
        (tensor,) = (each for each in details if name in each["name"] and tuple(each["shape"]) == shape)
        values = interpreter.get_tensor(tensor["index"]).astype(np.float32)
        scales = tensor["quantization_parameters"]["scales"]
        found[head] = values * scales[0] if len(scales) else values
    return found


def compare(folder: ModelFolder, graph: Graph, table: pd.DataFrame) -> None:
    """Run both graphs on images, and print."""
    classifier = Classifier(folder)
    detector = classifier.ood_detector
    served = Graph(folder.served_model.read_bytes())
    logits = {"served": [], "full integer": []}
    embeddings = {"served": [], "full integer": []}
    for path in table["path"]:
        pixels = fit(load(Path(path)).pixels, graph.size, classifier.card.input.fit)
        for name, each in (("served", served), ("full integer", graph)):
            straight, mirrored = each.run_all(pixels, pixels[:, ::-1])
            logits[name].append((straight.logit + mirrored.logit) / 2)
            embeddings[name].append(straight.embedding)
    outcomes = {}
    for name, values in logits.items():
        probabilities = [probability_of(value, classifier.card.temperature) for value in values]
        outcomes[name] = np.digitize(probabilities, classifier.limits)
        closeness = detector.distances(np.stack(embeddings[name])) / detector.threshold
        auc = roc_auc_score(table["label"], values)
        print(
            f"{name}: AUC {auc:.4f} on {len(table):,} images; {(closeness > 1).sum()} out of distribution, "
            f"median distance {np.median(closeness):.2f} of the limit"
        )
    changed = (outcomes["served"] != outcomes["full integer"]).sum()
    difference = np.abs(np.subtract(logits["served"], logits["full integer"]))
    print(f"{changed} outcomes differ; logits by {difference.mean():.2f} on average, {difference.max():.2f} at most")


if __name__ == "__main__":
    main()
