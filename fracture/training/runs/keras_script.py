"""A finished run as a script of its own: plain Keras, to be read, changed and run without this package.

>>> from fracture.registry.model_folder import model_folder
>>> from fracture.training.runs.keras_script import as_code, found_here, script_images
>>> card = found_here(model_folder("first"))  # doctest: +SKIP
>>> script, table = as_code(card), script_images(card)  # doctest: +SKIP

The script reads which images there are from a table, ``images.csv``: decisions and the split by patients are in it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from fracture import demo
from fracture.data.combine import load_combined
from fracture.data.dataset import existing_folder, fingerprint
from fracture.data.splits import SELECTION, choosing_rows, hold_out
from fracture.errors import DatasetError, ModelError
from fracture.files import JsonObject
from fracture.registry.model_folder import ModelFolder, bundled_model, read_card
from fracture.training.config import BLOCKS, LITE, TrainConfig
from fracture.training.runs import script_templates as parts
from fracture.training.runs.queue import find_run
from fracture.training.weights import BUNDLED_SOURCES

TABLE = "images.csv"
"""The name of the table of images beside a script."""

_COMMON = ("image_size", "batch_size", "epochs", "learning_rate", "dropout", "l2", "seed")
_OF_BLOCKS = ("weight_decay", "label_smoothing")


def found_here(folder: ModelFolder) -> JsonObject:
    """The card of a finished model, with the full paths of its data and weights where this machine has them.

    Raises:
        ModelError: there is no such model, or its card is damaged.
    """
    card = read_card(folder).document
    run = find_run(folder)
    started = run.config if run and not demo.is_public() else {}
    return {**card, "config": {**card.get("config", {}), **_paths(started)}}


def _paths(config: JsonObject) -> JsonObject:
    return {name: config[name] for name in ("data", "also", "weights") if name in config}


def as_code(card: JsonObject) -> str:
    """The script that trains a model again with the settings on its card.

    Names and settings that a person has typed are values of constants in it, and nowhere else.

    Raises:
        ConfigError: a setting on the card is out of its range.
        ModelError: the card is damaged.
    """
    try:
        config = TrainConfig.from_json(card["config"])
        docstring = "".join(f"{line}\n" for line in _docstring(config, card))
        constants = "".join(_constants(config, card))
        code = "".join(_code(config))
        return f"{docstring}{parts.IMPORTS}\n{constants}\n{code}"
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelError("The card of this model is damaged: it does not say how the model was trained.") from error


def script_images(card: JsonObject) -> pd.DataFrame:
    """The images that a model was trained and validated on: ``data, path, label, split``, in the order of training.

    ``data`` is the name of the data set, ``path`` begins in its folder. ``split`` is ``selection`` for the training
    images that the run held out.

    Raises:
        DatasetError: a data set is missing, or has changed since the model was trained.
    """
    config = TrainConfig.from_json(card["config"])
    dataset = load_combined(config.data, config.also, config.body_part)
    if fingerprint(dataset) != card["data"]["fingerprint"]:
        raise DatasetError(
            f"The images of {dataset.name}, their labels or their split are no longer those that {config.name!r} was "
            "trained on. Undo later decisions and changes, or train again."
        )
    table = hold_out(dataset.table, config.selection, config.seed)
    roots = {Path(folder).name: existing_folder(folder) for folder in (config.data, *config.also)}
    judged = (table["split"] == "valid") & (table["data"] == table["data"].iloc[0])
    used = ((table["split"] == "train") | choosing_rows(table) | judged) & ~table["image_id"].isin(
        card["data"]["unreadable"]
    )
    inside = [Path(os.path.relpath(path, roots[name])).as_posix() for path, name in table[["path", "data"]].to_numpy()]
    found: pd.DataFrame = table.assign(path=inside).loc[used, ["data", "path", "label", "split"]]
    return found


def _docstring(config: TrainConfig, card: JsonObject) -> Iterator[str]:
    """What the script does and leaves out. Nothing that a person has typed is in it: it could end the docstring."""
    what = "its upper blocks and a head" if config.mode == "fine-tune" else "frozen, and a head on its features"
    yield f'"""Train InceptionV3, {what}, to tell two kinds of radiographs apart.'
    yield ""
    yield from _likeness(config)
    yield ""
    yield "- DICOM files, images of more than 8 bits and transparent ones end it, as do files that cannot be read."
    yield "- What comes after a training is left out: calibration, operating points, the graph that answers."
    if config.selection:
        yield f"- As in that training, images of the split {SELECTION} choose the epoch. Those of valid are evaluated"
        yield "  once, at the end."
    yield from _differences(config)
    if card["state"] == "stopped":
        yield f"- The run was stopped after {int(card['epochs_done'])} epochs; this one does all {config.epochs}."
    yield '"""'


def _likeness(config: TrainConfig) -> Iterator[str]:
    if config.weights == LITE:
        yield f"Run it where {TABLE} lies, a line an image: data, path, label, split. The training that it was made"
        yield "from saw features by weights of 8 bits, and drew initial head, dropout and the order of the images by"
        yield "NumPy: the curves of this one are like its own, and not the same. What else differs:"
        return
    yield f"Run it where {TABLE} lies, a line an image: data, path, label, split. Seed, order of the images and initial"
    yield "head are those of the training that it was made from, so that its losses come out the same but for the last"
    yield "digits. Where they cannot, and what else differs:"


