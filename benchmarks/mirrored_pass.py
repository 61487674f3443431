"""For which images the mirror image need not be run: measured on training images, tested on validation images.

    python -m benchmarks.mirrored_pass --model NAME --data FOLDER [--logits FILE] [--write]

Runs all images both ways (half an hour for FracAtlas; ``--logits`` keeps the logits in a file, or uses those there).
The margin comes from the training part. Of the validation part are printed: the share of the images whose mirror image
is then not run, how many of them get another outcome, the largest change of a probability, and the AUC before and
after. ``--write`` records the margin in the model's card.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.metrics import roc_auc_score

from fracture.data.dataset import scan
from fracture.errors import ModelError
from fracture.evaluation.thresholds import settled_below
from fracture.files import write_json
from fracture.imaging.radiograph import fit, load
from fracture.inference.litert import Graph
from fracture.inference.prediction import OutcomeLimits
from fracture.registry.card import MirroredPass
from fracture.registry.model_folder import ModelFolder, model_folder, read_card

Floats = NDArray[np.float64]


def main() -> None:
    """Measure, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--logits", type=Path)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    folder = model_folder(args.model)
    table = scan(args.data).table.reset_index(drop=True)
    logits = logits_both_ways(folder, table, args.logits)
    training = (table["split"] == "train").to_numpy()
    card = read_card(folder)
    limit = card.temperature * float(logit(OutcomeLimits.from_thresholds(card.thresholds).low))
    below = settled_below(*logits[training].T, limit)
    if below is None:
        raise ModelError(f"{args.data} has too few training images to tell. Received: {training.sum()}")
    print(f"{args.model}: margin from {training.sum():,} training images: {limit - below:.3f}")
    print(f"the mirror image is not run below a logit of {below:.3f}; the outcome is negative below {limit:.3f}")
    report("training", logits[training], table.loc[training, "label"], below, limit, card.temperature)
    report("validation", logits[~training], table.loc[~training, "label"], below, limit, card.temperature)
    if args.write:
        data = f"the training part of {args.data.name}"
        measured = MirroredPass(straight_below=below, limit=limit, images=int(training.sum()), data=data)
        document = json.loads(folder.card.read_text())
        write_json(folder.card, {**document, "mirrored_pass": measured.to_json()})
        print(f"written: {folder.card.name}")


def logits_both_ways(folder: ModelFolder, table: pd.DataFrame, kept: Path | None) -> Floats:
    """The logits (N, 2) of images and of their mirror images; from a file, where there is one."""
    if kept and kept.exists():
        stored = np.load(kept)
        return np.stack([stored["logit"], stored["mirrored"]], axis=1)
    graph = Graph(folder.served_model.read_bytes())
    how = read_card(folder).input.fit
    logits = np.zeros((len(table), 2))
    for row, path in enumerate(table["path"]):
        pixels = fit(load(Path(path)).pixels, graph.size, how)
        logits[row] = [output.logit for output in graph.run_all(pixels, pixels[:, ::-1])]
    if kept:
        np.savez(kept, logit=logits[:, 0], mirrored=logits[:, 1])
    return logits


def report(part: str, logits: Floats, label: "pd.Series[int]", below: float, limit: float, temperature: float) -> None:
    """Print what leaving passes out changes in a part of the data."""
    mean = logits.mean(axis=1)
    settled = logits[:, 0] < below
    served = np.where(settled, logits[:, 0], mean)
    changed = (served < limit) != (mean < limit)
    moved = np.abs(expit(served / temperature) - expit(mean / temperature)).max()
    rises = np.quantile(mean - logits[:, 0], [0.5, 0.9, 0.99, 0.999])
    print(f"{part}: {len(logits):,} images, {settled.mean():.1%} not run mirrored, {changed.sum()} outcomes changed")
    print(f"  largest change of a probability {moved:.3f}")
    print(f"  AUC {roc_auc_score(label, mean):.4f} with all passes, {roc_auc_score(label, served):.4f} without these")
    print(f"  rise of the mean above the logit, percentiles 50, 90, 99, 99.9: {', '.join(f'{x:.2f}' for x in rises)}")


if __name__ == "__main__":
    main()
