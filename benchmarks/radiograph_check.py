"""Fits the radiograph check, and measures it: radiographs that it refuses, and other pictures that it lets pass.

    python -m benchmarks.radiograph_check --data FRACATLAS --pictures ROOT --ct CXR.nii.gz --described FILE [--write]

``ROOT`` has the packages of :mod:`tests.support.packaged_pictures`, each unpacked in a folder of its name;
``CXR.nii.gz`` is the CT of :mod:`tests.support.projections`. Embeddings, textures, colors, and which pictures the
models know, are computed once (5,500 pictures, half an hour) and kept in ``FILE``; a file without colors gets them.
Sources, body parts and projections are measured with a check that was fitted without them; validation images, the
pictures of :mod:`tests.support.not_radiographs` and pydicom-data's films are in no fit. ``--write`` replaces the file
beside the bundled model, or the one of ``--output``.
"""

import argparse
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fracture.data.dataset import scan
from fracture.evaluation.radiograph_check_fit import Pictures, fit_radiograph_check, left_out_scores
from fracture.imaging.radiograph import Radiograph, load, read
from fracture.imaging.texture import measure_texture
from fracture.inference.classifier import Classifier, load_classifier
from fracture.inference.domain import Domain
from fracture.inference.radiograph_check import COLOR_COST
from fracture.phantoms.samples import generate_sample
from fracture.registry.model_folder import bundled_model, shipped_models
from tests.support.film_changes import CHANGES, change
from tests.support.not_radiographs import CHEST, LEGS, dicom, pictures
from tests.support.packaged_pictures import drawn, packaged
from tests.support.projections import projections

MEDICAL = ("other medicine", "slice", "ultrasound", "chest", "bone scan")
"""Kinds of ``not_radiographs`` that are looked at apart; its chest is a radiograph."""

BODY_PARTS = ("hand", "leg", "hip", "shoulder")
SOURCE_PARTS = 5
"""Parts into which the sources are divided; each is measured by a fit to the other four."""


class Row(NamedTuple):
    """One picture; ``use`` is fit, measure or left out (in the fit, and measured by a fit without its source)."""

    kind: str
    use: str
    name: str
    variant: str
    part: str
    source: str