def _differences(config: TrainConfig) -> Iterator[str]:
    if config.teaches_places:
        yield "- The run also learned from boxes what each place shows, and answered by it. That part is left"
        yield "  out: the figures will differ, and the model is another."
    if config.mode == "fine-tune" and config.augmentation == "full":
        yield "- White margins may cover what a box marks; in that training they left it free."
    if config.mode == "fine-tune" and config.augmentation != "full":
        yield "- The frozen blocks run in every epoch; in that training they ran once, and what came of it was kept in"
        yield "  16 bits."
    if config.strategy == "mirrored":
        yield "- The run may have shared its batches among several devices; this one trains on one."
    if config.mode == "fine-tune" and config.precision != "float32":
        yield "- Numbers of 16 bits hold two to three digits: the curves come out alike no closer than that."


def _constants(config: TrainConfig, card: JsonObject) -> Iterator[str]:
    """``NAME = value`` for each setting. Values are written by :func:`repr`, so that no text can become code."""
    fine = config.mode == "fine-tune"
    low, high = (float(bound) for bound in card["input"]["pixel_range"])
    yield f"NAME = {config.name!r}\n"
    yield f"LABELS = {tuple(map(str, card['labels']))!r}\n"
    yield f"DATA = {_data(config)!r}  # where each data set lies\n"
    if config.weights == LITE:
        yield f"WEIGHTS = {_weights(config)!r}  # the same backbone in 16 bits\n"
    elif _source(config) == "file":
        yield f"WEIGHTS = {_weights(config)!r}  # sha256 {card['weights']['sha256']!r}\n"
    yield f"CHOSEN_ON = {SELECTION if config.selection else 'valid'!r}  # the split that chooses the epoch\n"
    yield f"LOW, HIGH = {low!r}, {high!r}  # pixel range that the weights were trained on\n"
    for name in (*_COMMON, *(_OF_BLOCKS if fine else ())):
        why = TrainConfig.__dataclass_fields__[name].metadata["why"]
        yield f"{'SIZE' if name == 'image_size' else name.upper()} = {getattr(config, name)!r}  # {why}\n"
    if fine:
        yield f"FROZEN_UP_TO = {_entry(config)!r}  # the layer below the lowest block that trains\n"
        yield f"PATIENCE = {config.patience or config.epochs!r}  # early-stopping patience in epochs\n"
    if fine and config.averaging:
        yield f"AVERAGING = {config.averaging!r}  # decay of the EMA of the weights\n"


def _data(config: TrainConfig) -> dict[str, str]:
    """The folder of each data set by its name."""
    folders = [_folder(recorded) for recorded in (config.data, *config.also)]
    return {Path(folder).name: folder for folder in folders}


def _folder(recorded: str) -> str:
    if demo.is_public():  # strangers do not see paths of this machine
        return Path(recorded).name
    try:
        return str(existing_folder(recorded))
    except DatasetError:  # on another machine it may be there
        return recorded


def _source(config: TrainConfig) -> str:
    return config.weights if config.weights in ("imagenet", "none") else "file"


def _weights(config: TrainConfig) -> str:
    file = bundled_model().backbone if config.weights in BUNDLED_SOURCES else Path(config.weights)
    return file.name if demo.is_public() else str(file)


def _entry(config: TrainConfig) -> str:
    """Keras's name of the layer below the lowest block that trains."""
    number = BLOCKS.index(config.unfreeze)
    return BLOCKS[number - 1] if number else "max_pooling2d_1"  # the second of the stem


def _code(config: TrainConfig) -> Iterator[str]:
    fine = config.mode == "fine-tune"
    yield from (parts.READ, parts.FIT_CODE[config.fit], parts.PREPARED)
    if fine:
        yield from (parts.AUGMENTATION_CODE[config.augmentation], parts.BATCHES)
    yield from (parts.IMAGES_CODE, parts.SEEDED)
    yield parts.PRECISIONS[config.precision] if fine else ""
    yield parts.BACKBONES[_source(config)]
    yield parts.UPPER_BLOCKS if fine else ""
    yield parts.HEAD
    yield from _fit_blocks(config) if fine else _fit_head(config)
    if config.selection:
        yield parts.EVALUATE_BLOCKS if fine else parts.EVALUATE_ON_FEATURES
    yield parts.SAVE


def _fit_head(config: TrainConfig) -> Iterator[str]:
    yield from (parts.FEATURES_CODE, parts.CLASS_WEIGHTS[config.class_weight], parts.FIT_ON_FEATURES)


def _fit_blocks(config: TrainConfig) -> Iterator[str]:
    yield parts.SCHEDULE
    yield parts.OPTIMIZERS["averaged" if config.averaging else "last"]
    yield parts.CLASS_WEIGHTS[config.class_weight]
    yield parts.FIT_BLOCKS
