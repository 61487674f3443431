"""The served graph: one LiteRT file that answers without TensorFlow.

Input ``image``: (1, S, S, 1) uint8, black is 0. Outputs:

- ``logit`` (1, 1);
- ``features`` (1, 2048), the last feature map averaged;
- ``cam`` (1, h, w), the class-activation map: the last feature map weighted by the head;
- of fine-tuned networks ``looks`` (1, 1280), the embedding: mixed8's map averaged, the last features that fine-tuning
  leaves rich enough to detect images out of distribution;
- of networks trained on boxes ``places`` (1, H, W), the logit of each cell.

Large weights are stored in 8 bits (dynamic-range quantization): a quarter of the size and three to four times as fast
as 32 bits.

Converting a backbone takes ten seconds or more. So a frozen one is converted once, with marks in the head's place
(:mod:`fracture.training.export.head_slot`), and cached.
"""

import hashlib
import json
import logging
import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fracture import paths
from fracture.files import atomic_write
from fracture.training.backbone.features import Preparation
from fracture.training.backbone.network import Network
from fracture.training.export.head_slot import CAM_MARK, LOGIT_MARK, place_head
from fracture.training.weights import Weights

GRAPH_VERSION = 2
"""To be raised whenever :func:`_served` builds another graph: templates converted before are then not used."""

_CHECKSUM_BYTES = hashlib.sha256().digest_size

_log = logging.getLogger(__name__)


def served_graph(network: Network, weights: Weights, preparation: Preparation, *, frozen: bool) -> bytes:
    """The LiteRT file of a trained network, ready to be written to ``model.tflite``.

    ``frozen``: the backbone has the weights that it was loaded with.
    """
    head = head_of(network)
    if not frozen:
        return _convert(_served(network, preparation, head[:-1], head, with_embedding=True))
    file = _template_file(weights, preparation)
    template = _load_template(file)
    if template is None:
        template = _convert(_served(network, preparation, CAM_MARK, LOGIT_MARK))
        _save_template(file, template)
    return place_head(template, head)


def head_of(network: Network) -> NDArray[np.float32]:
    """The unit on the averaged features (2049,): its kernel, then its bias."""
    kernel, bias = network.dense.get_weights()
    return np.concatenate([kernel.ravel(), bias]).astype("<f4")


def _template_file(weights: Weights, preparation: Preparation) -> Path:
    # What decides the bytes of a graph; another version of the converter may write others.
    key = [
        GRAPH_VERSION,
        weights.identity,
        preparation.image_size,
        preparation.input_range,
        tf.__version__,
        keras.__version__,
    ]
    digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()
    return paths.cache_home() / "graphs" / f"{digest[:24]}.sealed"


def _load_template(file: Path) -> bytes | None:
    """A cached graph; None where there is none, or a damaged one, which every later run would use."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    checksum = content[:_CHECKSUM_BYTES]
    graph = content[_CHECKSUM_BYTES:]
    if hashlib.sha256(graph).digest() != checksum:
        _log.warning("The cached graph %s is damaged: it is converted again", file.name)
        return None
    return graph


def _save_template(file: Path, graph: bytes) -> None:
    """Cache a graph; without a cache the next run takes ten seconds longer."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(file, lambda part: part.write_bytes(hashlib.sha256(graph).digest() + graph))
    except OSError as error:
        _log.warning("The converted graph could not be cached: %s", error)


def _served(
    network: Network,
    preparation: Preparation,
    cam: NDArray[np.float32],
    logit: NDArray[np.float32],
    *,
    with_embedding: bool = False,
) -> keras.Model:
    """The graph with ``cam`` (2048,) and ``logit`` (2049,), the bias last, in the head's place."""
    low, high = preparation.input_range
    size = preparation.image_size
    image = keras.Input((size, size, 1), batch_size=1, dtype="uint8", name="image")
    gray = keras.layers.Rescaling((high - low) / 255, low)(image)
    rgb = keras.ops.concatenate([gray, gray, gray], axis=-1)
    wanted = {"maps": network.backbone.output, "mixed8": network.backbone.get_layer("mixed8").output}
    if network.places:
        wanted["places"] = network.places.output
    computed = keras.Model(network.backbone.input, wanted)(rgb, training=False)
    maps = computed["maps"]  # (1, h, w, 2048)
    features = keras.ops.mean(maps, axis=(1, 2))
    # The bias is the weight of a feature that is always 1, so that it can be replaced with the others.
    with_one = keras.ops.concatenate([features, keras.ops.ones_like(features[:, :1])], axis=-1)
    outputs = {
        "logit": keras.ops.sum(with_one * logit, axis=-1, keepdims=True),
        "features": features,
        "cam": keras.ops.sum(maps * cam, axis=-1),
    }
    if with_embedding:
        outputs["looks"] = keras.ops.mean(computed["mixed8"], axis=(1, 2))
    if network.places:
        weight = float(network.whole.get_layer("places_weight").get_weights()[0].item())
        outputs["logit"] += weight * keras.ops.max(computed["places"], axis=(1, 2))
        outputs["places"] = computed["places"][..., 0]
    return keras.Model(image, outputs)


def _convert(model: keras.Model) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "graph.tflite"
        model.export(target, format="litert", verbose=False, optimizations=[tf.lite.Optimize.DEFAULT])
        return target.read_bytes()