def main() -> None:
    """Embed, fit, measure, and write on request."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--pictures", required=True, type=Path)
    parser.add_argument("--ct", required=True, type=Path)
    parser.add_argument("--described", required=True, type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--output", type=Path, default=bundled_model().radiograph_check)
    args = parser.parse_args()
    if not args.described.exists():
        _describe(chain(_films(args.data), _phantoms(), _others(args.pictures, args.ct)), args.described)
    _add_colors(args.described, args.pictures)
    table, described = _kept(args.described)
    radiographs, others = _fitted(table)
    source = _source(table, radiographs, others)
    check = fit_radiograph_check(described.where(radiographs), described.where(others), source=source)
    for what, value in check.describe().items():
        print(f"{what}: {value}")
    measured = table.assign(score=check.scores(*described))
    _leave_out(measured, described, radiographs, others)
    report(measured, check.threshold)
    _report_color(measured, described.colors, check.threshold)
    if args.write:
        check.save(args.output)


def report(table: pd.DataFrame, threshold: float) -> None:
    """What is called no radiograph: of other pictures by source, of radiographs by kind and change."""
    refused = table.assign(refused=table["score"] < threshold)
    others = refused[refused["kind"].ne("radiograph") & ~refused["kind"].isin(MEDICAL)]
    _report("pictures that are no radiographs", others, "source")
    _report("the same, pictures of Python packages by kind", others[others["use"] == "measure"], "kind")
    _report("other medical images", refused[refused["kind"].isin(MEDICAL)], "kind")
    films = refused[refused["kind"] == "radiograph"]
    valid = films[films["use"].eq("measure") & films["source"].isin(["fracatlas", "phantoms"])]
    _report("validation radiographs and phantoms", valid, "variant")
    _report("pydicom-data", films[films["source"].str.startswith("pydicom")], "source")
    _report("the same, by change", films[films["source"].str.startswith("pydicom")], "variant")
    _report("projections of a CT, left out of the fit", films[films["source"] == "projections"], "variant")
    _report_answered(others)
    _report_thresholds(others, films)
    for part in BODY_PARTS:
        rows = films[films["source"].eq("fracatlas") & films["part"].str.contains(part)]
        share = (rows[f"without {part}"] < threshold).sum()
        print(f"    fit without {part}: {share} of {len(rows)} called no radiograph")


def _report_answered(others: pd.DataFrame) -> None:
    """Of pictures that are no radiographs, how many would get an answer from a model that knows them."""
    passed = ~others["refused"]
    print(f"\npictures that are no radiographs and pass the check: {passed.sum()} of {len(others)}")
    for who, known in [("FracAtlas's model", others["fracatlas"]), ("mura-humerus", others["humerus"])]:
        print(f"    answered by {who} without a click: {(passed & known).sum()}; with no check: {known.sum()}")
    either = others["fracatlas"] | others["humerus"]
    print(f"    answered by either without a click: {(passed & either).sum()}; with no check: {either.sum()}")


def _report_thresholds(others: pd.DataFrame, films: pd.DataFrame) -> None:
    """What other thresholds would refuse, of the same pictures and of radiographs that are in no fit."""
    unseen = films[films["use"] == "measure"]
    print(f"\nthreshold   {len(others)} other pictures   {len(unseen)} radiographs")
    for threshold in (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0):
        share = (others["score"] < threshold).mean()
        print(f"{threshold:9} {share:17.1%} {(unseen['score'] < threshold).mean():18.1%}")


def _report_color(table: pd.DataFrame, colors: NDArray, threshold: float) -> None:
    """Of pictures that are no radiographs, how many have color, and how many would be refused without it."""
    others = (table["kind"].ne("radiograph") & ~table["kind"].isin(MEDICAL)).to_numpy()
    gray = table["score"].to_numpy() + COLOR_COST * colors < threshold
    print(f"\npictures that are no radiographs: {(colors[others] > 0.02).sum()} have more than 2 % of color")
    print(f"    refused by their gray levels alone: {gray[others].sum()} of {others.sum()}, {gray[others].mean():.1%}")


def _report(title: str, rows: pd.DataFrame, by: str) -> None:
    print(f"\n{title}: {rows['refused'].sum()} of {len(rows)} called no radiograph, {rows['refused'].mean():.1%}")
    for value, each in rows.groupby(by):
        print(f"    {value or 'as it is'}: {each['refused'].sum()} of {len(each)}")


def _leave_out(table: pd.DataFrame, described: Pictures, films: NDArray, others: NDArray) -> None:
    """Replace the scores of what is in the fit by those of fits without it, and add those without body parts."""
    sources = table["source"].to_numpy()
    names = np.random.default_rng(0).permutation(np.unique(sources[others]))
    part_of = {name: str(place % SOURCE_PARTS) for place, name in enumerate(names)}
    projected = (sources == "projections").astype(str)
    first, second = left_out_scores(
        described.where(films), described.where(others), projected[films], [part_of[name] for name in sources[others]]
    )
    left_out = table["source"].eq("projections").to_numpy()
    table.loc[left_out, "score"] = first[left_out[films]]
    table.loc[others, "score"] = second
    for part in BODY_PARTS:
        has_part = table["part"].str.contains(part).to_numpy()
        check = fit_radiograph_check(described.where(films & ~has_part), described.where(others))
        table[f"without {part}"] = check.scores(*described)


def _fitted(table: pd.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows are radiographs, and which other pictures, that the check is fitted to."""
    used = table["use"].isin(["fit", "left out"])
    radiograph = table["kind"] == "radiograph"
    return (used & radiograph).to_numpy(), (used & ~radiograph).to_numpy()


def _source(table: pd.DataFrame, radiographs: NDArray, others: NDArray) -> str:
    counted = [table["source"][rows].value_counts().sort_index() for rows in (radiographs, others)]
    words = [", ".join(f"{name} {count}" for name, count in counts.items()) for counts in counted]
    return f"python -m benchmarks.radiograph_check; radiographs: {words[0]}; other pictures: {words[1]}"


def _films(data: Path) -> Iterator[tuple[Row, NDArray[np.uint8]]]:
    """FracAtlas's training and validation images as they are, changed, and training images changed twice."""
    table = scan(data).table
    rng = np.random.default_rng(0)
    names = list(CHANGES)
    for split, use, plain, changed in (("train", "fit", 450, 550), ("valid", "measure", 250, 330)):
        rows = table[table["split"] == split].reset_index(drop=True)
        order = rng.permutation(len(rows))
        for seed, place in enumerate(chain(order[:plain], order[-changed:])):
            row = rows.loc[place]
            name = names[(seed - plain) % len(names)] if seed >= plain else ""
            pixels = load(Path(row["path"])).pixels
            shown = change(pixels, name, seed - plain) if name else pixels
            yield Row("radiograph", use, row["image_id"], name, row["body_part"], "fracatlas"), shown
    rows = table[table["split"] == "train"].reset_index(drop=True)
    rng = np.random.default_rng(7)
    for seed, place in enumerate(rng.permutation(len(rows))[:450]):
        row = rows.loc[place]
        first, second = rng.choice(names, 2, replace=False)
        twice = change(change(load(Path(row["path"])).pixels, first, seed), second, seed)
        yield Row("radiograph", "fit", row["image_id"], f"{first}+{second}", row["body_part"], "fracatlas"), twice


