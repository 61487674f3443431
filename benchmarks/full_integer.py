"""The bundled model's graph in full 8-bit integers, made from one whose weights alone are in 8 bits.

    python -m benchmarks.full_integer --data FOLDER --former GRAPH.tflite --target FILE [--images 653]

The former graph is that of version 0.1.0: ``git show v0.1.0:models/fracatlas/model.tflite``. Its weights, by channel in
8 bits, are taken over as they are: dequantized, put into the Keras network, and quantized again by the same scales. New
are the activations in integers, calibrated on every twentieth training image. The last operators, from the feature maps
on, stay in floating point: means and logits that are rounded to one of 256 values put 424 of 653 validation images out
of distribution, where the former graph put 5. Takes some minutes. On validation images are printed: AUC, changed
outcomes, and how many images are out of distribution by the detector beside the model.
"""

import argparse
import re
import tempfile
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

FLOAT_OPERATORS = ["MUL", "SUM", "MEAN", "REDUCE_MAX", "ADD", "TRANSPOSE_CONV", "STRIDED_SLICE", "BROADCAST_TO"]
"""Of these the backbone has none but the scaling of the image; they follow its feature maps."""

FLOAT_TENSORS = ["functional_1_1/concat_1"]
"""The features and a one; the backbone concatenates, too, and does so in integers."""

LAYER_NUMBER = re.compile(r"/batch_normalization(?:_(\d+))?_1/")
"""In the name of a convolution's output; Keras counts on from network to network."""

Floats = NDArray[np.float32]


def main() -> None:
    """Convert, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--former", required=True, type=Path)
    parser.add_argument("--target", required=True, type=Path)
    parser.add_argument("--images", type=int, default=653)
    args = parser.parse_args()
    folder = bundled_model()
    table = scan(args.data).table.reset_index(drop=True)
    training = table[table["split"] == "train"].iloc[::CALIBRATE_EVERY]
    args.target.write_bytes(convert(folder, args.former, training["path"].tolist()))
    valid = table[table["split"] == "valid"].iloc[: args.images]
    compare(folder, args.former, args.target, valid)


def convert(folder: ModelFolder, former: Path, paths: list[str]) -> bytes:
    """The graph in full integers, its activations calibrated on images."""
    import tensorflow as tf

    taken = read_card(folder).input

    def calibration() -> Iterator[list[NDArray[np.uint8]]]:
        for path in paths:
            yield [fit(load(Path(path)).pixels, taken.size, taken.fit)[None, :, :, None]]

    model = in_keras(folder, former)
    with tempfile.TemporaryDirectory() as saved:
        model.export(saved, format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = calibration
        # The one way of TensorFlow to leave operators out of quantization.
        options = tf.lite.experimental.QuantizationDebugOptions(
            denylisted_ops=FLOAT_OPERATORS, denylisted_nodes=FLOAT_TENSORS
        )
        debugger = tf.lite.experimental.QuantizationDebugger(converter=converter, debug_options=options)
        content: bytes = debugger.get_nondebug_quantized_model()
    return content


def in_keras(folder: ModelFolder, former: Path) -> Any:
    """The former graph as a Keras model with the same weights."""
    from fracture.training.backbone.features import Preparation
    from fracture.training.backbone.network import build_network
    from fracture.training.config import TrainConfig
    from fracture.training.export import tflite
    from fracture.training.weights import find_weights

    taken = read_card(folder).input
    choices = {"mode": "fine-tune", "box_weight": 0.1, "image_size": taken.size, "fit": taken.fit}
    config = TrainConfig(data="x", name="x", weights="bundled", precision="float32", **choices)
    weights = find_weights(config)
    network = build_network(config, weights)
    _set_backbone(network.backbone, convolutions(former))
    heads = served_heads(former)
    network.dense.set_weights([heads["head"][:-1, None], heads["head"][-1:]])
    network.whole.get_layer("places_weight").set_weights([heads["weight"].reshape(1, 1)])
    network.whole.get_layer("places_fine").set_weights([heads["fine"].reshape(1, 1, 768, 1), heads["bias"]])
    network.whole.get_layer("places_coarse").set_weights([heads["coarse"].transpose(1, 2, 0, 3)])
    preparation = Preparation(taken.size, taken.fit, weights.input_range)
    return tflite._served(network, preparation, heads["head"][:-1], heads["head"], with_embedding=True)


def _set_backbone(backbone: Any, folded: list[tuple[Floats, Floats]]) -> None:
    """Give each convolution its folded kernel, and batch normalization the bias and nothing else to do."""
    import keras

    kinds = (keras.layers.Conv2D, keras.layers.BatchNormalization)
    layers = [sorted((each for each in backbone.layers if isinstance(each, kind)), key=_number) for kind in kinds]
    for convolution, normalization, (kernel, bias) in zip(*layers, folded, strict=True):
        convolution.set_weights([kernel])
        zeros = np.zeros_like(bias)
        normalization.set_weights([bias, zeros, zeros + 1 - normalization.epsilon])


def _number(layer: Any) -> int:
    found = re.search(r"_(\d+)$", layer.name)
    return int(found[1]) if found else 0


def convolutions(graph: Path) -> list[tuple[Floats, Floats]]:
    """Kernels (H, W, C, F) and biases (F,) of the backbone, in the order in which Keras numbers them."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(graph.read_bytes(), 0)
    subgraph = model.subgraphs[0]

    def values(number: int) -> Floats:
        tensor = subgraph.tensors[number]
        stored = model.buffers[tensor.buffer].data
        if tensor.type == schema.TensorType.FLOAT32:
            return stored.view(np.float32).reshape(tensor.shape).copy()
        scales = np.asarray(tensor.quantization.scale, np.float32)
        return stored.view(np.int8).reshape(tensor.shape) * scales.reshape(-1, 1, 1, 1)

    found = {}
    for operator in subgraph.operators:
        numbered = LAYER_NUMBER.search(subgraph.tensors[operator.outputs[0]].name.decode())
        if numbered and len(operator.inputs) == 3:
            _, kernel, bias = operator.inputs
            found[int(numbered[1] or 0)] = values(kernel).transpose(1, 2, 3, 0), values(bias)
    return [found[number] for number in sorted(found)]


