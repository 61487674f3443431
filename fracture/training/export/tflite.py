"""The served graph: one LiteRT file that answers without TensorFlow.

Input ``image``: (1, S, S, 1) uint8, black is 0. Outputs:

- ``logit`` (1, 1);
- ``features`` (1, 2048), the last feature map averaged;
- ``cam`` (1, h, w), the class-activation map: the last feature map weighted by the head;
- of fine-tuned networks ``looks`` (1, 1280), mixed8's map averaged: the last features that fine-tuning leaves rich
  enough to tell whether an image is a radiograph at all;
- of networks that have learned from boxes ``places`` (1, H, W), what each place says, as a logit.

Large weights are stored in 8 bits
(dynamic-range quantisation): a quarter of the size and three to four times as fast as 32 bits.

Converting a backbone takes ten seconds or more. So a frozen one is converted once, with marks in the head's place
(:mod:`fracture.training.export.head_slot`), and kept in the cache.
"""

import hashlib
import json
import tempfile
from contextlib import suppress
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fracture import paths
from fracture.files import atomic_write
from fracture.training.backbone.feature_cache import Preparation
from fracture.training.backbone.network import Network
from fracture.training.export.head_slot import CAM_MARK, LOGIT_MARK, place_head
from fracture.training.weights import Weights

GRAPH = 2
"""To be raised whenever :func:`_served` draws another graph: templates converted before are then not used."""

_SEAL = hashlib.sha256().digest_size


def served_graph(network: Network, weights: Weights, view: Preparation, *, frozen: bool) -> bytes:
    """The LiteRT file of a trained network, ready to be written to ``model.tflite``.

    ``frozen``: the backbone is as the weights had it.
    """
    head = head_of(network)
    if not frozen:
        return _convert(_served(network, view, head[:-1], head, looks=True))
    said = json.dumps([GRAPH, weights.identity, view.image_size, view.input_range, tf.__version__, keras.__version__])
    file = paths.cache_home() / "graphs" / f"{hashlib.sha256(said.encode()).hexdigest()[:24]}.sealed"
    template = _kept(file)
    if template is None:
        template = _convert(_served(network, view, CAM_MARK, LOGIT_MARK))
        _keep(file, template)
    return place_head(template, head)


def head_of(network: Network) -> NDArray[np.float32]:
    """The unit on the averaged features (2049,): its kernel, then its bias."""
    return np.concatenate([np.asarray(values, "<f4").ravel() for values in network.dense.get_weights()])


def _kept(file: Path) -> bytes | None:
    """A graph that was kept; None where there is none, or not as it was: each training to come would rest on it."""
    with suppress(OSError):
        sealed = file.read_bytes()
        if hashlib.sha256(sealed[_SEAL:]).digest() == sealed[:_SEAL]:
            return sealed[_SEAL:]
    return None


def _keep(file: Path, graph: bytes) -> None:
    """Where the disk refuses, the next training takes ten seconds longer."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(file, lambda part: part.write_bytes(hashlib.sha256(graph).digest() + graph))


def _served(
    network: Network, view: Preparation, cam: NDArray[np.float32], logit: NDArray[np.float32], *, looks: bool = False
) -> keras.Model:
    """The graph with ``cam`` (2048,) and ``logit`` (2049,), the bias last, in the head's place."""
    low, high = view.input_range
    size = view.image_size
    image = keras.Input((size, size, 1), batch_size=1, dtype="uint8", name="image")
    gray = keras.layers.Rescaling((high - low) / 255, low)(image)
    rgb = keras.ops.concatenate([gray, gray, gray], axis=-1)
    tops = {"maps": network.backbone.output, "looks": network.backbone.get_layer("mixed8").output}
    if network.places:
        tops["places"] = network.places.output
    seen = keras.Model(network.backbone.input, tops)(rgb, training=False)
    maps = seen["maps"]  # (1, h, w, 2048)
    features = keras.ops.mean(maps, axis=(1, 2))
    with_one = keras.ops.concatenate([features, keras.ops.ones_like(features[:, :1])], axis=-1)
    outputs = {
        "logit": keras.ops.sum(with_one * logit, axis=-1, keepdims=True),
        "features": features,
        "cam": keras.ops.sum(maps * cam, axis=-1),
    }
    if looks:
        outputs["looks"] = keras.ops.mean(seen["looks"], axis=(1, 2))
    if network.places:
        weight = float(network.whole.get_layer("places_weight").get_weights()[0].item())
        outputs["logit"] += weight * keras.ops.max(seen["places"], axis=(1, 2))
        outputs["places"] = seen["places"][..., 0]
    return keras.Model(image, outputs)


def _convert(model: keras.Model) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "graph.tflite"
        model.export(target, format="litert", verbose=False, optimizations=[tf.lite.Optimize.DEFAULT])
        return target.read_bytes()
