"""The parts from which :mod:`fracture.training.runs.keras_script` makes a script.

They are plain text without placeholders: the settings of a run are values of the script's constants.
"""

IMPORTS = """
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from PIL import Image, ImageOps
"""

READ = '''
def read(path):
    """An image as the network sees it: (SIZE, SIZE) uint8, gray."""
    image = ImageOps.exif_transpose(Image.open(path))
    if image.mode not in ("1", "L", "P", "RGB") or image.has_transparency_data:
        raise SystemExit(f"{path} must be a gray or RGB image of 8 bits. Received: mode {image.mode}")
'''

FIT_CODE = {
    "stretch": """\
    return np.asarray(image.convert("L").resize((SIZE, SIZE), Image.Resampling.BILINEAR))
""",
    "letterbox": """\
    across, down = (max(1, round(SIZE * (side / max(image.size)))) for side in image.size)
    square = Image.new("L", (SIZE, SIZE))  # black bars beside it, or above and below
    small = image.convert("L").resize((across, down), Image.Resampling.BILINEAR)
    square.paste(small, ((SIZE - across) // 2, (SIZE - down) // 2))
    return np.asarray(square)
""",
}

PREPARED = '''

def prepared(gray):
    """(B, SIZE, SIZE) 0 to 255 -> (B, SIZE, SIZE, 3) in the pixel range that the weights were trained on."""
    gray = tf.cast(gray, tf.float32) * ((HIGH - LOW) / 255) + LOW
    return tf.repeat(gray[..., None], 3, axis=-1)


def orders():
    """Batches of training images by number, without end: each epoch in another order, which follows from the seed."""

    def epoch(number):
        order = tf.random.experimental.stateless_shuffle(tf.constant(training), (SEED, number))
        return tf.data.Dataset.from_tensor_slices(order).batch(BATCH_SIZE)

    return tf.data.Dataset.counter().flat_map(epoch)
'''

IMAGES_CODE = """

images = pd.read_csv("images.csv", dtype={"data": str, "path": str, "split": str}, keep_default_na=False)
pixels = tf.constant(np.stack([read(f"{DATA[data]}/{path}") for data, path in images[["data", "path"]].to_numpy()]))
label = tf.constant(images[["label"]], tf.float32)  # (N, 1)
training, validation = (np.flatnonzero(images["split"] == part) for part in ("train", CHOSEN_ON))
steps = -(-len(training) // BATCH_SIZE)
print(f"{len(training)} training images, {len(validation)} that choose the epoch;", end=" ")
print(f"{images['label'].sum()} of all {len(images)} are {LABELS[1]}")
"""

SEEDED = """
keras.utils.set_random_seed(SEED)
"""

PRECISIONS = {
    "float32": "",
    "bfloat16": """\
keras.config.set_dtype_policy("mixed_bfloat16")
""",
    "float16": """\
keras.config.set_dtype_policy("mixed_float16")  # Keras then scales the loss by itself
""",
}

BACKBONES = {
    "imagenet": """\
backbone = keras.applications.InceptionV3(weights="imagenet", include_top=False, input_shape=(SIZE, SIZE, 3))
backbone.trainable = False
""",
    "none": """\
backbone = keras.applications.InceptionV3(weights=None, include_top=False, input_shape=(SIZE, SIZE, 3))
backbone.trainable = False
""",
    "file": """\
backbone = keras.applications.InceptionV3(weights=None, include_top=False, input_shape=(SIZE, SIZE, 3))
backbone.load_weights(WEIGHTS)
backbone.trainable = False
""",
}

UPPER_BLOCKS = """\
entry = [layer.name for layer in backbone.layers].index(FROZEN_UP_TO)
for layer in backbone.layers[entry + 1 :]:  # the averages of batch normalization come from more images than these
    layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
"""

HEAD = """
pooled = keras.Input((2048,))
seen = keras.layers.Dropout(DROPOUT, seed=SEED)(pooled)
logit = keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(L2), dtype="float32")(seen)
head = keras.Model(pooled, keras.layers.Activation("sigmoid", dtype="float32")(logit))
averaged = keras.layers.GlobalAveragePooling2D()(backbone.output)
model = keras.Model(backbone.input, head(averaged))
metrics = ["accuracy", keras.metrics.AUC(name="auc", num_thresholds=1000)]
"""

