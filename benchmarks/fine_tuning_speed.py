"""Fine-tuning against the plain Keras loop, epoch by epoch in turns: images a second.

    python -m benchmarks.fine_tuning_speed --weights FILE.weights.h5 [--precisions bfloat16 float16]

The plain loop is what one would write first: ``model.fit`` on a pipeline of decoded images, each of which goes
through the whole network in each epoch; layers that train, batches, optimizer, loss, metrics and augmentation are the
same. Each time ours has ended an epoch, the plain loop takes its own; the first epoch of both, in which graphs are
traced, does not count. An epoch's time has its validation in it. Pixels are random: what they show does not matter.
"""

import argparse
import os
import statistics
import tempfile
import time
from dataclasses import replace

import numpy as np

from fracture.training.config import BLOCKS, TrainConfig

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def main() -> None:
    """Run both for each block and augmentation, print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", required=True)
    parser.add_argument("--images", type=int, default=96, help="to train on; a quarter as many validate")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=4, help="of each side, the first of which does not count")
    parser.add_argument("--unfreeze", nargs="+", default=["mixed2", "mixed7"], choices=BLOCKS)
    parser.add_argument("--augmentation", nargs="*", default=["full", "none"], choices=["full", "flips", "none"])
    parser.add_argument("--precisions", nargs="*", default=[], help="also the plain loop in these, against float32")
    args = parser.parse_args()
    common = {name: getattr(args, name) for name in ("weights", "image_size", "batch_size", "epochs")}
    config = TrainConfig(data="none", name="speed", mode="fine-tune", **common)
    with tempfile.TemporaryDirectory() as place:
        os.environ["FRACTURE_CACHE"] = place
        examples = random_examples(args.images + args.images // 4, config)
        for unfreeze in args.unfreeze:
            for augmentation in args.augmentation:
                compare(replace(config, unfreeze=unfreeze, augmentation=augmentation), examples, args.images)
            if args.precisions:
                compare_precisions(replace(config, unfreeze=unfreeze), examples, args.images, args.precisions)


def random_examples(count: int, config: TrainConfig):
    """Pixels without a meaning, with every other label positive."""
    from fracture.training.finetune.inputs import Examples
    from fracture.training.weights import find_weights

    pixels = np.random.default_rng(0).integers(0, 256, (count, config.image_size, config.image_size), np.uint8)
    boxes = np.zeros((count, 1, 4), np.float32)
    return Examples(pixels, np.arange(count) % 2, boxes, find_weights(config).input_range)


def compare(config: TrainConfig, examples, images: int) -> None:
    """Epochs of both in turns."""
    import keras

    from fracture.training.backbone.network import build_network
    from fracture.training.finetune.finetune import fine_tune
    from fracture.training.weights import find_weights

    keras.backend.clear_session()
    plain, ours, theirs, once = Plain(config, examples, images), [], [], []

    def take_turns(kind: str, **said) -> None:
        if kind == "features":
            once.append(time.monotonic())
        if kind == "epoch":
            ours.append(said["seconds"])
            theirs.append(plain.epoch())

    rows = np.arange(len(examples.label))
    network = build_network(config, find_weights(config))
    print(f"from {config.unfreeze} up, augmentation {config.augmentation}, {config.image_size} px", flush=True)
    fine_tune(network, examples, rows[:images], rows[images:], config, emit=take_turns, should_stop=lambda: False)
    if once:
        print(f"    the frozen blocks, once before: {once[-1] - once[0]:.1f} s")
    mine, other = (statistics.median(images / each for each in side[1:]) for side in (ours, theirs))
    ratio = statistics.median(b / a for a, b in zip(ours[1:], theirs[1:], strict=True))
    print(f"    images a second: ours {mine:.2f}, plain {other:.2f}; {ratio:.2f} times as fast", flush=True)


def compare_precisions(config: TrainConfig, examples, images: int, precisions: list[str]) -> None:
    """Epochs of the plain loop in several precisions, in turns."""
    sides = {each: Plain(replace(config, precision=each), examples, images) for each in ("float32", *precisions)}
    took = [{name: side.epoch() for name, side in sides.items()} for _ in range(config.epochs)][1:]
    for name in precisions:
        ratio = statistics.median(each[name] / each["float32"] for each in took)
        print(f"from {config.unfreeze} up, {name}: {ratio:.2f} times as long as float32", flush=True)


class Plain:
    """What one would write first."""

    def __init__(self, config: TrainConfig, examples, images: int) -> None:
        import keras

        from fracture.training.weights import find_weights

        keras.config.set_dtype_policy("float32" if config.precision == "float32" else f"mixed_{config.precision}")
        shape = (config.image_size, config.image_size, 3)
        backbone = keras.applications.InceptionV3(weights=None, include_top=False, input_shape=shape)
        backbone.load_weights(find_weights(config).path)
        below = backbone.layers.index(backbone.get_layer(f"mixed{int(config.unfreeze[5:]) - 1}"))
        for place, layer in enumerate(backbone.layers):
            layer.trainable = place > below and not isinstance(layer, keras.layers.BatchNormalization)
        features = keras.layers.Dropout(config.dropout)(keras.layers.GlobalAveragePooling2D()(backbone.output))
        weight = keras.regularizers.L2(config.l2)
        unit = keras.layers.Dense(1, activation="sigmoid", kernel_regularizer=weight, dtype="float32")
        self._model = keras.Model(backbone.input, unit(features))
        steps = -(-images // config.batch_size)
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, (config.epochs - 1) * steps, warmup_target=config.learning_rate, warmup_steps=steps
        )
        self._model.compile(
            optimizer=keras.optimizers.AdamW(rate, weight_decay=config.weight_decay),
            loss=keras.losses.BinaryCrossentropy(label_smoothing=config.label_smoothing),
            metrics=["accuracy", keras.metrics.AUC(num_thresholds=1000)],
        )
        self._train = pipeline(config, examples, slice(images), train=True)
        self._valid = pipeline(config, examples, slice(images, None), train=False)

    def epoch(self) -> float:
        """Seconds of one more."""
        import keras

        times = []
        clock = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda *_: times.append(time.monotonic()),
            on_epoch_end=lambda *_: times.append(time.monotonic()),
        )
        self._model.fit(self._train, validation_data=self._valid, shuffle=False, verbose=0, callbacks=[clock])
        return times[1] - times[0]


def pipeline(config: TrainConfig, examples, part: slice, *, train: bool):
    """Batches of (images, labels)."""
    import tensorflow as tf

    from fracture.training.finetune.augmentation import Batch, augment

    low, high = examples.pixel_range
    data = tf.data.Dataset.from_tensor_slices(
        (examples.pixels[part], examples.boxes[part], examples.label[part].astype("float32"))
    )
    data = data.shuffle(len(examples.label)) if train else data

    def prepare(number, chosen):
        pixels, boxes, label = chosen
        batch = Batch(tf.cast(pixels, tf.float32), boxes)
        if train:
            batch = augment(batch, (0, number), config.augmentation)
        gray = batch.pixels * ((high - low) / 255) + low
        return tf.repeat(gray[..., None], 3, axis=-1), label[:, None]

    batches = data.batch(config.batch_size).enumerate()
    return batches.map(prepare, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


if __name__ == "__main__":
    main()
