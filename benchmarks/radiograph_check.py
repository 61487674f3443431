"""Fits the radiograph check, and measures it: radiographs that it refuses, and other pictures that it lets pass.

    python -m benchmarks.radiograph_check --data FRACATLAS --pictures ROOT --ct CXR.nii.gz --embeddings FILE [--write]

``ROOT`` has the packages of :mod:`tests.support.packaged_pictures`, each unpacked in a folder of its name;
``CXR.nii.gz`` is the CT of :mod:`tests.support.projections`. The embeddings are computed once (5,500 pictures, ten
minutes) and kept in ``FILE``. Sources, body parts and projections are measured with a check that was fitted without
them; validation images, the pictures of :mod:`tests.support.not_radiographs` and pydicom-data's films are in no fit.
``--write`` replaces the file beside the bundled model.
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
from fracture.evaluation.radiograph_check_fit import fit_radiograph_check, left_out_probabilities
from fracture.imaging.radiograph import fit, load, read
from fracture.inference.litert import Graph
from fracture.phantoms.samples import generate_sample
from fracture.registry.model_folder import bundled_model, read_card
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
    parser.add_argument("--embeddings", required=True, type=Path)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    if not args.embeddings.exists():
        _embed(chain(_films(args.data), _phantoms(), _others(args.pictures, args.ct)), args.embeddings)
    table, embeddings = _kept(args.embeddings)
    radiographs, others = _fitted(table)
    check = fit_radiograph_check(
        embeddings[radiographs], embeddings[others], source=_source(table, radiographs, others)
    )
    for what, value in check.describe().items():
        print(f"{what}: {value}")
    measured = table.assign(probability=check.probabilities(embeddings))
    _leave_out(measured, embeddings, radiographs, others)
    report(measured, check.threshold)
    if args.write:
        check.save(bundled_model().radiograph_check)


def report(table: pd.DataFrame, threshold: float) -> None:
    """What is called no radiograph: of other pictures by source, of radiographs by kind and change."""
    refused = table.assign(refused=table["probability"] < threshold)
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
    _report_thresholds(others, films)
    for part in BODY_PARTS:
        rows = films[films["source"].eq("fracatlas") & films["part"].str.contains(part)]
        share = (rows[f"without {part}"] < threshold).sum()
        print(f"    fit without {part}: {share} of {len(rows)} called no radiograph")


def _report_thresholds(others: pd.DataFrame, films: pd.DataFrame) -> None:
    """What other thresholds would refuse, of the same pictures and of radiographs that are in no fit."""
    unseen = films[films["use"] == "measure"]
    print(f"\nthreshold   {len(others)} other pictures   {len(unseen)} radiographs")
    for threshold in (0.2, 0.3, 0.4, 0.5, 0.6):
        share = (others["probability"] < threshold).mean()
        print(f"{threshold:9} {share:17.1%} {(unseen['probability'] < threshold).mean():18.1%}")


def _report(title: str, rows: pd.DataFrame, by: str) -> None:
    print(f"\n{title}: {rows['refused'].sum()} of {len(rows)} called no radiograph, {rows['refused'].mean():.1%}")
    for value, each in rows.groupby(by):
        print(f"    {value or 'as it is'}: {each['refused'].sum()} of {len(each)}")


def _leave_out(table: pd.DataFrame, embeddings: NDArray[np.float32], films: NDArray, others: NDArray) -> None:
    """Replace the probabilities of what is in the fit by those of fits without it, and add those without body parts."""
    sources = table["source"].to_numpy()
    names = np.random.default_rng(0).permutation(np.unique(sources[others]))
    part_of = {name: str(place % SOURCE_PARTS) for place, name in enumerate(names)}
    projected = (sources == "projections").astype(str)
    first, second = left_out_probabilities(
        embeddings[films], embeddings[others], projected[films], [part_of[name] for name in sources[others]]
    )
    left_out = table["source"].eq("projections").to_numpy()
    table.loc[left_out, "probability"] = first[left_out[films]]
    table.loc[others, "probability"] = second
    for part in BODY_PARTS:
        has_part = table["part"].str.contains(part).to_numpy()
        check = fit_radiograph_check(embeddings[films & ~has_part], embeddings[others])
        table[f"without {part}"] = check.probabilities(embeddings)


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


def _embed(rows: Iterator[tuple[Row, NDArray[np.uint8]]], path: Path) -> None:
    """Run the bundled model's graph on each picture, and keep the embeddings with what they are of."""
    folder = bundled_model()
    graph = Graph(folder.served_model.read_bytes())
    how = read_card(folder).input.fit
    kept: list[Row] = []
    embeddings = []
    for row, pixels in rows:
        kept.append(row)
        embeddings.append(graph(fit(np.ascontiguousarray(pixels), graph.size, how)).embedding)
    columns = {name: np.array(values) for name, values in pd.DataFrame(kept).astype(str).items()}
    np.savez_compressed(
        path, embeddings=np.array(embeddings), **{name: values.astype(str) for name, values in columns.items()}
    )


def _kept(path: Path) -> tuple[pd.DataFrame, NDArray[np.float32]]:
    with np.load(path, allow_pickle=False) as file:
        table = pd.DataFrame({name: file[name] for name in Row._fields})
        return table, file["embeddings"]


if __name__ == "__main__":
    main()
