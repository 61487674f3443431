"""Which of the shipped models answers for a radiograph: shares by body part on FracAtlas, and for the humerus.

    python -m benchmarks.automatic --data FRACATLAS [--cache DIR] [--write]

Computes the embeddings of all images by each shipped model (some minutes; ``--cache`` keeps them), fits the humerus
model's domain head on FracAtlas's training part, some of it inverted as well, and counts on the validation part, as it
is and inverted, which model answers. MURA's images are not needed: the places of the humerus model's own training
images lie beside it, and are held out by patient.
``--write`` writes the domain head into the model's folder.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.data.dataset import scan
from fracture.evaluation.domain_fit import fit_domain_head
from fracture.imaging.radiograph import load
from fracture.inference.automatic import Match, choose_models
from fracture.inference.classifier import Classifier
from fracture.inference.domain import DOMAIN_FILE, Domain, DomainHead
from fracture.registry.model_folder import SHIPPED_MODELS, ModelFolder, model_folder

INVERTED = 700
"""Training images that are in the fit inverted, too. MURA has films of both kinds, FracAtlas hardly any: without them,
the humerus model alone answered for half of FracAtlas's validation images when they were inverted."""


def main() -> None:
    """Fit, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--cache", type=Path, help="a folder for the embeddings")
    parser.add_argument("--write", action="store_true", help="write the domain head into the humerus model's folder")
    args = parser.parse_args()
    table = scan(args.data).table
    folders = [model_folder(name) for name in SHIPPED_MODELS]
    models = [Classifier(folder) for folder in folders]
    embeddings = [_embeddings(model, table, args.cache) for model in models]
    training = (table["split"] == "train").to_numpy()
    inverted = table[training].sample(INVERTED, random_state=0)
    others = pd.concat([table[training], inverted])
    humerus, detector = folders[1], models[1].ood_detector
    patients = [name.split("/")[3] for name in detector.image_ids]  # MURA-v1.1/train/XR_HUMERUS/patient00001/...
    inverted_embeddings = _embeddings(models[1], inverted, args.cache, inverted=True)
    others_embeddings = np.concatenate([embeddings[1][training], inverted_embeddings])
    head, held_out = fit_domain_head(detector, patients, others_embeddings, others["group"].astype(str).tolist())
    if args.write:
        head.save(humerus.path / DOMAIN_FILE)
    print(
        f"domain head of {humerus.name}: {head.counts[0]:,} humeri, {head.counts[1]:,} others, "
        f"{len(head.vectors):,} support vectors; held out by patient or group:"
    )
    for limit, name in ((head.own_from, "own"), (head.foreign_below, "own or doubtful")):
        own, others = (held_out.own >= limit).mean(), (held_out.others >= limit).mean()
        print(f"  {name}: {own:.1%} of the humeri, {others:.1%} of the others")
    valid = table[~training]
    print("\nas they are:")
    _report(folders, models, head, [each[~training] for each in embeddings], valid)
    print("\ninverted:")
    turned = [_embeddings(model, valid, args.cache, inverted=True) for model in models]
    _report(folders, models, head, turned, valid)


def _embeddings(
    model: Classifier, table: pd.DataFrame, cache: Path | None, *, inverted: bool = False
) -> NDArray[np.float32]:
    words = f" inverted {len(table)}" if inverted else ""
    kept = cache / f"{model.name}{words}.npz" if cache else None
    if kept and kept.exists():
        return np.load(kept)["embedding"]
    images = (load(Path(path)) for path in table["path"])
    if inverted:
        images = (replace(image, pixels=255 - image.pixels) for image in images)
    found = np.stack([model.embedding(image) for image in images])
    if kept:
        np.savez(kept, embedding=found)
    return found


def _report(
    folders: Sequence[ModelFolder],
    models: Sequence[Classifier],
    head: DomainHead,
    embeddings: Sequence[NDArray[np.float32]],
    table: pd.DataFrame,
) -> None:
    """How often each model answers, alone or beside the other, for the validation images by body part."""
    closeness = [
        model.ood_detector.distances(found) / model.ood_detector.threshold
        for model, found in zip(models, embeddings, strict=True)
    ]
    domain = [head.domain(models[1].ood_detector, each[None]) for each in embeddings[1]]
    answers = []
    for row in range(len(table)):
        matches = [Match(models[0], closeness[0][row], None), Match(models[1], closeness[1][row], domain[row])]
        matches.sort(key=lambda match: (match.domain is Domain.FOREIGN, match.closeness))
        chosen = choose_models(matches)
        names = " and ".join(sorted(match.model.name for match in chosen))
        answers.append(names if chosen[0].known else "unlike")
    shares = pd.crosstab(table["body_part"], np.array(answers), margins=True)
    print(f"who answers for the {len(table):,} validation images")
    print(shares.to_string())
    print(f"by the ratio of distances alone, {folders[1].name} would answer for {_by_ratio(closeness):.1%}")


def _by_ratio(closeness: Sequence[NDArray[np.float64]]) -> float:
    nearer = (closeness[1] < closeness[0]) & (closeness[1] <= 1)
    return float(nearer.mean())


if __name__ == "__main__":
    main()
