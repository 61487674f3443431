"""A whole answer against a bare call of the same LiteRT graph.

    python -m benchmarks.whole_answer --model NAME [--image FILE] [--turns 40]

The whole answer: an image that has been read -> fitted, looked at as it is and mirrored, compared with what the model
knows, its heat map laid over the image. The bare call: the fitted image through the interpreter, once. Both take
turns in one process; printed are medians and their ratio, and what reading the file from disk takes beside them.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from benchmarks.answer_speed import drawn, timed
from fracture.imaging.radiograph import fit, load
from fracture.inference.classifier import load_classifier
from fracture.inference.litert import Graph
from fracture.registry.model_folder import model_folder


def main() -> None:
    """Time both in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--image", type=Path)
    parser.add_argument("--turns", type=int, default=40)
    args = parser.parse_args()
    classifier = load_classifier(args.model)
    graph = Graph(model_folder(args.model).served_model.read_bytes())
    with tempfile.TemporaryDirectory() as place:
        path = args.image or drawn(Path(place))
        image = load(path)
        fitted = fit(image.pixels, graph.size, classifier.card.input.fit)
        sides = {
            "bare": lambda: graph(fitted),
            "whole": lambda: classifier.heat(classifier.view("image", image), image.width // 4, image.height // 4),
            "read": lambda: load(path),
        }
        times = {name: [] for name in sides}
        for turn in range(args.turns + 3):
            for name, side in sides.items():
                seconds = timed(side)
                if turn >= 3:
                    times[name].append(seconds)
    bare, whole, read = (statistics.median(times[name]) * 1000 for name in sides)
    print(f"{graph.size} px: bare call {bare:.1f} ms, whole answer {whole:.1f} ms, reading the file {read:.1f} ms")
    print(f"{whole / bare:.2f} times a bare call; with the reading {(whole + read) / bare:.2f}")


if __name__ == "__main__":
    main()
