"""InceptionV3 and its head.

Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016 (arXiv 1512.00567). The head is
global average pooling, dropout and one sigmoid unit: for such a head the class-activation map is exact (Zhou et al.,
"Learning Deep Features for Discriminative Localization", CVPR 2016, equation 2).
"""

import logging
import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from keras import layers

from fracture.errors import WeightsError
from fracture.files import JsonObject
from fracture.training.backbone.distribution import devices
from fracture.training.backbone.features import FEATURES
from fracture.training.config import TrainConfig
from fracture.training.weights import SOURCES, Weights

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Network:
    """One network as several Keras models that share their layers: training one trains them all."""

    backbone: keras.Model
    """(B, S, S, 3) in the weights' pixel range -> feature map (B, h, w, 2048); h = w = 3 at 150 px, 8 at 299."""
    head: keras.Model
    """Averaged features (B, 2048) -> probability (B, 1): all that trains while the backbone is frozen."""
    whole: keras.Model
    """(B, S, S, 3) -> probability (B, 1)."""
    places: keras.Model | None
    """(B, S, S, 3) -> the logit of each cell (B, H, W, 1); H = W = 17 at 299 px. None without boxes."""

    @property
    def dense(self) -> Any:
        """The unit on the averaged features: kernel (2048, 1), bias (1,)."""
        return self.head.get_layer("head")


def build_network(config: TrainConfig, weights: Weights) -> Network:
    """A network with a fresh head; the mode decides what trains of its backbone. The same seed gives the same network.

    Raises:
        WeightsError: the weights cannot be fetched or do not fit.
    """
    # Random weights, the head's start and dropout all follow from this.
    keras.utils.set_random_seed(config.seed)
    # The policy is set for each network, not once for the process: a network that was trained in 16 bits is built again
    # in 32 to be saved. It is global because keras.applications takes none as an argument.
    mixed_precision = config.mode == "fine-tune" and config.precision != "float32"
    keras.config.set_dtype_policy(f"mixed_{config.precision}" if mixed_precision else "float32")
    with devices(config).scope():
        return _build(config, weights)


def _build(config: TrainConfig, weights: Weights) -> Network:
    backbone = _load_backbone(config.image_size, weights)
    _set_trainable(backbone, config)
    dropout = layers.Dropout(config.dropout, seed=config.seed, name="dropout")
    dense = layers.Dense(1, kernel_regularizer=keras.regularizers.L2(config.l2), dtype="float32", name="head")
    sigmoid = layers.Activation("sigmoid", dtype="float32", name="probability")
    # Dropout and unit are shared: the head is trained on features, and answers as part of the whole network.
    pooled = keras.Input((FEATURES,), name="pooled")
    places = _places(backbone, config) if config.teaches_places else None
    averaged = layers.GlobalAveragePooling2D(name="features")(backbone.output)
    logit = dense(dropout(averaged))
    if places is not None:
        strongest = layers.GlobalMaxPooling2D(name="strongest_place")(places)
        weighted = layers.Dense(1, use_bias=False, kernel_initializer="ones", dtype="float32", name="places_weight")
        logit = layers.Add(dtype="float32", name="logit")([logit, weighted(strongest)])
    return Network(
        backbone=backbone,
        head=keras.Model(pooled, sigmoid(dense(dropout(pooled))), name="head_only"),
        whole=keras.Model(backbone.input, sigmoid(logit), name="inception_v3_binary"),
        places=None if places is None else keras.Model(backbone.input, places, name="places"),
    )


def _places(backbone: keras.Model, config: TrainConfig) -> Any:
    """The logit of each cell (B, H, W, 1): of mixed7's cells, plus of mixed10's, upsampled to twice as many.

    As in a feature pyramid (Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017, section 3), the
    upper map is better at what, the lower one at where.
    """
    dropout = layers.Dropout(config.dropout, seed=config.seed + 1, name="places_dropout")
    lower = dropout(backbone.get_layer("mixed7").output)
    # Few cells are within a box: training begins at a probability of 0.02 instead of 0.5.
    rare = keras.initializers.Constant(-4.0)
    fine = layers.Conv2D(1, 1, dtype="float32", bias_initializer=rare, name="places_fine")
    coarse = layers.Conv2DTranspose(1, 3, strides=2, use_bias=False, dtype="float32", name="places_coarse")
    upsampled = coarse(backbone.output)
    surplus = lower.shape[1] - upsampled.shape[1]  # 1 where mixed8's stride drops the last row and column
    cropped = layers.Cropping2D(((0, surplus), (0, surplus)), name="places_crop")(lower)
    return layers.Add(dtype="float32", name="places")([fine(cropped), upsampled])


def _set_trainable(backbone: keras.Model, config: TrainConfig) -> None:
    """Freeze the backbone; in fine-tuning only what is below ``unfreeze``, and every batch normalization.

    The averages of batch normalization come from a million images; those of a few thousand in batches of 16 would
    be worse. A frozen one is in inference mode, too.
    """
    backbone.trainable = False
    if config.mode == "fine-tune":
        first = backbone.layers.index(entry_of(backbone, config.unfreeze)) + 1
        for layer in backbone.layers[first:]:
            layer.trainable = not isinstance(layer, layers.BatchNormalization)


