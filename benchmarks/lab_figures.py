"""What the labs show of a trained head's data: the leak of a split by image, and what hardware does.

Run as ``python -m benchmarks.lab_figures --model NAME``, of a finished training of a head whose features are in
the cache.
"""

import argparse
from dataclasses import replace

from fracture.experiments.leakage import SPLIT_KINDS, compare_splits, gap
from fracture.experiments.presets import OVERFITTING
from fracture.experiments.shortcut import compare_trainings, due_to_hardware
from fracture.experiments.workbench import open_bench
from fracture.registry.model_folder import model_folder
from fracture.training.runs.queue import find_run


def main() -> None:
    """Split in both ways, with true and with shuffled labels; then train with and without hardware."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--splits", type=int, default=10)
    args = parser.parse_args()
    run = find_run(model_folder(args.model))
    if run is None:
        parser.error(f"there is no training called {args.model}")
    bench = open_bench(run)
    overfitting = replace(bench, config=bench.config.changed(**OVERFITTING))
    for name, each, by_lot in (
        ("as it was trained", bench, False),
        ("overfitting allowed", overfitting, False),
        ("overfitting allowed, shuffled labels", overfitting, True),
    ):
        found = list(compare_splits(each, args.splits, shuffle_labels=by_lot))
        means = {way: sum(one.auc for one in found if one.way == way) / args.splits for way in SPLIT_KINDS}
        apart = gap(found)
        print(
            f"{name}: AUC {means['image']:.3f} by image, {means['group']:.3f} by group, gap {apart['value']:+.3f} "
            f"({apart['low']:+.3f} to {apart['high']:+.3f})"
        )
    everything, without, *fewer = compare_trainings(bench)
    print("on images without hardware: trained on all", everything.plain, "without hardware", without.plain)
    print("on random subsets of the same size", [each.plain and round(each.plain["value"] or 0, 3) for each in fewer])
    print("the difference of the last two", due_to_hardware(bench, without, fewer))


if __name__ == "__main__":
    main()