FEATURES_CODE = """
# The backbone is frozen, so each image passes through it once, and not once an epoch.
to_features = keras.Model(backbone.input, averaged)
features = to_features.predict(tf.data.Dataset.from_tensor_slices(pixels).batch(32).map(prepared), verbose=2)
features = tf.constant(features)  # (N, 2048)
"""

FIT_ON_FEATURES = """
head.compile(keras.optimizers.Adam(LEARNING_RATE), "binary_crossentropy", metrics=metrics)
head.fit(
    orders().map(lambda rows: (tf.gather(features, rows), tf.gather(label, rows))),
    steps_per_epoch=steps,
    epochs=EPOCHS,
    shuffle=False,  # the batches are drawn by orders()
    validation_data=(tf.gather(features, validation), tf.gather(label, validation)),
    class_weight=weights,
    callbacks=[keras.callbacks.EarlyStopping("val_loss", patience=EPOCHS, restore_best_weights=True)],
    verbose=2,
)
"""

NO_CHANGE = '''

def augment(gray, seed):
    """No change: (B, SIZE, SIZE) 0 to 255."""
    return tf.cast(gray, tf.float32)
'''

FLIPS = '''

def augment(gray, seed):
    """Each image as it is, or mirrored across, down or both: (B, SIZE, SIZE) 0 to 255."""
    drawn = tf.random.stateless_uniform((tf.shape(gray)[0],), seed, 0, 4, tf.int64)[:, None, None]
    gray = tf.where(drawn >= 2, gray[:, ::-1], gray)
    return tf.where(drawn % 2 == 1, gray[:, :, ::-1], gray)
'''

FULL = '''

def augment(gray, seed):
    """Another draw of each image: moved, exposed and between margins; (B, SIZE, SIZE) 0 to 255."""
    geometry, light, collimator = tf.unstack(tf.random.experimental.stateless_split(seed, 3))
    return collimate(expose(move(tf.cast(gray, tf.float32), geometry), light), collimator)


def move(gray, seed):
    """Turn by up to 29 degrees, scale by up to a fifth, shift by up to 8 %, mirror: in one, to interpolate once."""
    drawn = tf.random.stateless_uniform((tf.shape(gray)[0], 7), seed, -1.0, 1.0)
    angle, shared, stretch, across, down, mirror, flip = tf.unstack(drawn, axis=1)
    angle = angle * np.radians(29)
    wide = tf.exp(0.2 * (shared * 0.75 + stretch * 0.25)) * tf.sign(mirror)
    high = tf.exp(0.2 * (shared * 0.75 - stretch * 0.25)) * tf.sign(flip)
    a, b, c, d = tf.cos(angle) * wide, -tf.sin(angle) * high, tf.sin(angle) * wide, tf.cos(angle) * high
    middle = (SIZE - 1) / 2
    x = middle + 0.08 * SIZE * across - (a + b) * middle
    y = middle + 0.08 * SIZE * down - (c + d) * middle
    maps = tf.stack([a, b, x, c, d, y, tf.zeros_like(a), tf.zeros_like(a)], axis=1)  # (B, 8)
    return keras.ops.image.affine_transform(gray[..., None], maps, "bilinear", "constant", 0.0)[..., 0]


def expose(gray, seed):
    """Another contrast, by up to a quarter, and brightness, by up to 15 % of the full range."""
    drawn = tf.random.stateless_uniform((tf.shape(gray)[0], 2, 1, 1), seed, -1.0, 1.0)
    mean = tf.reduce_mean(gray, axis=(1, 2), keepdims=True)
    return tf.clip_by_value((gray - mean) * (1 + 0.25 * drawn[:, 0]) + mean + 255 * 0.15 * drawn[:, 1], 0, 255)


def collimate(gray, seed):
    """White margins on a fifth of the images, as a collimator leaves them: across, down, or both."""
    drawn = tf.random.stateless_uniform((tf.shape(gray)[0], 7), seed)
    axes = tf.where(drawn[:, 1:2] < 1 / 3, [1.0, 0.0], tf.where(drawn[:, 1:2] < 2 / 3, [0.0, 1.0], [1.0, 1.0]))
    axes *= tf.cast(drawn[:, :1] < 0.2, tf.float32)  # (B, 2)
    low, high = drawn[:, 2:4] * axes * 0.25 * SIZE, SIZE * (1 - drawn[:, 4:6] * axes * 0.25)
    places = tf.range(SIZE, dtype=tf.float32) + 0.5
    inside = (places >= low[..., None]) & (places < high[..., None])  # (B, 2, SIZE)
    lit = inside[:, 0, None, :] & inside[:, 1, :, None]
    return tf.where(lit, gray, 225 + 30 * drawn[:, 6, None, None])
'''

