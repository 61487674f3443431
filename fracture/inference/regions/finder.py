"""The region finder: a network of its own that draws boxes around findings.

A one-stage detector without anchors (Tian et al., "FCOS", ICCV 2019) on InceptionV3: each cell gives a score, and its
distances to the four sides of a box. It enlarges the fitted image, since half of the boxes in FracAtlas are narrower
than 25 px of 427. Boxes of neighboring cells and of the mirror image are averaged, weighted by their probabilities
(Solovyev et al., "Weighted boxes fusion", Image and Vision Computing 107:104117, 2021).

The probability of a box also uses the model's place map at the box: the two networks were trained apart, and err apart.
"""

import subprocess
import sys
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from fracture import paths
from fracture.errors import ModelError
from fracture.imaging.radiograph import Frame
from fracture.inference.heatmap import MIXED7, Cells
from fracture.inference.regions.candidates import MAX_OVERLAP, MAX_REGIONS, Floats, Region, on_image, overlap
from fracture.inference.runtimes.litert import LITERT
from fracture.inference.runtimes.runner import Runner
from fracture.registry.card import BoxScore

THREADS = 2

MIXED2 = Cells(13, 8)
"""The cells of the finder's outputs, in px of the enlarged image."""

MAX_CELLS = 150
"""The most cells of a pass that are looked at, those of the highest scores."""

SAME_BOX = 0.35
"""The intersection over union from which on two boxes are taken for one."""

_UNSEEN = -6.0
"""The score of a box in a pass none of whose cells gives it."""


_one_at_a_time = Lock()
"""A graph that several visitors ran at once would take its memory several times."""


class Boxes(NamedTuple):
    """The boxes of one pass, or of several together."""

    corners: Floats
    """(B, 4): left, top, right, bottom, in px of the fitted square."""
    scores: Floats
    """(B,), logits."""


def find_boxes(file: Path, enlarged: int, pixels: NDArray[np.uint8]) -> Boxes:
    """The boxes of a fitted image (S, S), seen as it is and mirrored, the likeliest first.

    A process of its own does it, one at a time: it takes 200 MB, and few images are asked for their regions.

    Args:
        file: a graph with the served graph's input, and the outputs ``scores`` (1, h, w), logits, and ``sides``
            (1, h, w, 4), the distances to left, top, right and bottom in px of the enlarged image.
        enlarged: side in px of the enlarged image.
        pixels: the fitted image.

    Raises:
        ModelError: the file is missing or is no such graph.
    """
    with _one_at_a_time:
        straight, mirrored = _run(file, enlarged, pixels)
    left, top, right, bottom = mirrored.corners.T
    back = np.stack([len(pixels) - right, top, len(pixels) - left, bottom], axis=1)
    return fuse([straight, Boxes(back, mirrored.scores)])


def _run(file: Path, enlarged: int, pixels: NDArray[np.uint8]) -> tuple[Boxes, Boxes]:
    """Both passes, in a process of its own: 200 MB of this one would not all be returned to the operating system."""
    sent = BytesIO()
    np.savez(sent, graph=str(file), enlarged=enlarged, pixels=pixels)
    command = [sys.executable, "-m", "fracture.inference.regions.finder"]
    done = subprocess.run(command, input=sent.getvalue(), capture_output=True, cwd=paths.PROJECT, check=False)  # noqa: S603
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise ModelError(f"The region finder {file.name} cannot be run: {' '.join(reason)}")
    received = np.load(BytesIO(done.stdout))
    straight = Boxes(received["straight_corners"], received["straight_scores"])
    return straight, Boxes(received["mirrored_corners"], received["mirrored_scores"])


def _work() -> None:
    """The process: reads one image from standard input, and writes the boxes of both passes to standard output."""
    received = np.load(BytesIO(sys.stdin.buffer.read()))
    graph = _load(Path(str(received["graph"])))
    pixels = received["pixels"]
    enlarged = int(received["enlarged"])
    straight = _boxes(graph, pixels, enlarged)
    mirrored = _boxes(graph, pixels[:, ::-1], enlarged)
    answer = BytesIO()
    np.savez(
        answer,
        straight_corners=straight.corners,
        straight_scores=straight.scores,
        mirrored_corners=mirrored.corners,
        mirrored_scores=mirrored.scores,
    )
    sys.stdout.buffer.write(answer.getvalue())


def _load(file: Path) -> Runner:
    try:
        run = LITERT.load(file.read_bytes(), 1, THREADS)()
        outputs = set(run.get_output_details())
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"The region finder {file.name} cannot be loaded: {error}") from error
    if not {"scores", "sides"} <= outputs:
        raise ModelError(f"A region finder must give scores and sides. Received: {sorted(outputs)}")
    return run


