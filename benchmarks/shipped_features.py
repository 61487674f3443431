"""Makes the features that ship with the app, and measures the presets of the experiments on them.

    python -m benchmarks.shipped_features             generates the images, computes the features, then the results
    python -m benchmarks.shipped_features --results   only the results

Prints for each preset its effect with the 95% interval. The folder ``assets/features`` is written anew: the plan of the
images, a row an image, the features in 16 bits, and the results. The images themselves are not kept: the plan gives
them again.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from fracture.estimate import Estimate, excludes_zero, format_number
from fracture.experiments.leakage import gap
from fracture.experiments.learning_curve import gain_from_more, learning_curve
from fracture.experiments.masking import effects, masked_images, mean_effect
from fracture.experiments.presets import SUBSETS, loss_from_low_rate, show_leakage, show_search
from fracture.experiments.search import lead_of_best
from fracture.experiments.shipped import features, results
from fracture.experiments.shipped.phantoms import ImageNumbers, ShippedPlan, shipped_image
from fracture.experiments.shortcut import compare_trainings, due_to_hardware, hardware_gap
from fracture.files import write_json
from fracture.imaging.radiograph import PREPROCESSING_VERSION, fit
from fracture.inference.classifier import Classifier
from fracture.inference.litert import Graph
from fracture.phantoms.job import RENDERER
from fracture.registry.model_folder import shipped_models
from fracture.training.config import LITE, TrainConfig
from fracture.training.export.bundled_backbone import bundled_graph
from fracture.training.weights import find_weights

PATIENTS = 86
STUDIES = 3
"""Of each patient: the leakage lab needs several images of a patient."""
SEED = 5
DIFFICULTY = 0.7
"""Persons vary more than at 0.2, the default, so that a head can recognize them; and a head has more to gain."""
HARDWARE_SHARE = 0.3


def main() -> None:
    """Make the set and measure the presets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", action="store_true", help="only measure the presets")
    args = parser.parse_args()
    if not args.results:
        make()
    measure()
    measure_masks()


def make() -> None:
    """Generate the images, and compute and save their features."""
    reference = TrainConfig(data=features.DATA, name=features.DATA, weights=LITE)
    plan = ShippedPlan(
        patients=PATIENTS,
        studies=STUDIES,
        seed=SEED,
        difficulty=DIFFICULTY,
        hardware_share=HARDWARE_SHARE,
        renderer=RENDERER,
        image_size=reference.image_size,
        fit=reference.fit,
        weights=find_weights(reference).identity,
        preprocessing=PREPROCESSING_VERSION,
    )
    with ProcessPoolExecutor() as pool:
        drawn = list(pool.map(partial(draw, plan), range(1, plan.patients + 1)))
    images = [image for of_patient in drawn for image in of_patient]
    graph = Graph(bundled_graph(plan.image_size))
    computed = np.stack([graph(pixels).features for _, pixels in images])
    table = pd.DataFrame([row for row, _ in images])
    features.save(features.FOLDER, plan, table, computed)
    print(pd.crosstab(table["split"], table["findings"]).to_string())
    total = sum(file.stat().st_size for file in features.FOLDER.iterdir())
    print(f"{len(table)} images of {plan.patients} patients, {total / 1e6:.2f} MB")


def draw(plan: ShippedPlan, patient: int) -> list[tuple[dict[str, object], Any]]:
    """Rows and fitted images of a patient."""
    found = []
    for study in range(1, plan.studies + 1):
        for view, phantom in enumerate(plan.generate(patient, study), 1):
            row = features.row_of_image(plan, ImageNumbers(patient, study, view), phantom)
            found.append((row, fit(phantom.pixels, plan.image_size, plan.fit)))
    return found


def measure() -> None:
    """Run each preset, print its effect, and save what it gave."""
    bench = features.shipped_bench()
    outcomes = list(show_leakage(bench))
    say("leakage: AUC by image minus by patient, shuffled labels", gap(outcomes))
    points = list(learning_curve(bench, SUBSETS))
    more = gain_from_more(bench, points)
    say("learning curve: AUC with all patients minus with the fewest", more)
    tries = list(show_search(bench))
    lead = lead_of_best(bench, tries)
    say("search: AUC of the chosen trial minus the others, other half", lead)
    heads = list(compare_trainings(bench))
    hardware = due_to_hardware(bench, heads[1], heads[2:])
    assert hardware is not None, "the set has images of both labels without hardware"
    say("ablation: AUC without hardware in training minus random subsets", hardware)
    metal = hardware_gap(bench, heads[0])
    assert metal is not None, "the set has abnormal images with and without hardware"
    say("shortcut: AUC of abnormal images with hardware minus those without", metal)
    slow = loss_from_low_rate(bench)
    say("playground: AUC with the low learning rate minus with the reference", slow)
    print(
        f"head on all images: AUC {format_number(heads[0].overall)}; without hardware {format_number(heads[0].plain)}"
    )
    found = results.Results(
        leakage=results.split_results(outcomes),
        learning_curve=results.point_results(points),
        more_patients=more,
        search=results.try_results(tries),
        best_trial=lead,
        ablation=results.head_results(heads),
        hardware=hardware,
        hardware_gap=metal,
        low_rate=slow,
    )
    write_json(features.FOLDER / results.RESULTS, found.model_dump())


def measure_masks() -> None:
    """Print the effect of masking hardware on each model that comes with the project."""
    plan = features.shipped_plan()
    images = [shipped_image(plan, name) for name in masked_images()]
    for folder in shipped_models():
        found = list(effects(Classifier(folder), images))
        say(
            f"occlusion, {folder.name}: change by masking findings minus change by the mask elsewhere",
            mean_effect(found),
        )
        print(", ".join(f"{each:+.2f}" for each in found))


def say(what: str, effect: Estimate) -> None:
    """Print an effect, and whether its interval excludes zero."""
    print(f"{what}: {format_number(effect)}{'' if excludes_zero(effect) else '  INCLUDES ZERO'}", flush=True)


if __name__ == "__main__":
    main()