def _phantoms() -> Iterator[tuple[Row, NDArray[np.uint8]]]:
    for place in range(60):
        phantom = generate_sample(100_000 + 37 * place, views=1)[0]
        use = "fit" if place < 30 else "measure"
        yield Row("radiograph", use, str(place), "phantom", "humerus", "phantoms"), phantom.pixels


def _others(packages: Path, ct: Path) -> Iterator[tuple[Row, NDArray[np.uint8]]]:
    """Projections, pydicom-data's films, and pictures that are no radiographs."""
    for name, pixels in projections(ct):
        yield Row("radiograph", "left out", name, "", "chest", "projections"), pixels
        for seed, changed in enumerate(CHANGES):
            row = Row("radiograph", "left out", name, changed, "chest", "projections")
            yield row, change(pixels, changed, seed)
    for name in (CHEST, LEGS[0]):
        pixels = read(dicom(name), name).pixels
        yield Row("radiograph", "measure", name, "", "", f"pydicom {name}"), pixels
        for changed in CHANGES:
            for seed in range(2):
                row = Row("radiograph", "measure", name, changed, "", f"pydicom {name}")
                yield row, change(pixels, changed, seed)
    for picture in chain(packaged(packages), drawn(60)):
        source = picture.name.split("/")[0]
        yield Row(picture.kind, "left out", picture.name, picture.variant, "", source), picture.pixels
    for picture in pictures():
        yield Row(picture.kind, "measure", picture.name, picture.variant, "", "Python packages"), picture.pixels


def _describe(rows: Iterator[tuple[Row, NDArray[np.uint8]]], path: Path) -> None:
    """Describe each picture by the bundled model's graph and by its texture, and keep it with what it is of.

    The models that come with the project say which pictures they know, as where one of them is to answer.
    """
    models = {folder.name: load_classifier(folder.name, folder.path.parent) for folder in shipped_models()}
    own = models[bundled_model().name]
    kept: list[Row] = []
    embeddings = []
    textures = []
    known: dict[str, list[bool]] = {name: [] for name in models}
    for row, pixels in rows:
        image = Radiograph(np.ascontiguousarray(pixels), "PNG")
        seen = {name: model.embedding(image) for name, model in models.items()}
        kept.append(row)
        embeddings.append(seen[own.name])
        textures.append(measure_texture(image.pixels))
        for name, model in models.items():
            known[name].append(_knows(model, seen[name]))
    columns = {name: np.array(values).astype(str) for name, values in pd.DataFrame(kept).items()}
    np.savez_compressed(
        path,
        embeddings=np.array(embeddings),
        textures=np.array(textures),
        **{f"known by {name}": np.array(values) for name, values in known.items()},
        **columns,
    )


def _add_colors(path: Path, packages: Path) -> None:
    """Measure the colors of the pictures in ``FILE``, where that was not done; all radiographs there are gray."""
    with np.load(path, allow_pickle=False) as file:
        values = dict(file)
    if "colors" in values:
        return
    measured: dict[tuple[str, str], list[float]] = {}
    for picture in chain(packaged(packages), drawn(60), pictures()):
        measured.setdefault((picture.name, picture.variant), []).append(picture.color)
    colors = np.zeros(len(values["name"]), np.float32)
    for place, (kind, name, variant) in enumerate(zip(values["kind"], values["name"], values["variant"], strict=True)):
        if kind != "radiograph":
            colors[place] = measured[name, variant].pop(0)
    np.savez_compressed(path, **values, colors=colors)


def _knows(model: Classifier, embedding: NDArray[np.float32]) -> bool:
    """Whether a model answers for a picture with this embedding: it is in distribution, and of no other domain."""
    detector = model.ood_detector
    if detector is None or not detector.in_distribution(embedding):
        return False
    head = model.domain_head
    return head is None or head.domain(detector, embedding[None]) is not Domain.FOREIGN


def _kept(path: Path) -> tuple[pd.DataFrame, Pictures]:
    with np.load(path, allow_pickle=False) as file:
        table = pd.DataFrame({name: file[name] for name in Row._fields})
        known = {"fracatlas": file["known by fracatlas"], "humerus": file["known by mura-humerus"]}
        return table.assign(**known), Pictures(file["embeddings"], file["textures"], file["colors"])


if __name__ == "__main__":
    main()
