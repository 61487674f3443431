"""What a model takes for radiographs: the share refused of other pictures, by kind, and of real radiographs.

    python -m benchmarks.guard --model NAME --data FRACATLAS [--turns 20]

The pictures are those of :mod:`tests.support.not_radiographs`. For the bundled model, the radiograph check is counted
apart from the out-of-distribution check; :mod:`benchmarks.radiograph_check` measures it on many more pictures. A model
folder without its own ``familiarity.npz`` has one fitted here, to the data's training images. The validation images
chose the threshold, so it is chosen again on one half of their groups and the share counted on the other, ``--turns``
times. Printed at the end: how long one answer takes.
"""

import argparse
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from fracture.data.dataset import scan
from fracture.evaluation.ood_fit import MAX_REFUSED, conformal_threshold, fit_ood_detector
from fracture.imaging.radiograph import fit, load, read
from fracture.imaging.texture import measure_texture
from fracture.inference.litert import Graph
from fracture.inference.ood import OOD_FILE, OodDetector, load_ood_detector
from fracture.inference.radiograph_check import RadiographCheck, load_radiograph_check
from fracture.registry.model_folder import model_folder, read_card
from tests.support.not_radiographs import LEGS, dicom, pictures


def main() -> None:
    """Compute all features, and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--turns", type=int, default=20)
    args = parser.parse_args()
    folder = model_folder(args.model)
    features = served(Graph(folder.served_model.read_bytes()), read_card(folder).input.fit)
    table = scan(args.data).table
    valid = table[table["split"] == "valid"].reset_index(drop=True)
    seen = features(load(Path(path)).pixels for path in valid["path"])
    if (folder.path / OOD_FILE).exists():
        known = load_ood_detector(folder.path / OOD_FILE)
    else:
        train = table[table["split"] == "train"]
        print(f"{args.model} has no {OOD_FILE}: fitted to {len(train)} training images of {args.data}")
        known = fit_ood_detector(
            features(load(Path(path)).pixels for path in train["path"]), train["image_id"].tolist(), seen
        )
    for what, value in known.describe().items():
        print(f"{what}: {value}")
    check = load_radiograph_check(folder.radiograph_check) if folder.radiograph_check.exists() else None
    report_others(known, check, features)
    report_radiographs(known, seen, valid, args.turns)
    legs = known.distances(features(read(dicom(name), name).pixels for name in LEGS))
    refused = f"{(legs > known.threshold).sum()} of {len(legs)} refused"
    if check is not None:
        textures = np.stack([measure_texture(load(Path(path)).pixels) for path in valid["path"]])
        none = check.scores(seen, textures) < check.threshold
        print(f"\nvalidation radiographs called no radiograph: {none.sum()} of {len(none)}")
    print(f"\npydicom-data's lower leg: {refused}, distances {legs.round(2)}")
    report_times(known, seen)


def served(graph: Graph, how: str) -> Callable[[Iterable[np.ndarray]], np.ndarray]:
    """From images to the features that are asked about (N, F)."""

    def features(pixels: np.ndarray) -> np.ndarray:
        return graph(fit(np.ascontiguousarray(pixels), graph.size, how)).embedding

    return lambda images: np.stack([features(pixels) for pixels in images])


def report_others(
    known: OodDetector, check: RadiographCheck | None, features: Callable[[Iterable[np.ndarray]], np.ndarray]
) -> None:
    """Pictures that are no radiographs: all, and originals of which each counts as one."""
    others = pd.DataFrame(pictures()).drop(columns="pixels")
    embeddings = features(picture.pixels for picture in pictures())
    distance = known.distances(embeddings)
    others = others.assign(distance=distance, refused=distance > known.threshold)
    if check is not None:
        textures = np.stack([measure_texture(picture.pixels) for picture in pictures()])
        others["none"] = check.scores(embeddings, textures, others["color"].to_numpy()) < check.threshold
        print(f"\n{'':16} no radiograph   unlike   either")
        for kind, rows in [*others.groupby("kind", sort=False), ("all", others)]:
            either = rows["none"] | rows["refused"]
            print(f"{kind:16} {rows['none'].sum():>9}/{len(rows):<5} {rows['refused'].sum():>7} {either.sum():>8}")
    print(f"\n{'no radiograph':16} refused     of originals  nearest distance")
    for kind, rows in [*others.groupby("kind", sort=False), ("all", others)]:
        each = rows.groupby(["kind", "name"])["refused"].mean()
        count = f"{rows['refused'].sum()}/{len(rows)}"
        share = f"{each.mean():.1%} of {len(each)}"
        print(f"{kind:16} {count:>7} {rows['refused'].mean():>6.1%}  {share:<13} {rows['distance'].min():.2f}")
    for row in others[~others["refused"]].itertuples():
        print(f"    taken for a radiograph: {row.kind}, {row.name} {row.variant} at {row.distance:.2f}")


def report_radiographs(known: OodDetector, seen: np.ndarray, valid: pd.DataFrame, turns: int) -> None:
    """Validation images: all, by body part, and with thresholds that other groups have chosen."""
    distance = known.distances(seen)
    refused = distance > known.threshold
    print(f"\nvalidation radiographs: {refused.sum()} of {len(refused)} refused, {refused.mean():.1%}")
    for part, rows in valid.groupby("body_part").groups.items():
        print(f"    {part or 'unnamed part'}: {refused[rows].sum()} of {len(rows)}")
    shares, groups, rng = [], valid["group"].unique(), np.random.default_rng(0)
    for _ in range(turns):
        half = valid["group"].isin(rng.permutation(groups)[: len(groups) // 2]).to_numpy()
        threshold = conformal_threshold(distance[half], MAX_REFUSED)
        shares.append((distance[~half] > threshold).mean())
    print(f"threshold of one half, share of the other: mean {np.mean(shares):.2%} of {turns} turns, ", end="")
    print(f"from {min(shares):.2%} to {max(shares):.2%}")


def report_times(known: OodDetector, seen: np.ndarray) -> None:
    """The median time of a distance and of the five nearest images."""
    for name, ask in (("distance", known.distance), ("nearest", known.nearest)):
        times = []
        for row in seen[:100]:
            started = time.perf_counter()
            ask(row)
            times.append(time.perf_counter() - started)
        print(f"{name}: {np.median(times) * 1000:.2f} ms among {len(known.image_ids)} images")


if __name__ == "__main__":
    main()
