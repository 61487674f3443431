"""The reference preset against the plain Keras loop, side by side: speed and validation accuracy.

    python -m benchmarks.training_speed --data DATASET --weights FILE.weights.h5

The plain loop is what one would write first: ``model.fit`` on image files, the backbone frozen, everything else as in
the preset. It is timed over a few epochs and scaled to all of them; its accuracy is compared after the same epochs.
Each side is a process of its own, import of TensorFlow included; ours reads the data set, evaluates with intervals, and
saves and exports the model as well.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PLAIN = """
import json, sys, time
started = time.time()
import keras, tensorflow as tf
from fracture.data.dataset import scan
from fracture.training.config import TrainConfig
from fracture.training.weights import find_weights
config = TrainConfig.from_json(json.loads(sys.argv[1])); epochs = int(sys.argv[2])
weights, table = find_weights(config), scan(config.data, config.body_part).table
low, high = weights.input_range
size = (config.image_size, config.image_size)

def images(split):
    part = table[table["split"] == split]
    def read(path, label):
        image = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
        return tf.image.resize(image, size, antialias=True) * ((high - low) / 255) + low, label
    files = tf.data.Dataset.from_tensor_slices((part["path"].tolist(), part["label"].to_numpy("float32")))
    if split == "train":
        files = files.shuffle(len(part), seed=config.seed)
    return files.map(read, num_parallel_calls=tf.data.AUTOTUNE).batch(config.batch_size).prefetch(tf.data.AUTOTUNE)

keras.utils.set_random_seed(config.seed)
backbone = keras.applications.InceptionV3(weights=None, include_top=False, input_shape=(*size, 3))
backbone.load_weights(weights.path)
backbone.trainable = False
features = keras.layers.GlobalAveragePooling2D()(backbone.output)
features = keras.layers.Dropout(config.dropout)(features)
unit = keras.layers.Dense(1, activation="sigmoid", kernel_regularizer=keras.regularizers.L2(config.l2))(features)
model = keras.Model(backbone.input, unit)
model.compile(optimizer=keras.optimizers.Adam(config.learning_rate), loss="binary_crossentropy", metrics=["accuracy"])
before = time.time()
history = model.fit(images("train"), validation_data=images("valid"), epochs=epochs, verbose=0).history
each = (time.time() - before) / epochs
print(json.dumps({"seconds": before - started + each * config.epochs, "val_accuracy": history["val_accuracy"]}))
"""


def main() -> None:
    """Run both, print the figures and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--plain-epochs", type=int, default=2, help="epochs of the plain loop that are really run")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        homes = {"FRACTURE_MODELS": f"{place}/models", "FRACTURE_CACHE": f"{place}/cache", "TF_CPP_MIN_LOG_LEVEL": "3"}
        os.environ.update(homes)
        first, card = ours(args, "first", place)
        cached, _ = ours(args, "cached", place)
        plain = json.loads(run(["-c", PLAIN, json.dumps(card["config"]), str(args.plain_epochs)]).splitlines()[-1])
        history = json.loads(Path(place, "models/first/history.json").read_text())
    same = args.plain_epochs - 1
    print(
        f"plain Keras loop, {args.plain_epochs} epochs scaled to {card['config']['epochs']}: {plain['seconds']:.0f} s"
    )
    for name, seconds in (("first time", first), ("features cached", cached)):
        print(f"reference preset, {name}: {seconds:.1f} s, {plain['seconds'] / seconds:.1f} times faster")
    print(f"seconds by part, first time: {card['seconds']}")
    theirs, mine = plain["val_accuracy"][same], history["val_accuracy"][same]
    print(f"validation accuracy after {same + 1} epochs: plain {theirs:.4f}, ours {mine:.4f}")
    print(f"ours after all epochs: {history['val_accuracy'][-1]:.4f}, best {max(history['val_accuracy']):.4f}")


def ours(args: argparse.Namespace, name: str, place: str) -> tuple[float, dict]:
    """Seconds from the command to its end, and the model's card."""
    started = time.time()
    run(["-m", "fracture", "train", "--data", args.data, "--weights", args.weights, "--name", name])
    return time.time() - started, json.loads(Path(place, "models", name, "card.json").read_text())


def run(arguments: list[str]) -> str:
    """What this interpreter prints when run with these arguments."""
    return subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
