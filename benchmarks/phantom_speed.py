"""How fast phantoms are drawn, how soon the first can be seen, and how well the reference preset learns them.

    python -m benchmarks.phantom_speed --weights FILE.weights.h5 [--patients 200] [--seeds 1 2 3] \
        [--hardware-share 0.3]

For each seed a data set of default difficulty is drawn by the command line on all cores and then trained on. Printed
are images a second from the start of the process to its end, seconds until the first image is listed, seconds of the
whole training, and its validation accuracy, AUC and heat map figures as the card has them.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from fracture.phantoms.plan import HARDWARE_SHARE


def main() -> None:
    """Draw, train, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="imagenet")
    parser.add_argument("--patients", type=int, default=200)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--hardware-share", default=str(HARDWARE_SHARE), help="as of fracture phantom")
    args = parser.parse_args()
    for seed in args.seeds:
        with tempfile.TemporaryDirectory() as place:
            first, seconds = draw(Path(place) / "phantoms", args.patients, seed, args.hardware_share)
            images = len(list(Path(place).rglob("*.png")))
            print(f"seed {seed}: {images} images in {seconds:.1f} s, {images / seconds:.1f} a second; ", end="")
            print(f"the first after {first:.1f} s", flush=True)
            started = time.perf_counter()
            card = train(Path(place), args.weights)
            print(f"  trained in {time.perf_counter() - started:.1f} s; {summary(card)}", flush=True)


def draw(out: Path, patients: int, seed: int, hardware_share: str) -> tuple[float, float]:
    """Seconds until the first image is listed, and until all are drawn."""
    command = [sys.executable, "-m", "fracture", "phantom", str(out), "--patients", str(patients), "--seed", str(seed)]
    command += ["--hardware-share", hardware_share]
    started, first = time.perf_counter(), 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            if not first and any(out.glob("*/XR_HUMERUS/*/study*/*.png")):
                first = time.perf_counter() - started
            time.sleep(0.02)
    return first, time.perf_counter() - started


def train(place: Path, weights: str) -> dict[str, Any]:
    """The card of the reference preset on the drawn data set, nothing cached."""
    homes = {"FRACTURE_MODELS": str(place / "models"), "FRACTURE_CACHE": str(place / "cache")}
    command = [sys.executable, "-m", "fracture", "train", "--data", str(place / "phantoms"), "--name", "phantoms"]
    subprocess.run([*command, "--weights", weights], check=True, capture_output=True, env={**os.environ, **homes})
    folder = place / "models" / "phantoms"
    history = json.loads((folder / "history.json").read_text())
    return {**json.loads((folder / "card.json").read_text()), "best": max(history["val_accuracy"])}


def summary(card: dict[str, Any]) -> str:
    """The card's figures in one line."""
    image, where = card["metrics"]["image"], card["localisation"]
    words = [f"validation accuracy {image['points']['half']['accuracy']['value']:.3f} (best epoch {card['best']:.3f})"]
    words += [f"AUC {image['auc']['value']:.3f}", f"epoch {card['kept_epoch']} kept"]
    if where:
        pointing, mass = where["pointing"], where["mass"]
        words.append(f"pointing game {pointing['value']:.3f} (chance {pointing['chance']:.3f})")
        words.append(f"mass in the mask {mass['value']:.3f} (chance {mass['chance']:.3f})")
    return ", ".join(words)


if __name__ == "__main__":
    main()
