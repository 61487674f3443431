"""How well models tell phantoms with hardware, and fractures alone, from normal ones.

    python -m benchmarks.phantom_findings --data PHANTOMS --model NAME [NAME ...]

Of each model, which was trained on the phantoms: by study of their validation part, the AUC of all abnormal studies, of
those with hardware, and of fractures without hardware, each against all normal studies; and the share of each kind that
the model calls abnormal at its balanced threshold. With several models, also how much larger the AUC of each later one
is than that of the first, on the same studies. All with 95% intervals over patients.
"""

import argparse
from pathlib import Path

import pandas as pd

from fracture.data.ground_truth import TRUTH_FILE
from fracture.estimate import format_number, format_percent
from fracture.evaluation.metrics import area, auc_difference, by_study, mean
from fracture.phantoms.records import read_rows
from fracture.registry.model_folder import model_folder, read_card, read_predictions

KINDS = ("hardware", "fracture")


def main() -> None:
    """Print the figures of each model, then the differences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", nargs="+", required=True)
    args = parser.parse_args()
    kinds = kinds_of_studies(args.data)
    tables = {name: studies(name, kinds) for name in args.model}
    for name, table in tables.items():
        threshold = read_card(model_folder(name)).metrics["study"]["points"]["balanced"]["threshold"]
        print(f"{name}: {table['kind'].value_counts().to_dict()}, balanced threshold {threshold:.2f}")
        report(table, threshold)
    first = args.model[0]
    for name in args.model[1:]:
        for words, wanted in (("all abnormal", KINDS), *((kind, (kind,)) for kind in KINDS)):
            one, other = [against_normal(tables[each], wanted) for each in (first, name)]
            gain = auc_difference(
                one["label"].to_numpy(), one["probability"].to_numpy(), other["probability"].to_numpy(), one["group"]
            )
            print(f"AUC of {name} minus that of {first}, {words}: {format_number(gain, 3)}")


def kinds_of_studies(root: Path) -> dict[str, str]:
    """``normal``, ``hardware`` or ``fracture`` (alone) of each study of the data set."""
    kinds = {}
    for row in read_rows(root / TRUTH_FILE):
        study = row["image"].rpartition("/")[0]
        kinds[study] = "hardware" if row["hardware"] else "fracture" if row["fracture"] else "normal"
    return kinds


def studies(name: str, kinds: dict[str, str]) -> pd.DataFrame:
    """A model's answers for the validation studies, in the order of their names: ``study, group, label, kind, ...``."""
    predictions = read_predictions(model_folder(name))
    found = by_study(predictions)
    folder = predictions.groupby("study")["image_id"].first().str.rpartition("/")[0]
    return found.assign(kind=found["study"].map(folder).map(kinds)).sort_values("study", ignore_index=True)


def against_normal(table: pd.DataFrame, wanted: tuple[str, ...]) -> pd.DataFrame:
    """The normal studies and the abnormal ones of these kinds."""
    return table[table["kind"].isin(["normal", *wanted])]


def report(table: pd.DataFrame, threshold: float) -> None:
    """The AUCs and the shares of one model."""
    for words, wanted in (("all abnormal", KINDS), *((kind, (kind,)) for kind in KINDS)):
        chosen = against_normal(table, wanted)
        auc = area(chosen["label"].to_numpy(), chosen["probability"].to_numpy(), chosen["group"])
        print(f"  AUC, {words}: {format_number(auc, 3)}")
    for kind in (*KINDS, "normal"):
        chosen = table[table["kind"] == kind]
        called = (chosen["probability"] >= threshold).to_numpy(float)
        print(f"  called abnormal, {kind}: {format_percent(mean(called, chosen['group']))}")


if __name__ == "__main__":
    main()
