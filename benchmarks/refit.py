"""Fits the bundled model's card again to the outputs of another served graph of the same network.

    python -m benchmarks.refit --data FRACATLAS --also PHANTOMS --outputs FILE [--write]

Runs the validation images of both data sets and their mirror images (``--outputs`` keeps the logits, or uses those
there), and fits with the code of a run: temperature, thresholds, metrics, predictions. ``--write`` writes card and
predictions; the regions and the margin of the mirrored pass are fitted by ``benchmarks.regions`` and
``benchmarks.mirrored_pass``.
``PHANTOMS``: ``fracture phantom PHANTOMS --patients 150 --seed 7 --difficulty 0.5``.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from fracture.data.dataset import scan
from fracture.evaluation.calibration import fit_temperature
from fracture.evaluation.metrics import evaluate
from fracture.evaluation.thresholds import operating_points
from fracture.files import file_sha256, write_json
from fracture.imaging.radiograph import fit, load
from fracture.inference.litert import Graph
from fracture.registry.card import Card
from fracture.registry.model_folder import ModelFolder, bundled_model, read_card, read_predictions

PHANTOM_PREFIX = "phantoms/"
"""Before the names of the second data set's images in the predictions."""


def main() -> None:
    """Run, fit, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--also", required=True, type=Path)
    parser.add_argument("--outputs", required=True, type=Path)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    folder = bundled_model()
    card = read_card(folder)
    former = read_predictions(folder)
    if not args.outputs.exists():
        run(folder, card, former, paths(args.data, args.also), args.outputs)
    with np.load(args.outputs) as stored:
        logits = pd.DataFrame(stored["logits"], index=stored["image_id"]).loc[former["image_id"]].to_numpy()
    fitted, predictions = refit(former, logits)
    own = (former["data"] == "fracatlas").to_numpy()
    report(card, fitted, former[own], predictions[own], logits[own])
    if args.write:
        write(folder, fitted, predictions, logits[own])
        print(f"written: {folder.card.name}, {folder.predictions.name}")


def paths(data: Path, also: Path) -> dict[str, str]:
    """The files of all images, by their names in the predictions."""
    own = scan(data).table.set_index("image_id")["path"].to_dict()
    phantoms = scan(also).table.set_index("image_id")["path"].to_dict()
    return {**own, **{PHANTOM_PREFIX + name: path for name, path in phantoms.items()}}


def run(folder: ModelFolder, card: Card, predictions: pd.DataFrame, files: dict[str, str], target: Path) -> None:
    """Keep the logits (N, 2) of the predicted images and of their mirror images."""
    graph = Graph(folder.served_model.read_bytes())
    logits = []
    for name in predictions["image_id"]:
        pixels = fit(load(Path(files[name])).pixels, graph.size, card.input.fit)
        logits.append([output.logit for output in graph.run_all(pixels, pixels[:, ::-1])])
    np.savez(target, image_id=predictions["image_id"].to_numpy(str), logits=np.array(logits))


def refit(former: pd.DataFrame, logits: NDArray[np.float64]) -> tuple[dict[str, Any], pd.DataFrame]:
    """The card's fields, and the predictions; as :mod:`fracture.training.validate` makes them.

    Temperature and thresholds are chosen on the first data set's validation images, as those of the run were.
    """
    logit = logits.mean(axis=1)
    own = (former["data"] == "fracatlas").to_numpy()
    temperature = fit_temperature(former["label"].to_numpy()[own], logit[own])
    predictions = former.assign(logit=logit, probability=expit(logit / temperature))
    thresholds = {"half": 0.5, **operating_points(predictions[own])}
    measured = {str(name): evaluate(rows, thresholds) for name, rows in predictions.groupby("data", sort=False)}
    fields = {
        "thresholds": thresholds,
        "temperature": temperature,
        "metrics": measured["fracatlas"],
        "metrics_by_data": measured,
    }
    return fields, predictions


def report(
    card: Card, fitted: dict[str, Any], former: pd.DataFrame, predictions: pd.DataFrame, logits: NDArray[np.float64]
) -> None:
    """Print what has changed."""
    label = former["label"]
    print(
        f"AUC {roc_auc_score(label, former['logit']):.4f} before, {roc_auc_score(label, logits.mean(axis=1)):.4f} now"
    )
    print(f"AUC without mirror images {roc_auc_score(label, logits[:, 0]):.4f}")
    print(f"temperature {card.temperature:.4f} before, {fitted['temperature']:.4f} now")
    print(f"thresholds {card.thresholds} before, {fitted['thresholds']} now")
    limits = ("high_sensitivity", "high_specificity")
    before = np.digitize(former["probability"], [card.thresholds[name] for name in limits])
    now = np.digitize(predictions["probability"], [fitted["thresholds"][name] for name in limits])
    print(f"outcomes that differ: {(before != now).sum()} of {len(former)}")


def write(folder: ModelFolder, fitted: dict[str, Any], predictions: pd.DataFrame, own: NDArray[np.float64]) -> None:
    """Write card and predictions; the card vouches for the graph that lies beside it."""
    document = json.loads(folder.card.read_text())
    document.update(fitted)
    document["files"][folder.served_model.name] = file_sha256(folder.served_model)
    label = predictions.loc[predictions["data"] == "fracatlas", "label"]
    document["served"]["auc_served"] = float(roc_auc_score(label, own[:, 0]))
    write_json(folder.card, document)
    columns = pd.read_csv(folder.predictions, nrows=0).columns
    predictions[columns].to_csv(folder.predictions, index=False)


if __name__ == "__main__":
    main()