AUGMENTATION_CODE = {"none": NO_CHANGE, "flips": FLIPS, "full": FULL}

BATCHES = '''

def changed(number, rows):
    """A batch of training images, each as the number of the batch draws it, and their labels."""
    return prepared(augment(tf.gather(pixels, rows), (SEED, number))), tf.gather(label, rows)


def unchanged(rows):
    """A batch of images as they are, and their labels."""
    return prepared(tf.gather(pixels, rows)), tf.gather(label, rows)
'''

SCHEDULE = """
rate = keras.optimizers.schedules.CosineDecay(  # one epoch of warm-up, then down to zero
    0.0, max(1, (EPOCHS - 1) * steps), warmup_target=LEARNING_RATE, warmup_steps=steps
)


class KeepBest(keras.callbacks.EarlyStopping):
    def on_epoch_end(self, epoch, logs):
        # The largest AUC; of equal ones, the lowest loss.
        super().on_epoch_end(epoch, {**logs, "rank": logs["val_auc"] - 1e-6 * logs["val_loss"]})


best = KeepBest("rank", mode="max", patience=PATIENCE, restore_best_weights=True)
"""

OPTIMIZERS = {
    "last": """\
optimizer = keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY)
callbacks = [best]
""",
    "averaged": """\
optimizer = keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY, use_ema=True, ema_momentum=AVERAGING)
callbacks = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True), best]  # averaged weights are judged, and kept
""",
}

CLASS_WEIGHTS = {
    "none": """\
weights = {0: 1.0, 1: 1.0}
""",
    "balanced": """\
share = images["label"][training].mean()
weights = {0: 0.5 / (1 - share), 1: 0.5 / share}
""",
}

FIT_BLOCKS = """
optimizer.exclude_from_weight_decay(var_names=["bias"])
model.compile(optimizer, keras.losses.BinaryCrossentropy(label_smoothing=LABEL_SMOOTHING), metrics=metrics)
model.fit(
    orders().enumerate().map(changed, num_parallel_calls=2, deterministic=True).prefetch(2),
    steps_per_epoch=steps,
    epochs=EPOCHS,
    shuffle=False,  # the batches are drawn by orders()
    validation_data=tf.data.Dataset.from_tensor_slices(validation).batch(BATCH_SIZE).map(unchanged),
    class_weight=weights,
    callbacks=callbacks,
    verbose=2,
)
"""

EVALUATE_ON_FEATURES = """
untouched = np.flatnonzero(images["split"] == "valid")  # looked at once, now that the epoch is chosen
measured = head.evaluate(tf.gather(features, untouched), tf.gather(label, untouched), verbose=0, return_dict=True)
print(f"{len(untouched)} validation images: {measured}")
"""

EVALUATE_BLOCKS = """
untouched = np.flatnonzero(images["split"] == "valid")  # looked at once, now that the epoch is chosen
batches = tf.data.Dataset.from_tensor_slices(untouched).batch(BATCH_SIZE).map(unchanged)
measured = model.evaluate(batches, verbose=0, return_dict=True)
print(f"{len(untouched)} validation images: {measured}")
"""

SAVE = """
model.save(f"{NAME}.keras")  # with the weights of its best epoch
"""