def entry_of(backbone: keras.Model, block: str) -> Any:
    """The layer whose output enters a block: the end of the block below, or of the stem."""
    number = int(block.removeprefix("mixed"))
    if number:
        return backbone.get_layer(f"mixed{number - 1}")
    stem_pools = [layer for layer in backbone.layers if isinstance(layer, layers.MaxPooling2D)]
    return stem_pools[1]  # the stem has two, and ends with the second


def _load_backbone(image_size: int, weights: Weights) -> keras.Model:
    shape = (image_size, image_size, 3)
    if weights.source == "imagenet":
        return _load_imagenet(shape)
    backbone = keras.applications.InceptionV3(weights=None, include_top=False, input_shape=shape)
    if weights.path is not None:
        _load_file(backbone, weights)
    return backbone


def _load_imagenet(shape: tuple[int, int, int]) -> keras.Model:
    try:
        return keras.applications.InceptionV3(weights="imagenet", include_top=False, input_shape=shape)
    except Exception as error:  # of several libraries, with addresses in their words: they go to the log alone
        _log.warning("Keras could not load the ImageNet weights", exc_info=error)
        raise WeightsError(f"The ImageNet weights could not be fetched from the internet. {SOURCES}") from error


def _load_file(backbone: keras.Model, weights: Weights) -> None:
    try:
        backbone.load_weights(weights.path)
    except (OSError, ValueError, KeyError) as error:
        raise WeightsError(f"{weights.source} holds no weights of InceptionV3 without its top: {error}") from error


def save_backbone(network: Network, path: Path) -> None:
    """The backbone's weights as a ``.weights.h5`` file in 16 bits, which loads into 32 bits as it is: 44 MB."""
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder) / "full.weights.h5"
        network.backbone.save_weights(full)
        with h5py.File(full) as source, h5py.File(path, "w") as target:
            source.visititems(lambda name, item: _copy_in_16_bits(name, item, target))
            target.attrs.update(source.attrs)


def _copy_in_16_bits(name: str, item: Any, target: h5py.File) -> None:
    if isinstance(item, h5py.Dataset):
        values = item[...]
        if values.dtype == np.float32:
            values = values.astype(np.float16)
        copy = target.create_dataset(name, data=values)
    else:
        copy = target.require_group(name)
    copy.attrs.update(item.attrs)


@contextmanager
def shuffled_head(network: Network, seed: int) -> Iterator[None]:
    """Within the block, the weights of the head and of the output for places are in random order.

    A heat map that hardly changes by this does not show what the head has learned (Adebayo et al., "Sanity Checks for
    Saliency Maps", NeurIPS 2018).
    """
    names = ("head", "places_fine", "places_coarse") if network.places else ("head",)
    head_layers = [network.whole.get_layer(name) for name in names]
    trained = [layer.get_weights() for layer in head_layers]
    rng = np.random.default_rng(seed)
    try:
        for layer, (kernel, *rest) in zip(head_layers, trained, strict=True):
            shuffled = rng.permutation(kernel.ravel()).reshape(kernel.shape)
            layer.set_weights([shuffled, *rest])
        yield
    finally:
        for layer, weights in zip(head_layers, trained, strict=True):
            layer.set_weights(weights)


def describe_network(network: Network) -> JsonObject:
    """The layers and parameters of the network, as Keras counts them.

    Returns:
        ``layers``, the input among them, without augmentation; ``parameters``, with batch normalization's moving
        averages; ``trainable``, how many of these train; and ``rows``, a block each: ``name``, output ``shape``,
        ``parameters``, whether it is ``trainable``.
    """
    model = network.whole
    trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    total = model.count_params()
    return {"layers": len(model.layers), "parameters": total, "trainable": trainable, "rows": list(_rows(model))}


def _rows(model: keras.Model) -> Iterator[JsonObject]:
    """One row for the stem, each Inception block (Keras calls their ends mixed0 to mixed10) and each head layer."""
    parameters = 0
    trainable = False
    for layer in model.layers:
        parameters += layer.count_params()
        trainable = trainable or bool(layer.trainable_weights)
        # The stem has two pools, of 64 and of 192 channels, and the blocks have further ones with more.
        ends_stem = layer.name.startswith("max_pooling2d") and layer.output.shape[-1] == 192
        # mixed9_0 and mixed9_1 are within the block mixed9.
        ends_block = layer.name.startswith("mixed") and "_" not in layer.name
        if ends_stem or ends_block or layer.name in ("features", "head", "places"):
            yield {
                "name": "stem" if ends_stem else layer.name,
                "shape": [int(side) for side in layer.output.shape[1:]],
                "parameters": int(parameters),
                "trainable": trainable,
            }
            parameters = 0
            trainable = False
