"""An import from a Kaggle on this machine, killed again and again at random moments, and then finished.

Run as ``python -m benchmarks.import_kills``. Printed are how many of the files are byte for byte as they were,
and how many were asked for although they lay whole on the disk when the process before was killed.
"""

import argparse
import json
import os
import random
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path

from fracture.importers.job import find_import, start
from fracture.importers.kaggle import order
from fracture.importers.kaggle_credentials import Credentials
from tests.support.drawing import draw_mura
from tests.support.servers import TOKEN, Kaggle
from tests.support.waiting import wait


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--files", type=int, default=300, help="5 or more")
    parser.add_argument("--latency", type=float, default=0.1, help="seconds that each answer takes")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    os.environ["KAGGLE_API_ENVIRONMENT"] = "TEST"
    with tempfile.TemporaryDirectory() as place:
        files = drawn(Path(place) / "drawn", args.files)
        with Kaggle(files, args.latency) as kaggle:
            measure(kaggle, Path(place) / "imported", args.kills, random.Random(args.seed))


def drawn(root: Path, number: int) -> dict[str, bytes]:
    """So many small images as Kaggle has them, and the lists of them."""
    # A patient has at least one image, so there are as many of each split as are taken.
    counts = {"train": number - number // 5, "valid": number // 5}
    draw_mura(root, counts["train"], counts["valid"], size=48)
    files = {}
    for split, count in counts.items():
        images = sorted((root / split).rglob("*.png"))[:count]
        rows = [f"MURA-v1.1/{path.relative_to(root).as_posix()}" for path in images]
        files.update({row: path.read_bytes() for row, path in zip(rows, images, strict=True)})
        files[f"MURA-v1.1/{split}_image_paths.csv"] = "\n".join(rows).encode()
    return files


def measure(kaggle: Kaggle, out: Path, kills: int, chance: random.Random) -> None:
    """Kill, go on, and at the end look at every file."""
    expected = {
        name.removeprefix("MURA-v1.1/"): content for name, content in kaggle.files.items() if name[-3:] == "png"
    }
    again, places = 0, Counter()
    began = time.monotonic()
    for number in range(kills + 1):
        there, asked = set(found(out)), len(kaggle.requested_files())
        start(out, order(), Credentials(token=TOKEN).variables())
        if number < kills:
            # Some of what is left comes before each kill, and enough stays for those to come.
            enough = len(there) + chance.uniform(0, (len(expected) - len(there)) / (kills - number + 1))
            wait(lambda enough=enough: pid(out) and len(found(out)) >= enough, seconds=300)
            time.sleep(chance.uniform(0, 0.1))  # the moment: anywhere between two files, or within one
            places[kill(out)] += 1
        else:
            wait(lambda: not find_import(out).active, seconds=600)
        again += sum(name.removeprefix("MURA-v1.1/") in there for name in kaggle.requested_files()[asked:])
    files = {name: path.read_bytes() for name, path in found(out).items()}
    whole = sum(files.get(name) == content for name, content in expected.items())
    seconds = time.monotonic() - began
    print(f"{kills} kills in {seconds:.0f} s: {places['killed']} at work, {places['ended']} after its end")
    print(f"files whole, byte for byte: {whole} of {len(expected)}; besides them: {len(set(files) - set(expected))}")
    print(f"state in the end: {find_import(out).state}, {find_import(out).error or 'no error'}")
    print(f"fetched again although whole: {again}")
    print(f"requests in all: {len(kaggle.requested_files())} for {len(kaggle.files)} files")


def found(out: Path) -> dict[str, Path]:
    """The images that a reader finds."""
    return {
        path.relative_to(out).as_posix(): path for split in ("train", "valid") for path in out.glob(f"{split}/**/*.png")
    }


def pid(out: Path) -> int | None:
    """The process that imports, once it has spoken."""
    said = json.loads((out / "import.json").read_text())
    return None if said.get("ended") else said.get("pid")


def kill(out: Path) -> str:
    """Kill the process, unless it has ended by itself; wait until all agree that it is gone."""
    number = pid(out)
    if number is None:
        return "ended"
    os.kill(number, signal.SIGKILL)
    wait(lambda: not find_import(out).active)
    return "killed"


if __name__ == "__main__":
    main()
