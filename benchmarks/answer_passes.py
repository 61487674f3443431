"""Processor time of a whole answer where only the needed passes are run, against both passes of every model.

    python -m benchmarks.answer_passes --data FOLDER [--images 60] [--part valid] [--turns 1] [--former GRAPH.tflite]

Images of a data set, evenly spread, so that positives have their natural share. For each model that comes with the
project and for *Automatic*, which asks all of them, two ways take turns on each image: each model runs the image and
its mirror image, as every answer once did; each model runs the image, and the model that answers runs its mirror image
where it may change the outcome. A whole answer: an image that has been read -> fitted, run, compared with the training
images, its heat map laid over the image. Printed are the processor's time of both, their ratio, passes, and how many
outcomes differ. With ``--former`` the first way runs the bundled model by that graph on LiteRT, as an earlier version
did, at the thresholds of today; the second one by the runtime that ``FRACTURE_RUNTIME`` says.
``benchmarks/without_avx512.c`` says how to run it as on a processor without AVX-512.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fracture.data.dataset import scan
from fracture.imaging.radiograph import Radiograph, load
from fracture.inference.automatic import choose_models, match_model
from fracture.inference.classifier import Classifier
from fracture.inference.litert import Graph
from fracture.inference.prediction import View
from fracture.registry.model_folder import SHIPPED_MODELS, bundled_model, model_folder

Answered = list[tuple[Classifier, View]]
Way = Callable[[Sequence[Classifier], Radiograph], Answered]


@dataclass
class Figures:
    """What was measured of one way, over all images."""

    processor: list[float] = field(default_factory=list)
    """Seconds of processor time, an image."""
    elapsed: list[float] = field(default_factory=list)
    """Seconds, an image."""
    outcomes: list[list[tuple[str, str]]] = field(default_factory=list)
    """The models that answered, and their outcomes."""
    mirrored: int = 0
    """Mirror images run by the models that answered."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--part", default="valid")
    parser.add_argument("--turns", type=int, default=1)
    parser.add_argument("--former", type=Path)
    args = parser.parse_args()
    table = scan(args.data).table
    table = table[table["split"] == args.part]
    chosen = table.iloc[np.linspace(0, len(table) - 1, min(args.images, len(table))).astype(int)]
    images = [load(Path(path)) for path in chosen["path"]]
    print(f"{len(images)} of {len(table):,} images, {(chosen['label'] == 1).mean():.1%} positive")
    models = [Classifier(model_folder(name)) for name in SHIPPED_MODELS]
    for model in models:
        print(f"{model.name} runs on {model.runtime}")
    former = former_models(args.former)
    for asked in [*([model] for model in models), models]:
        compare(asked, [former.get(model.name, model) for model in asked], images, args.turns)


def former_models(graph: Path | None) -> dict[str, Classifier]:
    """The bundled model with a former graph, by its name; nothing without one."""
    if graph is None:
        return {}
    folder = bundled_model()
    loaded = Graph(graph.read_bytes())
    return {folder.name: Classifier(folder, load_graph=lambda: loaded)}


def all_passes(models: Sequence[Classifier], image: Radiograph) -> Answered:
    """Each model runs both passes."""
    views = {model.name: model.view("image", image) for model in models}
    chosen = choose_models([match_model(model, [views[model.name]]) for model in models])
    return drawn([(match.model, views[match.model.name]) for match in chosen], image)


def needed_passes(models: Sequence[Classifier], image: Radiograph) -> Answered:
    """Each model runs one pass; the one that answers runs the other where it may change the outcome."""
    passes = {model.name: model.first_pass("image", image) for model in models}
    chosen = choose_models([match_model(model, [passes[model.name]]) for model in models])
    return drawn([(match.model, passes[match.model.name].view) for match in chosen], image)


def drawn(answered: Answered, image: Radiograph) -> Answered:
    """The answers, once their heat maps are laid over the image."""
    for model, view in answered:
        model.heat(view, image.width // 4, image.height // 4)
    return answered


def compare(
    models: Sequence[Classifier], former: Sequence[Classifier], images: Sequence[Radiograph], turns: int
) -> None:
    """Let both ways take turns, and print."""
    ways: dict[str, tuple[Way, Sequence[Classifier], Figures]] = {
        "all passes": (all_passes, former, Figures()),
        "needed passes": (needed_passes, models, Figures()),
    }
    for way, asked, _ in ways.values():
        way(asked, images[0])  # loads the interpreters
    for number, image in enumerate(images * turns):
        order = list(ways.values())
        for way, asked, figures in order if number % 2 else order[::-1]:
            measure(way, figures, asked, image)
    before, after = (figures for *_, figures in ways.values())
    print(" and ".join(model.name for model in models))
    for name, (*_, figures) in ways.items():
        print(
            f"  {name}: {np.mean(figures.processor) * 1000:.0f} ms of processor time, "
            f"{np.mean(figures.elapsed) * 1000:.0f} ms elapsed, {figures.mirrored} mirror images for answers"
        )
    processor = np.sum(after.processor) / np.sum(before.processor)
    elapsed = np.sum(after.elapsed) / np.sum(before.elapsed)
    differ = sum(one != other for one, other in zip(before.outcomes, after.outcomes, strict=True))
    print(f"  ratio {processor:.2f} of processor time, {elapsed:.2f} elapsed; {differ} outcomes differ", flush=True)


def measure(way: Way, figures: Figures, models: Sequence[Classifier], image: Radiograph) -> None:
    """Answer for one image."""
    started = time.perf_counter()
    spent = time.process_time()
    answered = way(models, image)
    figures.processor.append(time.process_time() - spent)
    figures.elapsed.append(time.perf_counter() - started)
    figures.outcomes.append([(model.name, model.answer([view]).outcome) for model, view in answered])
    figures.mirrored += sum(len(view.logits) - 1 for _, view in answered)


if __name__ == "__main__":
    main()