def _boxes(run: Runner, pixels: NDArray[np.uint8], enlarged: int) -> Boxes:
    """The boxes that one pass gives, one a cell, those of the likeliest cells."""
    outputs = run(image=np.ascontiguousarray(pixels)[None, :, :, None])
    # Copies: the next pass overwrites the outputs.
    scores = outputs["scores"][0].astype(np.float64)
    sides = outputs["sides"][0].astype(np.float64)
    middles = MIXED2.first + 0.5 + MIXED2.apart * np.arange(len(scores))
    across, down = np.meshgrid(middles, middles)
    at = np.stack([across, down], axis=-1)
    corners = np.concatenate([at - sides[..., :2], at + sides[..., 2:]], axis=-1)
    likeliest = np.argsort(-scores.ravel(), kind="stable")[:MAX_CELLS]
    scale = len(pixels) / enlarged
    return Boxes(corners.reshape(-1, 4)[likeliest] * scale, scores.ravel()[likeliest])


def fuse(passes: Sequence[Boxes]) -> Boxes:
    """Boxes that overlap, of all passes, become one: the mean weighted by the square of each one's probability.

    Its score is the mean over the passes of the highest among its boxes.
    """
    corners = np.concatenate([each.corners for each in passes])
    scores = np.concatenate([each.scores for each in passes])
    of_pass = np.repeat(np.arange(len(passes)), [len(each.scores) for each in passes])
    weights = expit(scores) ** 2
    left = np.ones(len(scores), np.bool_)
    fused: list[Floats] = []
    fused_scores: list[float] = []
    while left.any() and len(fused) < MAX_REGIONS:
        likeliest = int(np.argmax(np.where(left, scores, -np.inf)))
        same = left & (overlaps(corners[likeliest], corners) >= SAME_BOX)
        same[likeliest] = True
        left &= ~same
        fused.append(np.average(corners[same], axis=0, weights=weights[same]))
        best = [scores[same & (of_pass == number)].max(initial=_UNSEEN) for number in range(len(passes))]
        fused_scores.append(float(np.mean(best)))
    order = np.argsort(-np.array(fused_scores), kind="stable")
    return Boxes(np.array(fused).reshape(-1, 4)[order], np.array(fused_scores)[order])


def overlaps(box: Floats, others: Floats) -> Floats:
    """The intersection over union of one box (4,) with others (B, 4), all as corners: (B,)."""
    first = np.maximum(box[:2], others[:, :2])
    last = np.minimum(box[2:], others[:, 2:])
    common = np.prod(np.maximum(last - first, 0), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1)
    union = np.prod(box[2:] - box[:2]) + areas - common
    result: Floats = common / np.maximum(union, 1e-9)
    return result


def place_at(places: Floats, corners: Floats) -> Floats:
    """The highest logit of a place map (h, w) in the 3 x 3 cells around the middle of each box (B, 4): (B,)."""
    middles = (corners[:, :2] + corners[:, 2:]) / 2
    cells = np.rint((middles - MIXED7.first - 0.5) / MIXED7.apart).astype(int)
    columns, rows = np.clip(cells, 0, len(places) - 1).T
    around = np.pad(places, 1, constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(around, (3, 3))
    highest: Floats = windows[rows, columns].max(axis=(1, 2))
    return highest


def regions_of(boxes: Boxes, places: Floats, framed: Frame, score: BoxScore) -> tuple[Region, ...]:
    """The candidate regions of an image, the likeliest first; of those that overlap, the likeliest alone.

    Args:
        boxes: of :func:`find_boxes`.
        places: the mean place map, of :func:`fracture.inference.regions.candidates.mean_places`.
        framed: where the image lies on its fitted square; boxes are cut off at the image's edges.
        score: how a box's logit follows from its score and its place.
    """
    logits = score.score * boxes.scores + score.place * place_at(places, boxes.corners) + score.intercept
    regions: list[Region] = []
    for number in np.argsort(-logits, kind="stable"):
        left, top, right, bottom = boxes.corners[number]
        box = on_image(np.array([left, top, right - left, bottom - top]), framed)
        apart = all(overlap(box, other.box) < MAX_OVERLAP for other in regions)
        if box[2] > 0 and box[3] > 0 and apart:
            regions.append(Region(box, float(expit(logits[number]))))
    return tuple(regions)


if __name__ == "__main__":
    _work()