def served_heads(graph: Path) -> dict[str, Floats]:
    """The weights of the heads, read from a graph whose activations are not in integers."""
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


def compare(folder: ModelFolder, former: Path, target: Path, table: pd.DataFrame) -> None:
    """Run both graphs on images, and print."""
    classifier = Classifier(folder)
    detector = classifier.ood_detector
    graphs = {name: Graph(file.read_bytes()) for name, file in (("former", former), ("full integer", target))}
    logits: dict[str, list[float]] = {name: [] for name in graphs}
    embeddings: dict[str, list[Floats]] = {name: [] for name in graphs}
    for path in table["path"]:
        pixels = fit(load(Path(path)).pixels, classifier.card.input.size, classifier.card.input.fit)
        for name, graph in graphs.items():
            straight, mirrored = graph.run_all(pixels, pixels[:, ::-1])
            logits[name].append((straight.logit + mirrored.logit) / 2)
            embeddings[name].append(straight.embedding)
    outcomes = {}
    for name, values in logits.items():
        probabilities = [probability_of(value, classifier.card.temperature) for value in values]
        outcomes[name] = np.digitize(probabilities, [classifier.limits.low, classifier.limits.high])
        closeness = detector.distances(np.stack(embeddings[name])) / detector.threshold
        auc = roc_auc_score(table["label"], values)
        print(
            f"{name}: AUC {auc:.4f} on {len(table):,} images; {(closeness > 1).sum()} out of distribution, "
            f"median distance {np.median(closeness):.2f} of the limit"
        )
    changed = (outcomes["former"] != outcomes["full integer"]).sum()
    difference = np.abs(np.subtract(logits["former"], logits["full integer"]))
    print(f"{changed} outcomes differ; logits by {difference.mean():.2f} on average, {difference.max():.2f} at most")


if __name__ == "__main__":
    main()
